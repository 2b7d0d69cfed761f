package plots

import (
	"fmt"
	"math"
	"slices"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
)

// lossScale is an axis of losses.
type lossScale struct {
	low, high float64
	step      float64 // between ticks
	above     string  // a note of what is above it
}

// curvesScale is the axis of curves: from below the lowest loss to above the highest, unless few losses at a run's begin or in
// a spike would take the room of all others. Then these are above the axis, and a note says which.
func curvesScale(curves []curve) lossScale {
	low, highest, begin, most := math.Inf(1), math.Inf(-1), math.Inf(-1), math.Inf(-1)
	top := ""
	for _, c := range curves {
		for _, line := range [][]sample{c.training, c.validation} {
			for i, s := range line {
				low = min(low, s.low)
				if s.high > highest {
					highest, top = s.high, c.name
				}
				if i == 0 {
					begin = max(begin, s.high)
				}
			}
		}
		most = max(most, usual(slices.Concat(c.training, c.validation)))
	}
	if math.IsInf(low, 1) {
		return roundScale(0, 1)
	}
	high := highest
	switch {
	case highest-low > 3*(most-low):
		high = most
	case 2*(highest-low) > 3*(max(begin, most)-low):
		high = max(begin, most)
	}
	s := roundScale(low, high)
	switch {
	case highest <= s.high:
	case len(curves) == 1:
		s.above = fmt.Sprintf("Above the axis: up to %.1f.", highest)
	default:
		s.above = fmt.Sprintf("Above: %s, up to %.1f.", cut(top, 16), highest)
	}
	return s
}

// usual is the value that the highest tenth of samples is above.
func usual(samples []sample) float64 {
	values := ascending(samples)
	if len(values) == 0 {
		return math.Inf(-1)
	}
	return values[(9*(len(values)-1)+9)/10]
}

// ascending are the values of samples in their order.
func ascending(samples []sample) []float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = s.loss
	}
	slices.Sort(values)
	return values
}

// roundScale ends at round numbers.
func roundScale(low, high float64) lossScale {
	s := lossScale{step: roundStep(max(high-low, 0.1) / 5)}
	s.low, s.high = math.Floor(low/s.step)*s.step, math.Ceil(high/s.step)*s.step
	if s.low == s.high {
		s.low, s.high = s.low-2*s.step, s.high+2*s.step
	}
	s.low, s.high = rounded(s.low, 6), rounded(s.high, 6)
	return s
}

// roundStep is the next 1, 2 or 5 times a power of ten.
func roundStep(least float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= least*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// addTo gives a chart the axis of losses on the left and the same as perplexities on the right.
func (s lossScale) addTo(chart *charts.Line) {
	chart.YAxisList = nil
	chart.ExtendYAxis(
		opts.YAxis{Type: "value", Name: "cross-entropy (nats per token)", NameLocation: "middle", NameGap: 40, Min: s.low, Max: s.high},
		opts.YAxis{Type: "value", Name: "perplexity", NameLocation: "middle", NameGap: 40, Min: s.low, Max: s.high, Position: "right",
			SplitLine: &opts.SplitLine{Show: opts.Bool(false)},
			AxisLabel: &opts.AxisLabel{Color: inkMuted, Formatter: perplexityLabel}},
	)
}

// placeLossAxes gives both axes round ticks, and leaves room on the right for values beside the ends of lines.
func (f Figure) placeLossAxes(s lossScale, room int) {
	var ticks []float64
	for i := range int(math.Round((s.high-s.low)/s.step)) + 1 {
		ticks = append(ticks, rounded(s.low+float64(i)*s.step, 6))
	}
	f.set("grid.right", 56+room)
	setTicks(f, "yAxis.0", ticks)
	f.set("yAxis.1.offset", room)
	f.set("yAxis.1.axisLine.show", false)
	f.set("yAxis.1.axisTick.show", false)
	f.set("yAxis.1.axisLabel.customValues", perplexityTicks(s.low, s.high))
}
