package plots

import (
	"math"
	"reflect"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

func TestCurvesNumbers(t *testing.T) {
	got := curvesNumbers([]slm.Curve{
		{Name: "a", Points: []slm.Point{
			{Step: 0, Validation: 10.8},
			{Step: 1, Loss: 7, CE: 10},
			{Step: 2, Loss: 9.5},
			{Step: 3, CE: math.NaN(), Validation: math.Inf(1)},
		}},
		{Name: "a"},
		{},
	})
	want := []curve{
		{name: "a", training: []sample{{1, 10}, {2, 9.5}}, validation: []sample{{0, 10.8}}},
		{name: "a (2)"},
		{name: "run 3"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestEnvelope(t *testing.T) {
	var long []sample
	for i := range 100_000 {
		long = append(long, sample{i, math.Sin(float64(i))})
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
		if got := curvesCaption(curvesNumbers(test.runs)); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}
