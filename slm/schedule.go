package slm

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Decay is the shape in which a learning rate falls after its warm-up.
type Decay string

// The shapes. All end at the final share of the peak.
const (
	CosineDecay Decay = ""       // half a cosine (Loshchilov and Hutter 2017, arXiv 1608.03983, without restarts)
	LinearDecay Decay = "linear" // a straight line
	WSD         Decay = "wsd"    // warm-up, stable, decay: at the peak, then a straight line at the end (Hu et al. 2024, arXiv 2404.06395, section 4; Hägele et al. 2024, arXiv 2405.18392)
)

// Schedule is a learning rate by step: a linear warm-up to the peak, then a decay to the final share of the peak at the
// horizon, and constant from there on.
type Schedule struct {
	Peak    float64 `json:"peak"`
	Warmup  int     `json:"warmup"`  // steps
	Horizon int     `json:"horizon"` // steps, warm-up included
	Final   float64 `json:"final"`   // share of the peak at the horizon
	Decay   Decay   `json:"decay,omitzero"`
	Falling int     `json:"falling,omitzero"` // steps before the horizon in which WSD falls
}

func (s Schedule) withDefaults() Schedule {
	s.Peak = cmp.Or(s.Peak, 1e-3)
	s.Horizon = cmp.Or(s.Horizon, 100)
	s.Warmup = cmp.Or(s.Warmup, max(1, s.Horizon/10))
	s.Final = cmp.Or(s.Final, 0.1)
	if s.Decay == WSD {
		s.Falling = cmp.Or(s.Falling, max(1, (s.Horizon-s.Warmup)/5))
	}
	return s
}

// Rate is the learning rate of a step, counted from 0.
func (s Schedule) Rate(step int) float64 {
	if step < s.Warmup {
		return s.Peak * float64(step+1) / float64(s.Warmup)
	}
	begin := s.Warmup
	if s.Decay == WSD {
		begin = s.Horizon - s.Falling
	}
	progress := 1.0
	if s.Horizon > begin {
		progress = max(0, min(1, float64(step-begin)/float64(s.Horizon-begin)))
	}
	height := 1 - progress
	if s.Decay == CosineDecay {
		height = (1 + math.Cos(math.Pi*progress)) / 2
	}
	return s.Peak * (s.Final + (1-s.Final)*height)
}

// String is such as "warm-up to 0.001 at step 10, half a cosine to 0.1 of it at step 100".
func (s Schedule) String() string {
	decay := "half a cosine"
	switch s.Decay {
	case LinearDecay:
		decay = "a straight line"
	case WSD:
		decay = fmt.Sprintf("constant until step %d, a straight line", s.Horizon-s.Falling)
	}
	return fmt.Sprintf("warm-up to %g at step %d, %s to %g of it at step %d", s.Peak, s.Warmup, decay, s.Final, s.Horizon)
}

// Validate reports a schedule that never learns.
func (s Schedule) Validate() error {
	if !(s.Peak > 0) || s.Warmup < 0 || s.Horizon < s.Warmup || !(s.Final >= 0) || s.Final > 1 {
		return fmt.Errorf("schedule: peak %g, warmup %d, horizon %d, final %g: want a positive peak, 0 <= warmup <= horizon, a final share of 0 to 1",
			s.Peak, s.Warmup, s.Horizon, s.Final)
	}
	if !slices.Contains([]Decay{CosineDecay, LinearDecay, WSD}, s.Decay) {
		return fmt.Errorf("schedule: decay %q is unknown; want none for a cosine, %q or %q", s.Decay, LinearDecay, WSD)
	}
	if s.Falling < 0 || s.Falling > s.Horizon-s.Warmup || s.Falling > 0 && s.Decay != WSD {
		return fmt.Errorf("schedule: it falls in %d steps: that is for decay %q, and at most the %d between warm-up and horizon", s.Falling, WSD, s.Horizon-s.Warmup)
	}
	return nil
}
