package slm

import (
	"math"
	"testing"
)

func TestAggregates(t *testing.T) {
	activations := []float64{-1, 2, 3, -6}
	m := Moments{Tokens: 4}
	for _, a := range activations {
		m.Sum, m.Absolute, m.Squares = m.Sum+a, m.Absolute+math.Abs(a), m.Squares+a*a
	}
	for aggregate, want := range map[Aggregate]float64{Mean: 3, Norm: math.Sqrt(12.5), Variance: 12.25} {
		if got := aggregate.Score(m); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s of %v is %g, want %g", aggregate, activations, got, want)
		}
		if err := aggregate.Validate(); err != nil {
			t.Error(err)
		}
	}
	if err := Aggregate("median").Validate(); err == nil {
		t.Error("median is no aggregate")
	}
}
