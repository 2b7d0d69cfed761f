package slm

import "math"

// Reach looks for the shortest training that reaches a held-out loss. A learning rate must have fallen for a loss to count, so a
// long run that passes the loss on its way says too little: each horizon is a run of its own, whose schedule ends there.
type Reach struct {
	Guess   int      // the horizon to begin with, in steps
	Longest int      // the longest horizon to try
	Tried   []Trying // in any order
}

// Trying is a run of one horizon, or what is known of it.
type Trying struct {
	Horizon int
	Reached bool
}

// The steps from one horizon to the next, as ratios.
const (
	reachStride = math.Sqrt2 // until the shortest is between two
	reachFine   = 1.2        // then halved, until these are closer than this
)

// shortestHorizon is the least that is tried: what is trained for fewer steps is mostly warm-up.
const shortestHorizon = 8

// Next proposes the next horizon to try; 0 when the shortest is known, or none up to the longest reaches the target. It is a
// pure function of what was tried.
func (r Reach) Next() int {
	below, above := 0, 0 // the longest that failed below the shortest that did not, and that one
	for _, t := range r.Tried {
		if t.Reached && (above == 0 || t.Horizon < above) {
			above = t.Horizon
		}
	}
	for _, t := range r.Tried {
		if !t.Reached && (above == 0 || t.Horizon < above) {
			below = max(below, t.Horizon)
		}
	}
	switch {
	case len(r.Tried) == 0:
		return min(max(r.Guess, shortestHorizon), r.Longest)
	case above == 0 && below >= r.Longest:
		return 0
	case above == 0 && float64(below)*reachStride*reachFine > float64(r.Longest):
		return r.Longest
	case above == 0:
		return scaled(below, reachStride)
	case above <= shortestHorizon || below > 0 && float64(above) < reachFine*float64(below):
		return 0
	case below == 0:
		return max(scaled(above, 1/reachStride), shortestHorizon)
	}
	if middle := scaled(below, math.Sqrt(float64(above)/float64(below))); middle > below && middle < above {
		return middle
	}
	return 0
}

func scaled(steps int, by float64) int { return int(math.Round(float64(steps) * by)) }
