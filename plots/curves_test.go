package plots

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

func TestCurvesNumbers(t *testing.T) {
	n := curvesNumbers(Steps, []slm.Curve{
		{Name: "a", Points: []slm.Point{
			{Step: 0, Validation: 10.8},
			{Step: 1, Loss: 7, CE: 10},
			{Step: 2, Loss: 9.5},
			{Step: 3, CE: math.NaN(), Validation: math.Inf(1)},
		}},
		{},
	})
	want := []curve{
		{name: "a", seeds: 1, training: []sample{single(1, 1, 10), single(2, 2, 9.5)}, validation: []sample{single(0, 0, 10.8)}},
		{name: "run 2", seeds: 1},
	}
	if !reflect.DeepEqual(n.lines, want) || n.most != 2 {
		t.Errorf("got  %+v up to %v\nwant %+v up to 2", n.lines, n.most, want)
	}
}

// TestSeeds follows two runs of one name that were measured at different steps: the mean is read between them.
func TestSeeds(t *testing.T) {
	n := curvesNumbers(Tokens, []slm.Curve{
		{Name: "a", Points: []slm.Point{{Step: 0, Validation: 8}, {Step: 4, Tokens: 400, Validation: 4}}},
		{Name: "b", Points: []slm.Point{{Step: 4, Tokens: 400, Validation: 3}}},
		{Name: "a", Points: []slm.Point{{Step: 0, Validation: 9}, {Step: 2, Tokens: 300, Validation: 5}, {Step: 6, Tokens: 900, Validation: 3}}},
	})
	want := []curve{
		{name: "a", seeds: 2, validation: []sample{{0, 0, 8.5, 8, 9}, {2, 250, 5.5, 5, 6}, {4, 500, 4, 4, 4}}},
		{name: "b", seeds: 1, validation: []sample{single(4, 400, 3)}},
	}
	if !reflect.DeepEqual(n.lines, want) {
		t.Errorf("got  %+v\nwant %+v", n.lines, want)
	}
	if got := n.caption(""); !strings.Contains(got, "held-out text, 2 seeds. Thin: training. Lowest: b") {
		t.Errorf("caption %q", got)
	}
}

func TestCosts(t *testing.T) {
	teacher, err := slm.Published("pythia-70m")
	if err != nil {
		t.Fatal(err)
	}
	d := slm.Distillation{Batch: 2, SeqLen: 64, Loss: slm.CE(1)}
	alone := float64(d.StepFLOPs(teacher))
	d.Loss = slm.ForwardKL(1)
	taught := float64(d.StepFLOPs(teacher))
	run := slm.Curve{Teacher: teacher, Distillation: d, Changes: []slm.Change{{Step: 2, Loss: slm.CE(1)}}, Points: []slm.Point{
		{}, {Step: 1, Tokens: 128, Seconds: 3}, {Step: 2, Tokens: 256, Seconds: 0.5}, {Step: 3, Tokens: 384, Seconds: 0.5}}}
	for _, test := range []struct {
		cost Cost
		want []float64
	}{
		{Steps, []float64{0, 1, 2, 3}},
		{Tokens, []float64{0, 128, 256, 384}},
		{FLOPs, []float64{0, taught, 2 * taught, 2*taught + alone}},
		{Time, []float64{0, 3, 3.5, 4}},
	} {
		if got := test.cost.of(run); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%d: %v, want %v", test.cost, got, test.want)
		}
	}
	if taught <= alone {
		t.Errorf("a step with the teacher takes %v operations, without %v", taught, alone)
	}
}

