package slm

import "math"

// Drift notices a training that goes wrong without an infinite loss: one whose cross-entropy, smoothed, has risen far above
// the lowest that it had, and stays there.
type Drift struct {
	smoothed, lowest float64
	at, seen, above  int
}

// What counts as drift. A single bad batch moves the smoothed loss by a tenth of its height; a student that was cut out of its
// teacher may get worse in its first steps, while its learning rate rises.
const (
	driftSmoothing = 0.1 // share of the newest step
	driftSettled   = 20  // steps before anything counts
	driftRise      = 1.0 // nats per token above the lowest
	driftNoise     = 0.1 // nats per token above the lowest that are nothing
	driftPatience  = 10  // steps in a row
)

// Add takes the next step of a run, and reports whether it has drifted.
func (d *Drift) Add(p Point) bool {
	if p.CE == 0 { // the student before training
		return false
	}
	if d.seen++; d.seen == 1 {
		d.smoothed = p.CE
	}
	d.smoothed += driftSmoothing * (p.CE - d.smoothed)
	if d.seen <= driftSettled || d.smoothed < d.lowest {
		d.lowest = d.smoothed
	}
	if d.smoothed <= d.lowest+driftNoise {
		d.at = p.Step
	}
	if d.smoothed <= d.lowest+driftRise {
		d.above = 0
		return false
	}
	d.above++
	return d.above >= driftPatience
}

// Good is the last step at which the smoothed loss was about the lowest, and the lowest, in nats per token.
func (d *Drift) Good() (step int, loss float64) { return d.at, d.lowest }

// Smoothed is the smoothed loss now; NaN before the first step.
func (d *Drift) Smoothed() float64 {
	if d.seen == 0 {
		return math.NaN()
	}
	return d.smoothed
}
