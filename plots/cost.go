package plots

import (
	"fmt"
	"math"
	"slices"

	"github.com/offshoot-ml/offshoot/slm"
)

// Cost is what training takes, against which [CurvesBy] and [Saved] draw it.
type Cost int

const (
	Steps  Cost = iota
	Tokens      // predicted in training
	FLOPs       // of the student's training and the teacher's forward passes: see [slm.Distillation.StepFLOPs]
	Time        // of the steps; validation, saving and pauses are left out
)

// of is what a run has cost at each of its points, in steps, tokens, operations or seconds.
func (c Cost) of(r slm.Curve) []float64 {
	out := make([]float64, len(r.Points))
	seconds, flops := 0.0, func(int) float64 { return 0 }
	if c == FLOPs {
		flops = flopsUntil(r)
	}
	for i, p := range r.Points {
		seconds += p.Seconds
		switch c {
		case Tokens:
			out[i] = float64(p.Tokens)
		case FLOPs:
			out[i] = flops(p.Step)
		case Time:
			out[i] = seconds
		default:
			out[i] = float64(p.Step)
		}
	}
	return out
}

// flopsUntil counts a run's operations up to any step. They grow evenly between its changes, so that a long run is not
// counted step by step.
func flopsUntil(r slm.Curve) func(step int) float64 {
	ends := []int{0, r.Steps()}
	for _, change := range r.Changes {
		ends = append(ends, change.Step)
	}
	slices.Sort(ends)
	var line []sample
	for _, end := range slices.Compact(ends) {
		line = append(line, sample{step: end, x: r.Distillation.FLOPs(r.Teacher, end, r.Changes)})
	}
	return func(step int) float64 { return between(line, step).x }
}

// costUnit is how an axis counts: its values are divided by scale.
type costUnit struct {
	scale float64
	axis  string // the axis's name
	short string // behind a number
}

// powers are the names of 1000, 1000², …
var powers = []struct{ long, short, exponent string }{
	{"thousands", "k", "³"}, {"millions", "M", "⁶"}, {"billions", "B", "⁹"}, {"trillions", "T", "¹²"},
	{"quadrillions", "Q", "¹⁵"}, {"10¹⁸", "·10¹⁸", "¹⁸"}, {"10²¹", "·10²¹", "²¹"}, {"10²⁴", "·10²⁴", "²⁴"},
}

// unit is that of an axis which ends at most: it leaves one to four digits before the point.
func (c Cost) unit(most float64) costUnit {
	switch {
	case c == Time && most < 300:
		return costUnit{1, "time of training (seconds)", "s"}
	case c == Time && most < 3*3600:
		return costUnit{60, "time of training (minutes)", "min"}
	case c == Time && most < 3*24*3600:
		return costUnit{3600, "time of training (hours)", "h"}
	case c == Time:
		return costUnit{24 * 3600, "time of training (days)", "days"}
	case c == Steps:
		return costUnit{1, "steps", "steps"}
	}
	power := min(int(math.Log10(max(most, 1))/3+1e-9), len(powers))
	u := costUnit{scale: math.Pow10(3 * power), axis: "tokens of training", short: " tokens"}
	if c == FLOPs {
		u.axis, u.short = "FLOPs of training", " FLOPs"
	}
	switch {
	case power == 0:
	case c == FLOPs:
		u.axis, u.short = fmt.Sprintf("%s (×10%s)", u.axis, powers[power-1].exponent), "·10"+powers[power-1].exponent+u.short
	default:
		u.axis, u.short = fmt.Sprintf("%s (%s)", u.axis, powers[power-1].long), powers[power-1].short+u.short
	}
	return u
}

// name is the cost in a title.
func (c Cost) name() string { return [...]string{"steps", "tokens", "FLOPs", "time"}[c] }

// times says a saving, such as "9.2x fewer tokens".
func (c Cost) times(factor float64) string {
	less := [...]string{"fewer steps", "fewer tokens", "fewer FLOPs", "less time"}[c]
	if factor < 1 {
		factor, less = 1/factor, "more "+c.name()
	}
	if factor < 9.95 {
		return fmt.Sprintf("%.1fx %s", factor, less)
	}
	return fmt.Sprintf("%.0fx %s", factor, less)
}
