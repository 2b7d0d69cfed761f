package plots

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

// sampleHistory is two generations of known losses, each evaluation of 30 s, recorded in another order than proposed.
func sampleHistory() slm.Population {
	p := slm.Population{Name: "h"}
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, at := range []struct {
		after int // minutes
		loss  float64
	}{{2, 4}, {1, 5}, {3, 6}, {4, math.Inf(1)}, {6, 3}, {5, 5}} {
		p.Candidates = append(p.Candidates, slm.Candidate{ID: i, Generation: i / 4, Loss: at.loss, Seconds: 30, Parameters: 4e6,
			Evaluated: began.Add(time.Duration(at.after) * time.Minute)})
	}
	return p
}

func TestHistoryNumbers(t *testing.T) {
	n := historyNumbers(sampleHistory(), countOfEvaluations, func(slm.Candidate) float64 { return 1 })
	if want := [][2]float64{{1, 5}, {2, 4}, {6, 3}, {6, 3}}; !reflect.DeepEqual(n.best, want) {
		t.Errorf("best %v, want %v", n.best, want)
	}
	want := []generationSpread{{1, 3, 4.5, 5, 5.5}, {5, 6, 3.5, 4, 4.5}}
	if !reflect.DeepEqual(n.spreads, want) {
		t.Errorf("spreads %v, want %v", n.spreads, want)
	}
	if got := n.caption(); got != "Perplexity 148 falls to 20.1. Last improvement: after 6 of 6 evaluations." {
		t.Errorf("caption %q", got)
	}
	if got := HistoryByTime(sampleHistory()).Caption; !strings.HasSuffix(got, "after 3 of 3 minutes.") {
		t.Errorf("caption %q", got)
	}
	p := sampleHistory()
	p.Candidates = p.Candidates[:1]
	if got := History(p).Caption; got != "No evaluation after the first is better." {
		t.Errorf("caption %q", got)
	}
}

// With numpy 2: numpy.quantile([1, 2, 4, 8], [.25, .5, .75]) is [1.75, 3, 5].
func TestQuantile(t *testing.T) {
	for q, want := range map[float64]float64{0: 1, 0.25: 1.75, 0.5: 3, 0.75: 5, 1: 8} {
		if got := quantile([]float64{1, 2, 4, 8}, q); got != want {
			t.Errorf("quantile %g is %g, want %g", q, got, want)
		}
	}
}

// The first evaluation is broken: the axis ends before it and the caption says where the line begins.
func TestProgressIsNotStretchedByTheFirst(t *testing.T) {
	for name, losses := range map[string][]float64{
		"falling":             {12, 4, 3.9, 3.8, 3.7, 3.6, 3.5, 3.4, 3.3, 3.2},
		"the others are poor": {12, 4, 11, 11, 10, 11, 3.9, 11, 12, 10},
	} {
		p := slm.Population{}
		for i, loss := range losses {
			p.Candidates = append(p.Candidates, slm.Candidate{ID: i, Loss: loss})
		}
		n := progressNumbers([]slm.Repeated{{Searches: []slm.Population{p}}})
		if n.top > 6 || n.top < 4 || n.highest() != 12 || !strings.HasPrefix(n.caption(), "Begins at 12.0. ") {
			t.Errorf("%s: the axis ends at %g, the line begins at %g: %q", name, n.top, n.highest(), n.caption())
		}
	}
}

// A zoom that filters drops the upper part of a band, a difference that lies outside the axis: no band would show in a browser.
func TestZoomingDoesNotFilter(t *testing.T) {
	for _, f := range []Figure{History(sampleHistory()), Progress(sampleFound()[:2]...)} {
		if text, err := f.script(); err != nil || !strings.Contains(text, `"filterMode":"none"`) {
			t.Errorf("%s: the zoom filters (%v)", f.Title, err)
		}
	}
}

func TestHistoryPictures(t *testing.T) {
	needECharts(t)
	for name, test := range map[string]struct {
		figure   Figure
		contains []string
	}{
		"evaluations": {History(sampleSearch(t, 16, 4)), []string{"Progress 30M", "evaluations", "best so far", "median, quartiles", "perplexity (log scale)"}},
		"time":        {HistoryByTime(sampleHistory()), []string{"time of evaluation (minutes)"}},
		"nothing":     {History(slm.Population{}), []string{"No candidate"}},
		"long":        {History(manyCandidates(10_000)), []string{"gen 35-39"}},
	} {
		t.Run(name, func(t *testing.T) { checkFitted(t, test.figure, 120, test.contains...) })
	}
}
