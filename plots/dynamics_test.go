package plots

import (
	"fmt"
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

func TestTimeShares(t *testing.T) {
	run := func(name string, spent ...slm.Spent) slm.Curve {
		c := slm.Curve{Name: name, Points: []slm.Point{{}}}
		for i, s := range spent {
			c.Points = append(c.Points, slm.Point{Step: i + 1, Spent: s})
		}
		return c
	}
	n := dynamicsNumbers([]slm.Curve{run("a", slm.Spent{Data: 1, Teacher: 2}, slm.Spent{Teacher: 4, Checkpoint: 1}), run("old", slm.Spent{}), {Name: "new"}}).time
	if want := (timeShares{names: []string{"a"}, spent: []slm.Spent{{Data: 1, Teacher: 6, Checkpoint: 1}}, of: 1}); !reflect.DeepEqual(n, want) {
		t.Errorf("%+v, want %+v", n, want)
	}
	if numbers, names := n.parts(); !reflect.DeepEqual(numbers, []int{0, 1, 4}) || !reflect.DeepEqual(names, []string{"data", "teacher", "checkpoint"}) {
		t.Errorf("parts %v, %q", numbers, names)
	}
	if got := n.most(); !reflect.DeepEqual(got, []string{"Most time: teacher, 75%."}) || n.axis() != "share of time (%)" {
		t.Errorf("%q, axis %q", got, n.axis())
	}
	var runs []slm.Curve
	for i := range 15 { // the first and the last two are the shortest
		runs = append(runs, run(fmt.Sprint(i), slm.Spent{Student: float64(min(i, 14-i, 2)) + 0.5}))
	}
	n = dynamicsNumbers(append(runs, run("no time"))).time
	if got := strings.Join(n.names, " "); got != "1 2 3 4 5 6 7 8 9 10 11 12" || n.axis() != "share of time (%) in the 12 longest of 15 runs" {
		t.Errorf("bars of %s, axis %q", got, n.axis())
	}
}

func TestDynamicsPictures(t *testing.T) {
	needECharts(t)
	long := slm.Curve{Name: "long"}
	for step := 1; step <= 100_000; step++ {
		long.Points = append(long.Points, slm.Point{Step: step, Tokens: int64(512 * step), Rate: 1 / float64(step), GradNorm: 1 + math.Sin(float64(step)), Seconds: 0.25})
	}
	timed := slm.Curve{Name: "<timed>", Points: []slm.Point{{Step: 1, Tokens: 512, Rate: 1e-3, GradNorm: 1, Seconds: 0.25, Spent: slm.Spent{Student: 4, Validation: 1}}}}
	for _, test := range []struct {
		figure Figure
		want   string
	}{{Dynamics(long), "100,000"}, {Dynamics(long, timed), "share of time (%)\n"}, {Dynamics(timed), "Most time: student, 80%."}, {Dynamics(), "No step"},
		{Dynamics(slm.Curve{Name: "</script>"}), "gradient norm"}} {
		checkPicture(t, test.figure, 60, test.want)
	}
}
