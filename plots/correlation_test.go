package plots

import (
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// Four candidates of which the search foresaw the order, and one run of another length.
func TestPredictionNumbers(t *testing.T) {
	var p slm.Population
	var runs []slm.Curve
	p.Teacher = tiny
	for i, loss := range []float64{3, 4, 5, 6} {
		s := slm.Subnet{Embd: slm.First(i + 1)}
		p.Candidates = append(p.Candidates, slm.Candidate{ID: i, Subnet: s, Loss: loss})
		runs = append(runs, slm.Curve{Name: "r", Teacher: tiny, Distillation: slm.Distillation{Subnet: s}, Points: []slm.Point{{Step: 100, Validation: loss / 2}}})
	}
	longer := runs[3]
	longer.Points = []slm.Point{{Step: 200, Validation: 1}}
	n := predictionNumbers(p.Trained(append(runs, longer)...))
	if len(n) != 2 || n[0].name != "100 steps" || len(n[0].points) != 4 || n[0].foresight.Rank != 1 || n[1].points[0] != (beforeAfter{3, "r", 0, 6, 1}) {
		t.Errorf("%+v", n)
	}
	if got := Prediction(p, runs...).Caption; !strings.HasPrefix(got, "Rank correlation 1.00 (") || !strings.HasSuffix(got, "The best before is number 1 of 4 after.") {
		t.Errorf("caption %q", got)
	}
	if got := Prediction(p).Caption; got != "No run has trained a candidate of this search yet." {
		t.Errorf("caption %q", got)
	}
}

// Ten thousand pairs and an outlier on either axis, which is drawn: it says most.
func TestManyPairs(t *testing.T) {
	needECharts(t)
	p := sampleWarm(10_000, 1)
	p.Candidates[5].Untrained, p.Candidates[6].Loss = 80, 90
	if _, right, _, high := ranges(correlationNumbers([]slm.Population{p})); right < 80 || high < 90 {
		t.Errorf("axes to %g and %g do not show the outliers", right, high)
	}
	svg, err := Correlation(p).SVG()
	if err != nil {
		t.Fatal(err)
	}
	if text := words(t, svg); strings.Contains(text, "NaN") || !strings.Contains(text, "perplexity after (log scale)") || len(svg) > 120<<10 {
		t.Errorf("%d KB:\n%s", len(svg)>>10, text)
	}
}
