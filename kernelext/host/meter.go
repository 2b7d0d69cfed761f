package main

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// progress is told of pieces of work, one after the other, and how much of each is done.
type progress interface {
	part(what, unit string) func(done, total int64)
}

// meter shows how far a piece of work is, with its rate and the time left: one live line on a terminal, now and then a
// line elsewhere.
type meter struct {
	out   *os.File
	live  bool
	every time.Duration

	mu     sync.Mutex
	what   string
	began  time.Time
	shown  time.Time
	inLine bool // the live line is not ended
}

func newMeter(out *os.File) *meter {
	info, err := out.Stat()
	live := err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
	if live {
		return &meter{out: out, live: true, every: 200 * time.Millisecond}
	}
	return &meter{out: out, every: 20 * time.Second}
}

// part is a func that reports how much of a piece of work is done; it may be called from any goroutine, and often.
func (m *meter) part(what, unit string) func(done, total int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.what, m.began, m.shown = what, time.Now(), time.Now()
	return func(done, total int64) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.what != what || time.Since(m.shown) < m.every {
			return
		}
		m.shown = time.Now()
		m.print(progressLine(what, unit, done, total, time.Since(m.began)))
	}
}

// show shows a line that says by itself how far the work is.
func (m *meter) show(line string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.what = "" // what was reported before is over
	if time.Since(m.shown) >= m.every {
		m.shown = time.Now()
		m.print(line)
	}
}

func (m *meter) print(line string) {
	if !m.live {
		fmt.Fprintln(m.out, line)
		return
	}
	fmt.Fprint(m.out, "\r\x1b[K"+line)
	m.inLine = true
}

// end takes the live line away.
func (m *meter) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.inLine {
		fmt.Fprint(m.out, "\r\x1b[K")
		m.inLine = false
	}
}

// progressLine is such as "evaluating  12288 of 20480 tokens  890 tokens/s  9 s left".
func progressLine(what, unit string, done, total int64, took time.Duration) string {
	if done <= 0 || took <= 0 {
		return what
	}
	rate := float64(done) / took.Seconds()
	if total == 0 { // nobody knows
		return fmt.Sprintf("%s  %d %s  %s %s/s", what, done, unit, rateText(rate), unit)
	}
	left := time.Duration(float64(total-done) / rate * float64(time.Second))
	if unit == "bytes" {
		return fmt.Sprintf("%s  %d%%  %.0f MB/s  %s left", what, 100*done/max(1, total), rate/1e6, left.Round(time.Second))
	}
	return fmt.Sprintf("%s  %d of %d %s  %s %s/s  %s left", what, done, total, unit, rateText(rate), unit, left.Round(time.Second))
}

// rateText is such as "0.512", "89.1" or "12345".
func rateText(rate float64) string {
	if rate < 1000 {
		return fmt.Sprintf("%.3g", rate)
	}
	return fmt.Sprintf("%.0f", rate)
}
