package kernelext

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"

	"github.com/offshoot-ml/offshoot/slm"
)

// Lab is a lab as cells use it: methods show live progress, and end the cell with a plain message when they fail.
type Lab struct {
	Name   string
	client *Client
}

// Open opens a lab by name, and starts the host the first time. In a notebook it is a package variable, which GoNB keeps
// for all later cells:
//
//	var lab = kernelext.Open("quickstart")
//
// A program that wants an error instead calls [Connect].
func Open(name string) *Lab {
	ctx, stop := interruptible()
	defer stop()
	client, err := Connect(ctx, name)
	if err != nil {
		fail(interruptedAtOpen(ctx, err))
	}
	return &Lab{Name: name, client: client}
}

func interruptedAtOpen(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &InterruptedError{"stopped while the host was starting; run the cell again"}
	}
	return err
}

// interruptible is a context that ends when the cell is interrupted.
func interruptible() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt)
}

// Client is the same lab with calls that return errors.
func (l *Lab) Client() *Client { return l.client }

// Teacher loads a teacher into the host; the first time this shows progress and takes seconds, or as long as a download.
// For what name may be see [Client.Teacher].
func (l *Lab) Teacher(name string) *Teacher {
	var info TeacherInfo
	l.do("loading "+name, func(ctx context.Context, d *display) (line string, err error) {
		info, err = l.client.Teacher(ctx, name, d.watch)
		return loadedLine(info, d), err
	})
	return &Teacher{TeacherInfo: info, lab: l}
}

// Search runs a search to its end and returns what it evaluated. Named again with the same options it continues, or
// returns at once when it is finished. Watchers see the population while it grows, such as a figure that is drawn again about
// every second: see [Client.SearchLive].
func (l *Lab) Search(name string, search slm.Search, watchers ...func(slm.Population)) *Found {
	var p slm.Population
	l.do("search "+name, func(ctx context.Context, d *display) (line string, err error) {
		d.best = l.bestSoFar(ctx, name)
		p, err = l.client.SearchLive(ctx, name, search, d.watch, watchers...)
		return foundLine(p, d), err
	})
	return &Found{Population: p, lab: l}
}

// Found is a search as the lab has it, finished or not. It runs nothing.
func (l *Lab) Found(name string) *Found {
	var p slm.Population
	l.do("search "+name, func(ctx context.Context, _ *display) (line string, err error) {
		p, err = l.client.Population(ctx, name)
		return "", err
	})
	return &Found{Population: p, lab: l}
}

// bestSoFar is the best candidate of a search that will be continued.
func (l *Lab) bestSoFar(ctx context.Context, name string) *slm.Candidate {
	p, err := l.client.Population(ctx, name)
	if err != nil || len(p.Candidates) == 0 {
		return nil // a new search, or one whose trouble Search reports
	}
	best := p.Best()
	return &best
}

// Distill names a run: a student and how it is pretrained. It trains nothing: see [Run.Steps]. Named again with the same
// options it is the run as the lab has it.
func (l *Lab) Distill(name string, distillation slm.Distillation) *Run {
	var c slm.Curve
	l.do("run "+name, func(ctx context.Context, d *display) (line string, err error) {
		c, err = l.client.Distill(ctx, name, distillation, d.watch)
		return "", err
	})
	return &Run{Curve: c, lab: l}
}

// Curves are the curves of runs as the lab has them; without names, of all its runs. It trains nothing.
func (l *Lab) Curves(names ...string) []slm.Curve {
	var curves []slm.Curve
	l.do("runs of "+l.Name, func(ctx context.Context, _ *display) (line string, err error) {
		curves, err = l.client.Curves(ctx, names...)
		return "", err
	})
	return curves
}

// do makes a call with a live display; an interrupt or a failure ends the cell.
func (l *Lab) do(title string, call func(context.Context, *display) (line string, err error)) {
	ctx, stop := interruptible()
	defer stop()
	d := newDisplay(title)
	line, err := call(ctx, d)
	if err == nil {
		d.finish(line)
		return
	}
	if errors.Is(err, context.Canceled) {
		err = &InterruptedError{"stopped; run the cell again to continue"}
	}
	if d.id != "" {
		d.finish(title + ": " + firstLine(err))
	}
	fail(err)
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// Show displays a card: the host's backend, device and memory, and what the lab holds.
func (l *Lab) Show() {
	ctx, stop := interruptible()
	defer stop()
	status, err := l.client.Status(ctx)
	if err != nil {
		fail(err)
	}
	contents, err := l.client.Contents(ctx)
	if err != nil {
		fail(err)
	}
	labCard(status, contents).show()
}
