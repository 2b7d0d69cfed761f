package slm

import (
	"math"
	"testing"
)

func TestRankCorrelation(t *testing.T) {
	for _, c := range []struct {
		a, b []float64
		want float64
	}{
		{[]float64{1, 2, 3}, []float64{10, 200, 3000}, 1},
		{[]float64{1, 2, 3}, []float64{3, 2, 1}, -1},
		// scipy 1.16 gives 0.8207826816681233 for these: stats.spearmanr([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]).
		{[]float64{1, 2, 3, 4, 5}, []float64{5, 6, 7, 8, 7}, 0.8207826816681233},
	} {
		if got := RankCorrelation(c.a, c.b); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v and %v: %g, want %g", c.a, c.b, got, c.want)
		}
	}
	for _, c := range [][2][]float64{{{1}, {1}}, {{1, 1}, {1, 2}}, {{1, 2}, {1}}, {nil, nil}} {
		if got := RankCorrelation(c[0], c[1]); !math.IsNaN(got) {
			t.Errorf("%v and %v: %g, want NaN", c[0], c[1], got)
		}
	}
}
