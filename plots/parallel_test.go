package plots

import (
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

func TestParallelNumbers(t *testing.T) {
	teacher, err := slm.Published("smollm2-135m") // 30 layers, 576 wide, 9 heads of 64 in 3 query groups, 1,536 neurons
	if err != nil {
		t.Fatal(err)
	}
	two := slm.Subnet{Embd: slm.First(160), Layers: []slm.LayerSubnet{
		{Layer: 0, Heads: slm.First(3), QueryGroups: slm.First(1), FFN: slm.First(384)}, {Layer: 29, FFN: slm.First(512)}}}
	p := slm.Population{Teacher: teacher, Candidates: []slm.Candidate{
		{ID: 0, Loss: 9, Parameters: 30e6, Subnet: two}, {ID: 1, Loss: 10, Parameters: 135e6}}}
	n := parallelNumbers(p)
	if want := [8]float64{2, 160, 6, 2, 64, 448, 30, 9}; n.lines[1].values != want {
		t.Errorf("sizes %v, want %v", n.lines[1].values, want)
	}
	if want := []int{0, 1, 2, 3, 5, 6, 7}; !reflect.DeepEqual(n.varying, want) {
		t.Errorf("axes %v, want %v", n.varying, want)
	}
	if got := n.caption(); got != "Strong: the best, #0. Drag along an axis to select. In all: head size 64." {
		t.Errorf("caption %q", got)
	}
}

// Of 10,000 lines some hundred are drawn, the best tenth of those without a gap, and an outlier ends at the edge.
func TestManyParallelLines(t *testing.T) {
	needECharts(t)
	p := manyCandidates(10_000)
	p.Candidates[17].Loss = 90
	n := parallelNumbers(p)
	best := slm.Elites(p.Candidates, mostLines/10)
	for i, c := range best {
		if got := n.lines[len(n.lines)-1-i].id; got != c.ID {
			t.Errorf("number %d of the best is #%d, want #%d", i, got, c.ID)
		}
	}
	if len(n.lines) > mostLines || n.above != 1 || n.high[lossDimension] > 30 {
		t.Errorf("%d lines, %d above, to a loss of %g", len(n.lines), n.above, n.high[lossDimension])
	}
	svg, err := parallelFigure(n).SVG()
	if err != nil {
		t.Fatal(err)
	}
	if text := words(t, svg); !strings.Contains(text, "better") || strings.Contains(text, "NaN") || len(svg) > 120<<10 {
		t.Errorf("%d KB:\n%s", len(svg)>>10, text)
	}
}

func TestRoundTicks(t *testing.T) {
	for _, test := range []struct {
		low, high float64
		want      []float64
	}{
		{4, 8, []float64{4, 5, 6, 7, 8}},
		{302, 823, []float64{400, 500, 600, 700, 800}},
		{2.87, 3.69, []float64{3, 3.2, 3.4, 3.6}},
		{-1, 1, []float64{-1, -0.5, 0, 0.5, 1}},
		{160, 448, []float64{200, 250, 300, 350, 400}},
	} {
		if got := roundTicks(test.low, test.high); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%g to %g: %v, want %v", test.low, test.high, got, test.want)
		}
	}
}
