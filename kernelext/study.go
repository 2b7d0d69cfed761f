package kernelext

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

// Study runs the searches of a study, one after the other, and sorts them into the cells of its grid. What the lab holds already is
// not run again: a study that was stopped goes on.
func (l *Lab) Study(study slm.Study) slm.Found {
	var found slm.Found
	l.do(strings.TrimSpace("study "+study.Name), func(ctx context.Context, d *display) (line string, err error) {
		found, err = l.client.Study(ctx, study, func(name string, e Event) {
			if d.title != name {
				d.title, d.best = name, nil // bests of different bins do not compare
			}
			d.watch(e)
		})
		return studyLine(found, d), err
	})
	return found
}

// studyLine sums up what this call evaluated; a study that was finished before leaves no line.
func studyLine(found slm.Found, d *display) string {
	if d.evaluated == 0 {
		return ""
	}
	searches, evaluations := 0, 0
	for _, cell := range found {
		for _, p := range cell.Searches {
			searches, evaluations = searches+1, evaluations+p.Evaluations()
		}
	}
	return fmt.Sprintf("%d searches: %d evaluations, of which %d now, in %s", searches, evaluations, d.evaluated, duration(time.Since(d.began).Seconds()))
}

// Study is [Lab.Study] with errors. Events come with the name of their search; they count the evaluations of the whole study and the
// time that is left of it.
func (c *Client) Study(ctx context.Context, study slm.Study, watch func(search string, e Event)) (slm.Found, error) {
	done := map[string]slm.Population{}
	trials := study.Trials()
	meter := studyMeter{began: time.Now(), total: int64(study.Evaluations())}
	for i, t := range trials {
		p, err := c.Search(ctx, t.Name, t.Search, func(e Event) {
			if watch != nil {
				watch(t.Name, meter.whole(e))
			}
		})
		if errors.Is(err, context.Canceled) {
			return nil, err
		}
		if err != nil {
			return nil, fmt.Errorf("search %s, number %d of %d: %w", t.Name, i+1, len(trials), err)
		}
		done[t.Name] = p
		meter.finished(p)
	}
	return study.Found(done), nil
}

// studyMeter tells where a study stands.
type studyMeter struct {
	began         time.Time
	before, total int64 // evaluations of the searches before this one, and of all
	now           int64 // evaluations by this call
}

// finished counts a search that is done, which may have ended early.
func (m *studyMeter) finished(p slm.Population) {
	m.before += int64(p.Evaluations())
	m.total -= int64(p.Search.Evaluations() - p.Evaluations())
}

// whole is a search's event as one of the whole study.
func (m *studyMeter) whole(e Event) Event {
	if e.Kind != Candidate {
		return e
	}
	m.now++
	e.Done, e.Total = m.before+e.Done, m.total
	e.Rate = float64(m.now) / time.Since(m.began).Seconds()
	e.Left = float64(e.Total-e.Done) / e.Rate
	return e
}
