package plots

import (
	"slices"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// sampleScores are of two models in two tasks.
func sampleScores() []slm.Score {
	return []slm.Score{
		{Model: "random", Task: "next_line", Accuracy: 0.31, StdErr: 0.02, Chance: 0.25}, {Model: "<sub-network>", Task: "next_line", Accuracy: 0.52, StdErr: 0.025, Chance: 0.25},
		{Model: "random", Task: "piqa", Accuracy: 0.5, StdErr: 0.01, Chance: 0.5}, {Model: "<sub-network>", Task: "piqa", Accuracy: 0.61, StdErr: 0.01, Chance: 0.5},
	}
}

func TestScoresNumbers(t *testing.T) {
	n := scoresNumbers(sampleScores())
	if want := []string{"next_line", "random", "<sub-network>", "piqa", "random", "<sub-network>"}; !slices.Equal(n.labels, want) {
		t.Errorf("rows %q", n.labels)
	}
	if want := []guess{{25, 1, 2}, {50, 4, 5}}; !slices.Equal(n.guesses, want) {
		t.Errorf("guesses %v", n.guesses)
	}
	if p := n.points[3]; p != (scorePoint{5, 1, 61, 1}) || n.low != 20 || n.high != 70 {
		t.Errorf("point %+v, axis from %g to %g", p, n.low, n.high)
	}
	if f := Scores(); !f.blank() {
		t.Error("a figure of nothing has data")
	}
}

func TestScoresPicture(t *testing.T) {
	needECharts(t)
	checkFitted(t, Scores(sampleScores()...), 40, "next_line", "piqa", "52.0%", "<sub-network>", "accuracy")
}
