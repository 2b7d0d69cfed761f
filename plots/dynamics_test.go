package plots

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

func TestDynamicsNumbers(t *testing.T) {
	run := slm.Curve{Name: "a", Points: []slm.Point{
		{Validation: 9},
		{Step: 1, Tokens: 100, Rate: 1e-3, GradNorm: 2, Seconds: 4},
		{Step: 2, Tokens: 200, Rate: 2e-3, GradNorm: math.NaN(), Seconds: 0.5},
		{Step: 3, Tokens: 300, Rate: 1e-3, GradNorm: 1},
	}}
	n := dynamicsNumbers([]slm.Curve{run, {Name: "a"}})
	if !reflect.DeepEqual(n.names, []string{"a", "a (2)"}) || n.last != 3 {
		t.Errorf("runs %q up to step %d", n.names, n.last)
	}
	for i, want := range [][]sample{
		{single(1, 1, 1e-3), single(2, 2, 2e-3), single(3, 3, 1e-3)},
		{single(1, 1, 2), single(3, 3, 1)},
		{single(1, 1, 25), single(2, 2, 200)},
	} {
		if p := n.panels[i]; !reflect.DeepEqual(p.lines, [][]sample{want, nil}) {
			t.Errorf("%s: %+v, want %+v", p.name, p.lines, want)
		}
	}
	if n.panels[0].high != 2e-3 || n.panels[1].high != 2 || n.panels[2].high != 200 {
		t.Errorf("axes end at %v, %v, %v", n.panels[0].high, n.panels[1].high, n.panels[2].high)
	}
	if got := n.caption(); got != "Fastest: a, 200 tokens/s in the median." {
		t.Errorf("caption %q", got)
	}
}

func TestDynamicsSpike(t *testing.T) {
	run := slm.Curve{}
	for step := 1; step <= 40; step++ {
		run.Points = append(run.Points, slm.Point{Step: step, GradNorm: 0.5})
	}
	run.Points[20].GradNorm = 90
	n := dynamicsNumbers([]slm.Curve{run})
	if p := n.panels[1]; p.high != 0.5 || p.above != 90 {
		t.Errorf("the axis ends at %v, above it up to %v", p.high, p.above)
	}
	if got := n.caption(); !strings.Contains(got, "Above the axis: gradient norm up to 90.") {
		t.Errorf("caption %q", got)
	}
}

func TestDynamicsPictures(t *testing.T) {
	needECharts(t)
	long := slm.Curve{Name: "long"}
	for step := 1; step <= 100_000; step++ {
		long.Points = append(long.Points, slm.Point{Step: step, Tokens: int64(512 * step), Rate: 1 / float64(step), GradNorm: 1 + math.Sin(float64(step)), Seconds: 0.25})
	}
	for _, test := range []struct {
		figure Figure
		want   string
	}{{Dynamics(long), "100,000"}, {Dynamics(), "No step"}, {Dynamics(slm.Curve{Name: "</script>"}), "gradient norm"}} {
		checkPicture(t, test.figure, 60, test.want)
	}
}
