package hub

import (
	"fmt"
	"sync"
	"time"
)

// Progress is how far a Fetch is, over all of its files.
type Progress struct {
	File        string // the one that the last bytes are of
	Done, Total int64  // bytes; what was there already counts as done
	Rate        float64
	Left        time.Duration // at that rate; 0 while it is not known
}

// String is such as "model.safetensors  12%  31 MB/s  9s left".
func (p Progress) String() string {
	return fmt.Sprintf("%s  %d%%  %.0f MB/s  %s left", p.File, 100*p.Done/max(1, p.Total), p.Rate/1e6, p.Left.Round(time.Second))
}

// meter counts bytes, and reports them ten times a second.
type meter struct {
	report func(Progress)

	mu          sync.Mutex
	began, told time.Time
	done, total int64
	fetched     int64 // of done, since began
}

func newMeter(report func(Progress), files []File) *meter {
	m := &meter{report: report, began: time.Now()}
	for _, f := range files {
		m.total += max(0, f.Size)
	}
	return m
}

// have counts bytes that were there already; fewer than 0 when some turned out to be useless.
func (m *meter) have(f File, n int64) { m.count(f, n, 0) }

// got counts bytes that came over the network.
func (m *meter) got(f File, n int64) { m.count(f, n, n) }

func (m *meter) count(f File, n, fetched int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done, m.fetched = m.done+n, m.fetched+fetched
	if m.report == nil || (time.Since(m.told) < 100*time.Millisecond && m.done < m.total) {
		return
	}
	m.told = time.Now()
	p := Progress{File: f.Name, Done: m.done, Total: m.total}
	if took := time.Since(m.began).Seconds(); m.fetched > 0 && took > 0 {
		p.Rate = float64(m.fetched) / took
		p.Left = time.Duration(float64(m.total-m.done) / p.Rate * float64(time.Second))
	}
	m.report(p)
}
