package kernelext

import (
	"fmt"
	"html"
	"os"
	"strings"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/offshoot-ml/offshoot/kernelext/output"
	"github.com/offshoot-ml/offshoot/slm"
)

// How often progress is drawn: in place in a notebook, as a new line in a terminal.
const (
	notebookEvery = 200 * time.Millisecond
	terminalEvery = 2 * time.Second
)

// display is the live view of one piece of work. In a notebook it is one output that is updated in place, and stays as
// one line when the work has ended, so that a saved notebook reads well. In a terminal it is lines on standard error.
// Work that is over at once leaves no trace, unless there is something to tell.
type display struct {
	title  string
	id     string
	began  time.Time
	drawn  time.Time
	last   string // line in a terminal
	notes  []string
	points []slm.Point    // of the run, for the sparkline
	steps  int            // taken by this call
	mfu    float64        // of the last ones
	best   *slm.Candidate // of the search

	evaluated int // candidates, by this call
}

func newDisplay(title string) *display { return &display{title: title, began: time.Now()} }

// watch takes an event of the work.
func (d *display) watch(e Event) {
	switch e.Kind {
	case Note:
		d.notes = append(d.notes, e.Message)
		d.draw(e, true)
		return
	case Candidate:
		d.evaluated++
		d.best = better(d.best, e.Candidate)
	case Point:
		d.points = append(d.points, *e.Point)
		if e.Point.Step > 0 {
			d.steps++
			d.mfu = e.MFU
		}
	}
	d.draw(e, false)
}

// better is the better one of two candidates, of which the first may be nil: with halving one that was judged on more text.
func better(a, b *slm.Candidate) *slm.Candidate {
	if a == nil {
		return b
	}
	best := slm.Elites([]slm.Candidate{*a, *b}, 1)[0]
	return &best
}

func (d *display) draw(e Event, now bool) {
	every := terminalEvery
	if gonbui.IsNotebook {
		every = notebookEvery
	}
	if !now && time.Since(d.drawn) < every {
		return
	}
	d.drawn = time.Now()
	text := d.line(e)
	if !gonbui.IsNotebook {
		if text != d.last {
			fmt.Fprintln(os.Stderr, text)
		}
		d.last = text
		return
	}
	page := share(e.Done, e.Total) + html.EscapeString(text)
	d.put(shown{wrapped(page + sparkline(d.points) + d.noteLines()), text})
}

// finish leaves one line behind.
func (d *display) finish(line string) {
	if line == "" && d.id == "" {
		return
	}
	if !gonbui.IsNotebook {
		fmt.Fprintln(os.Stderr, line)
		return
	}
	d.put(shown{wrapped(html.EscapeString(line) + sparkline(d.points) + d.noteLines()), strings.Join(append([]string{line}, d.notes...), "\n")})
	output.Sync()
}

func (d *display) put(s shown) {
	if d.id == "" {
		d.id = "offshoot-" + gonbui.UniqueId()
	}
	s.send(d.id)
}

func wrapped(page string) string {
	return `<div style="font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px;line-height:1.6;color:var(--jp-ui-font-color1,inherit);font-variant-numeric:tabular-nums">` + page + `</div>`
}

func (d *display) noteLines() string {
	var b strings.Builder
	for _, note := range d.notes {
		fmt.Fprintf(&b, `<div style="%s">%s</div>`, quietStyle, html.EscapeString(note))
	}
	return b.String()
}

// line is the event in one line of text.
func (d *display) line(e Event) string { return d.title + ": " + d.told(e) }

func (d *display) told(e Event) string {
	parts := []string{}
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if e.Message != "" {
		add("%s", e.Message)
	}
	switch {
	case e.Kind == Point:
		add("%s", pointText(*e.Point, d.points))
	case e.Total > 0 && e.Unit != "":
		add("%d of %d %s", e.Done, e.Total, e.Unit)
	case e.Total > 0:
		add("%d%%", 100*e.Done/e.Total)
	}
	if speed := e.Speed(" · "); speed != "" {
		add("%s", speed)
	} else if e.Rate > 0 {
		add("%.2g %s/s", e.Rate, e.Unit)
	}
	if d.best != nil && !d.best.Failed() {
		add("best perplexity %s (%s parameters)", perplexityText(d.best.Perplexity()), slm.Count(d.best.Parameters))
	}
	if e.Left > 0 {
		add("%s left", duration(e.Left))
	}
	return strings.Join(parts, " · ")
}

// Speed is how fast a run goes and what it has spent, such as "510 tokens/s · 2.1e+13 FLOPs · MFU 38%"; empty for other events.
func (e Event) Speed(separator string) string {
	if e.Rate <= 0 || e.Unit != "steps" {
		return ""
	}
	parts := []string{fmt.Sprintf("%.0f tokens/s", e.Rate)}
	if e.FLOPs > 0 {
		parts = append(parts, fmt.Sprintf("%.2g FLOPs", e.FLOPs))
	}
	if e.MFU > 0 {
		parts = append(parts, fmt.Sprintf("MFU %.0f%%", 100*e.MFU))
	}
	return strings.Join(parts, separator)
}

// pointText is a step with the last validation up to it.
func pointText(p slm.Point, points []slm.Point) string {
	text := fmt.Sprintf("step %d", p.Step)
	if p.Loss != 0 {
		text += fmt.Sprintf(" · loss %.3f", p.Loss)
	}
	if v := (slm.Curve{Points: points}).Validation(); v == v { // not NaN
		text += fmt.Sprintf(" · validation %.3f", v)
	}
	return text
}