func TestUnits(t *testing.T) {
	for _, test := range []struct {
		cost  Cost
		most  float64
		scale float64
		axis  string
	}{
		{Steps, 1e5, 1, "steps"},
		{Tokens, 999, 1, "tokens of training"},
		{Tokens, 1000, 1e3, "tokens of training (thousands)"},
		{Tokens, 2.05e6, 1e6, "tokens of training (millions)"},
		{FLOPs, 7e13, 1e12, "FLOPs of training (×10¹²)"},
		{FLOPs, 3e28, 1e24, "FLOPs of training (×10²⁴)"},
		{Time, 299, 1, "time of training (seconds)"},
		{Time, 400, 60, "time of training (minutes)"},
		{Time, 11000, 3600, "time of training (hours)"},
		{Time, 1e6, 86400, "time of training (days)"},
	} {
		if u := test.cost.unit(test.most); u.scale != test.scale || u.axis != test.axis {
			t.Errorf("%d up to %g: %+v", test.cost, test.most, u)
		}
	}
}

func TestLossScale(t *testing.T) {
	line := func(losses ...float64) (c curve) {
		for i, loss := range losses {
			c.training = append(c.training, single(i+1, float64(i+1), loss))
		}
		return c
	}
	long := make([]float64, 1000) // a fall within the first hundredth
	for i := range long {
		long[i] = 3 + 6/(1+float64(i)/5)
	}
	spike := []float64{5, 4.5, 4, 4, 4, 30, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4}
	rising := []float64{3, 3.2, 3.6, 4, 4.1, 4.1, 4, 4, 4, 4, 3.9, 3.9, 3.9, 3.9}
	for _, test := range []struct {
		name      string
		curves    []curve
		low, high float64
		above     string
	}{
		{"none", nil, 0, 1, ""},
		{"one point", []curve{line(10.5)}, 10.46, 10.54, ""},
		{"few points", []curve{line(10, 3)}, 2, 10, ""},
		{"a long fall", []curve{line(long...)}, 3, 3.3, "Above the axis: up to 9.0."},
		{"a spike", []curve{line(spike...)}, 4, 5, "Above the axis: up to 30.0."},
		{"the spike of one of two", []curve{{name: "a", training: line(spike...).training}, line(4, 5)}, 4, 5, "Above: a, up to 30.0."},
		{"a run that rises and stays", []curve{line(rising...)}, 3, 4.5, ""},
	} {
		s := curvesScale(test.curves)
		if s.above != test.above || math.Abs(s.low-test.low) > 1e-9 || math.Abs(s.high-test.high) > 1e-9 {
			t.Errorf("%s: %+v", test.name, s)
		}
	}
}

func TestEnvelope(t *testing.T) {
	var long []sample
	for i := range 100_000 {
		long = append(long, single(i, float64(i), math.Sin(float64(i))))
	}
	long[54_321].loss = 99 // a spike that no thinning may hide
	short := envelope(long, mostSamples)
	if len(short) > mostSamples {
		t.Errorf("%d samples, want at most %d", len(short), mostSamples)
	}
	spike := false
	for i, s := range short {
		spike = spike || s == long[54_321]
		if i > 0 && s.step <= short[i-1].step {
			t.Fatalf("step %d after %d", s.step, short[i-1].step)
		}
	}
	if !spike || short[0] != long[0] || short[len(short)-1] != long[len(long)-1] {
		t.Errorf("the spike, the first or the last sample is gone")
	}
	if few := long[:10]; !reflect.DeepEqual(envelope(few, mostSamples), few) {
		t.Error("a short curve was changed")
	}
}

func TestCurvesCaption(t *testing.T) {
	for _, test := range []struct {
		runs []slm.Curve
		want string
	}{
		{nil, "No step has been validated yet."},
		{[]slm.Curve{{Name: "a", Points: []slm.Point{{Step: 5, Loss: 3}}}}, "No step has been validated yet."},
		{[]slm.Curve{{Name: "a", Points: []slm.Point{{Step: 5, Validation: 3}}}},
			"Strong: held-out text, 3.000 nats per token after 5 steps. Thin: training."},
		{[]slm.Curve{{Name: "a", Points: []slm.Point{{Step: 5, Validation: 3}}}, {Name: "b", Points: []slm.Point{{Step: 5, Validation: 2}}}},
			"Strong: held-out text. Thin: training. Lowest: b, 2.000 nats per token."},
	} {
		if got := curvesNumbers(Steps, test.runs).caption(""); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}
