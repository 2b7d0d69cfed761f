package slm

import (
	"cmp"
	"fmt"
	"math"
)

// Schedule is a learning rate by step: a linear warm-up to the peak, then a cosine down to the final share of the peak
// at the horizon, and constant from there on (Loshchilov and Hutter 2017, arXiv 1608.03983, without restarts).
type Schedule struct {
	Peak    float64 `json:"peak"`
	Warmup  int     `json:"warmup"`  // steps
	Horizon int     `json:"horizon"` // steps, warm-up included
	Final   float64 `json:"final"`   // share of the peak at the horizon
}

func (s Schedule) withDefaults() Schedule {
	s.Peak = cmp.Or(s.Peak, 1e-3)
	s.Horizon = cmp.Or(s.Horizon, 100)
	s.Warmup = cmp.Or(s.Warmup, max(1, s.Horizon/10))
	s.Final = cmp.Or(s.Final, 0.1)
	return s
}

// Rate is the learning rate of a step, counted from 0.
func (s Schedule) Rate(step int) float64 {
	if step < s.Warmup {
		return s.Peak * float64(step+1) / float64(s.Warmup)
	}
	progress := 1.0
	if s.Horizon > s.Warmup {
		progress = min(1, float64(step-s.Warmup)/float64(s.Horizon-s.Warmup))
	}
	return s.Peak * (s.Final + (1-s.Final)*(1+math.Cos(math.Pi*progress))/2)
}

// Validate reports a schedule that never learns.
func (s Schedule) Validate() error {
	if !(s.Peak > 0) || s.Warmup < 0 || s.Horizon < s.Warmup || s.Final < 0 || s.Final > 1 {
		return fmt.Errorf("schedule: peak %g, warmup %d, horizon %d, final %g: want a positive peak, 0 <= warmup <= horizon, a final share of 0 to 1",
			s.Peak, s.Warmup, s.Horizon, s.Final)
	}
	return nil
}
