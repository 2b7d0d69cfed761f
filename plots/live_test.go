package plots

import (
	"strings"
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

func TestLiveDrawsNowAndThenAndAtTheEnd(t *testing.T) {
	whole := sampleSearch(t, 8, 2)
	var at time.Time
	var drawn []int
	l := &live[slm.Population]{now: func() time.Time { return at }, draw: func(p slm.Population, _ bool) {
		drawn = append(drawn, len(p.Candidates))
		at = at.Add(300 * time.Millisecond)
	}}
	for n := range len(whole.Candidates) {
		p := whole
		p.Candidates = p.Candidates[:n+1]
		l.watch(p, p.Done())
		at = at.Add(700 * time.Millisecond) // an evaluation
	}
	l.watch(whole, true)
	last := len(whole.Candidates)
	// Each drawing takes 0.3 s, so that the next comes 3 s after it began: four evaluations later, but for the first.
	if len(drawn) != 6 || drawn[0] != 1 || drawn[1] != 4 || drawn[2] != 8 || drawn[len(drawn)-1] != last {
		t.Errorf("drawn with %v candidates of %d", drawn, last)
	}
	l.watch(whole, false) // it goes on, too soon to draw
	l.watch(whole, true)
	if len(drawn) != 7 {
		t.Errorf("what went on is drawn %d times, want 7", len(drawn))
	}
}

func TestLiveOutsideANotebook(t *testing.T) {
	Live()(sampleSearch(t, 4, 0)) // has nowhere to draw
	LiveCurves(Steps)(sampleRuns(3)[0], true)
}

func TestMovingPoints(t *testing.T) {
	hostile := slm.Curve{Name: "</script>", Points: []slm.Point{{Step: 7, Validation: 4.125}}}
	script, err := Curves(hostile).moving(`a"b`)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(script, "</script>") != 1 || !strings.Contains(script, "4.125") || !strings.Contains(script, `"a\"b"`) {
		t.Errorf("the script is %s", script)
	}
	if _, err := (Figure{}).moving("a"); err == nil {
		t.Error("the zero Figure moves")
	}
}
