package kernelext

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

// watchEvery is how long a population grows at least before watchers see it again.
const watchEvery = time.Second

// audience shows watchers a population while it grows. They are called from one goroutine of its own, so that a slow watcher
// holds up nobody else; meanwhile the news add up.
type audience struct {
	empty    bool
	watchers []func(slm.Population) // the goroutine's, until it has left
	read     func() (slm.Population, error)
	stirred  chan struct{} // holds one when there is something new
	over     chan struct{} // closes at the end
	left     chan struct{} // closes when the goroutine has ended

	mu   sync.Mutex
	news []slm.Candidate // not shown yet

	population slm.Population // the goroutine's, until it has left
	failures   []string
}

// audience seats the watchers of a search.
func (c *Client) audience(ctx context.Context, search string, watchers []func(slm.Population)) *audience {
	a := &audience{empty: len(watchers) == 0, watchers: slices.Clone(watchers), stirred: make(chan struct{}, 1), over: make(chan struct{}), left: make(chan struct{}),
		read: func() (slm.Population, error) { return c.Population(ctx, search) }}
	go a.run()
	return a
}

// watch takes an event of the search. It never waits for a watcher.
func (a *audience) watch(e Event) {
	if e.Unit != "evaluations" || a.empty {
		return
	}
	if e.Candidate != nil {
		a.mu.Lock()
		a.news = append(a.news, *e.Candidate)
		a.mu.Unlock()
	}
	select {
	case a.stirred <- struct{}{}:
	default: // it will look anyway
	}
}

func (a *audience) run() {
	defer close(a.left)
	for {
		select {
		case <-a.over:
			return
		case <-a.stirred:
		}
		if !a.catchUp() {
			continue
		}
		a.show(a.population)
		select {
		case <-a.over:
			return
		case <-time.After(watchEvery):
		}
	}
}

// catchUp brings the population up to date; false while there is nothing to see.
func (a *audience) catchUp() bool {
	if a.population.Name == "" {
		p, err := a.read()
		if err != nil {
			return false // not recorded yet; what else is wrong, the search itself says
		}
		a.population = p
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.news {
		a.population.Replace(c)
	}
	a.news = nil
	return len(a.population.Candidates) > 0
}

// end shows the last population, or where the search has none how far it came, and returns what went wrong in watchers.
func (a *audience) end(last slm.Population) []string {
	close(a.over)
	<-a.left
	if last.Name == "" && a.catchUp() {
		last = a.population
	}
	if last.Name != "" {
		a.show(last)
	}
	return a.failures
}

// show calls each watcher with a population of its own. One that panics is not called again.
func (a *audience) show(p slm.Population) {
	a.watchers = slices.DeleteFunc(a.watchers, func(watcher func(slm.Population)) (failed bool) {
		defer func() {
			if trouble := recover(); trouble != nil {
				a.failures = append(a.failures, fmt.Sprintf("a watcher failed, and was not called again: %v", trouble))
				failed = true
			}
		}()
		mine := p
		mine.Candidates = slices.Clone(p.Candidates)
		watcher(mine)
		return false
	})
}
