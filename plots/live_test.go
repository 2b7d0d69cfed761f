package plots

import (
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

func TestLiveDrawsNowAndThenAndAtTheEnd(t *testing.T) {
	whole := sampleSearch(t, 8, 2)
	var at time.Time
	var drawn []int
	l := &live{now: func() time.Time { return at }, draw: func(p slm.Population) {
		drawn = append(drawn, len(p.Candidates))
		at = at.Add(300 * time.Millisecond)
	}}
	for n := range len(whole.Candidates) + 1 {
		p := whole
		p.Candidates = p.Candidates[:n]
		l.watch(p)
		at = at.Add(700 * time.Millisecond) // an evaluation
	}
	l.watch(whole)
	last := len(whole.Candidates)
	// Each drawing takes 0.3 s, so that the next comes 3 s after it began: four evaluations later.
	if len(drawn) != 6 || drawn[0] != 1 || drawn[1] != 5 || drawn[len(drawn)-1] != last {
		t.Errorf("drawn with %v candidates of %d", drawn, last)
	}
}

func TestLiveOutsideANotebook(t *testing.T) {
	Live()(sampleSearch(t, 4, 0)) // has nowhere to draw
}
