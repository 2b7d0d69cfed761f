package plots

import (
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/offshoot-ml/offshoot/slm"
)

// Live shows a search while it runs: a watcher for a lab's Search, which draws [Population] in one output and updates it in
// place. It draws every few seconds at most, and the finished search always. Outside a notebook it does nothing.
func Live() func(slm.Population) {
	if !gonbui.IsNotebook {
		return func(slm.Population) {}
	}
	name := "offshoot-" + gonbui.UniqueId()
	l := &live{now: time.Now, draw: func(p slm.Population) { Update(name, Population(p)) }}
	return l.watch
}

// Drawing takes 60 to 400 ms, on the processor that evaluates the candidates: it must not take more than a tenth of the time.
const (
	liveEvery = 2 * time.Second
	liveShare = 10
)

// live decides when a growing population is drawn.
type live struct {
	now  func() time.Time
	draw func(slm.Population)

	next time.Time // not before
	done bool      // the finished search is drawn
}

func (l *live) watch(p slm.Population) {
	began, finished := l.now(), p.Done()
	if len(p.Candidates) == 0 || l.done || !finished && began.Before(l.next) {
		return
	}
	l.draw(p)
	l.done = finished
	l.next = began.Add(max(liveEvery, liveShare*l.now().Sub(began)))
}
