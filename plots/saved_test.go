package plots

import (
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// sampleSaved are a baseline of two seeds that ends at 3, a run that is there in a tenth of its tokens, a slow one, and one that
// never is.
func sampleSaved() []slm.Curve {
	run := func(name string, steps []int, losses ...float64) slm.Curve {
		c := slm.Curve{Name: name, Points: []slm.Point{{Validation: 9}}}
		for i, step := range steps {
			c.Points = append(c.Points, slm.Point{Step: step, Tokens: int64(1000 * step), Validation: losses[i]})
		}
		return c
	}
	return []slm.Curve{
		run("random", []int{50, 100}, 4.1, 3.1), run("random", []int{50, 100}, 3.9, 2.9),
		run("never", []int{10, 200}, 5, 3.5),
		run("slow", []int{10, 150}, 5, 2.5),
		run("fast", []int{5, 10, 20}, 4, 2.99, 2.8),
	}
}

func TestSavedNumbers(t *testing.T) {
	n := savedNumbers(Tokens, sampleSaved())
	want := []saving{{line: 3, at: 10_000, factor: 10}, {line: 2, at: 150_000, factor: 100.0 / 150}}
	if n.target != 3 || !reflect.DeepEqual(n.savings, want) {
		t.Errorf("target %v, savings %+v, want %+v", n.target, n.savings, want)
	}
	if got := n.caption(); got != "Dashed: 3.000, where random ends, 2 seeds. fast: 10x fewer tokens." {
		t.Errorf("caption %q", got)
	}
	for _, test := range []struct {
		runs []slm.Curve
		want string
	}{
		{nil, "has not been validated"},
		{[]slm.Curve{{Name: "a", Points: []slm.Point{{Validation: 3}}}}, "has not been validated"},
		{sampleSaved()[:3], "No other run has reached it yet"},
	} {
		if got := savedNumbers(Steps, test.runs).caption(); !strings.Contains(got, test.want) {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func TestSavedTimes(t *testing.T) {
	for _, test := range []struct {
		cost   Cost
		factor float64
		want   string
	}{
		{Tokens, 9.24, "9.2x fewer tokens"},
		{FLOPs, 62.48, "62x fewer FLOPs"},
		{Time, 0.5, "2.0x more time"},
		{Time, 2, "2.0x less time"},
		{Steps, 1, "1.0x fewer steps"},
	} {
		if got := test.cost.times(test.factor); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func TestSavedPicture(t *testing.T) {
	needECharts(t)
	checkPicture(t, Saved(Tokens, sampleSaved()...), 60, "10x fewer tokens", "1.5x more tokens", "tokens of training (thousands)", "perplexity")
	checkPicture(t, Saved(FLOPs), 60)
}
