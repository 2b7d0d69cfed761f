package slm

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestDrift(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	noisy := func(loss func(step int) float64) (drifted int, d Drift) {
		for step := range 300 {
			p := Point{Step: step}
			if step > 0 {
				p.CE = loss(step) + 0.3*r.NormFloat64()
			}
			if d.Add(p) {
				return step, d
			}
		}
		return 0, d
	}
	falling := func(step int) float64 { return 3 + 8*math.Exp(-float64(step)/60) }
	for name, c := range map[string]struct {
		loss     func(step int) float64
		from, to int // steps at which it is noticed
	}{
		"falling": {falling, 0, 0},
		"worse at first": {func(step int) float64 {
			if step < 15 {
				return 8 + float64(step)/2
			}
			return falling(step)
		}, 0, 0},
		"a bad batch": {func(step int) float64 {
			if step == 150 {
				return 12
			}
			return falling(step)
		}, 0, 0},
		"two nats higher": {func(step int) float64 {
			if step > 150 {
				return falling(step) + 2.5
			}
			return falling(step)
		}, 155, 200},
		"exploding": {func(step int) float64 {
			if step > 100 {
				return falling(step) * math.Pow(1.1, float64(step-100))
			}
			return falling(step)
		}, 105, 150},
	} {
		at, d := noisy(c.loss)
		if at < c.from || at > c.to {
			t.Errorf("%s: noticed at step %d, want %d to %d", name, at, c.from, c.to)
		}
		if best, loss := d.Good(); c.to > 0 && (best > at-driftPatience || loss > d.Smoothed()-driftRise) {
			t.Errorf("%s: good at step %d with %g, noticed at step %d with %g", name, best, loss, at, d.Smoothed())
		}
	}
	if fresh := (&Drift{}); !math.IsNaN(fresh.Smoothed()) || fresh.Add(Point{}) {
		t.Error("a run without steps has a loss")
	}
}
