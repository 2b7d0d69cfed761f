package plots

import (
	"slices"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/offshoot-ml/offshoot/slm"
)

// Live shows a search while it runs: a watcher for a lab's Search, which draws [Population] in one output. Candidates arrive in the
// figure that is there, every few seconds at most, and the finished search always. Outside a notebook it does nothing.
func Live() func(slm.Population) {
	show := growing()
	l := newLive(func(p slm.Population, last bool) { show(Population(p), last) })
	return func(p slm.Population) {
		if len(p.Candidates) > 0 {
			l.watch(p, p.Done())
		}
	}
}

// LiveCurves shows a run while it trains: a watcher for a lab's Run, which draws [CurvesBy] in one output, beside other runs that do
// not change. Points arrive in the figure that is there, every few seconds at most, and the last ones always. Outside a notebook
// it does nothing.
func LiveCurves(cost Cost, beside ...slm.Curve) func(run slm.Curve, last bool) {
	show := growing()
	return newLive(func(run slm.Curve, last bool) {
		if len(run.Points) > 0 {
			show(CurvesBy(cost, append(slices.Clip(beside), run)...), last)
		}
	}).watch
}

// Drawing takes 60 to 400 ms, on the processor that evaluates or trains: it must not take more than a tenth of the time.
const (
	liveEvery = 2 * time.Second
	liveShare = 10
)

// live decides when work that goes on is drawn.
type live[T any] struct {
	now  func() time.Time
	draw func(work T, last bool)

	next time.Time // not before
	done bool      // nothing has happened since it was drawn for the last time
}

func newLive[T any](draw func(T, bool)) *live[T] {
	if !gonbui.IsNotebook {
		draw = func(T, bool) {}
	}
	return &live[T]{now: time.Now, draw: draw}
}

func (l *live[T]) watch(work T, last bool) {
	began, again := l.now(), last && l.done
	l.done = last
	if again || !last && began.Before(l.next) {
		return
	}
	l.draw(work, last)
	took := l.now().Sub(began)
	if l.next.IsZero() { // it has loaded ECharts, once
		took = 0
	}
	l.next = began.Add(max(liveEvery, liveShare*took))
}

// wholeEvery is after how many moves a growing figure is drawn anew, so that a notebook which is saved meanwhile, or whose kernel
// dies, has a static picture that is not old.
const wholeEvery = 20

// growing is a figure in an output of its own whose points move, until it is drawn as a whole at the end.
func growing() func(f Figure, last bool) {
	name, drawn := "offshoot-"+gonbui.UniqueId(), 0
	return func(f Figure, last bool) {
		if last || drawn%wholeEvery == 0 {
			Update(name, f)
		} else {
			move(name, f)
		}
		drawn++
	}
}

// move gives a figure that Update has shown new points, by a script in an output of its own that leaves nothing behind.
func move(name string, f Figure) {
	script, err := f.moving(name)
	if err != nil {
		return // Update has said why
	}
	transient(name+"-points", script)
}

// transient runs a script of the page in an output of its own, which is empty afterwards.
func transient(name, script string) {
	gonbui.UpdateHTML(name, script)
	gonbui.Sync()
	gonbui.UpdateHTML(name, "")
}
