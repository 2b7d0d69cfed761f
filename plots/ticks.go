package plots

import "math"

// perplexityTicks are round perplexities inside a range of losses, at their logarithms: where an axis of losses shows
// them, it is a logarithmic axis of perplexities.
func perplexityTicks(low, high float64) []float64 {
	for _, mantissas := range [][]float64{{1}, {1, 3}, {1, 2, 5}, {1, 1.5, 2, 3, 5, 7}} {
		var ticks []float64
		for decade := math.Floor(low / math.Ln10); decade <= math.Ceil(high/math.Ln10); decade++ {
			for _, m := range mantissas {
				if t := math.Log(m) + decade*math.Ln10; low <= t && t <= high {
					ticks = append(ticks, t)
				}
			}
		}
		if len(ticks) >= 4 {
			return thinned(ticks, 8)
		}
	}
	return linearTicks(low, high)
}

// logTicks are 1, 2 and 5 times powers of ten for a logarithmic axis, fewer where it is long.
func logTicks(low, high float64) []float64 {
	var ticks []float64
	for _, mantissas := range [][]float64{{1}, {1, 3}, {1, 2, 5}} {
		ticks = ticks[:0]
		for power := math.Floor(math.Log10(low)); power <= math.Ceil(math.Log10(high)); power++ {
			for _, m := range mantissas {
				if t := rounded(m*math.Pow(10, power), 9); low <= t && t <= high {
					ticks = append(ticks, t)
				}
			}
		}
		if len(ticks) >= 4 {
			break
		}
	}
	return ticks
}

// linearTicks serves ranges that are narrow for a logarithm: steps of 1, 2 or 5 in the perplexity.
func linearTicks(low, high float64) []float64 {
	from, to := math.Exp(low), math.Exp(high)
	step := math.Pow(10, math.Floor(math.Log10((to-from)/3)))
	for _, factor := range []float64{5, 2} {
		if (to-from)/(step*factor) >= 3 {
			step *= factor
			break
		}
	}
	var ticks []float64
	for i := math.Ceil(from / step); i*step <= to; i++ {
		ticks = append(ticks, math.Log(i*step))
	}
	return ticks
}

// roundTicks are the multiples of 1, 2 or 5 times a power of ten in a range, from three to seven of them.
func roundTicks(low, high float64) (ticks []float64) {
	decade := math.Pow(10, math.Floor(math.Log10((high-low)/3)))
	step := decade
	for _, factor := range []float64{2, 5, 10} {
		if (high-low)/step > 6 {
			step = decade * factor
		}
	}
	for i := math.Ceil(low/step - 1e-9); i*step <= high+step*1e-9; i++ {
		ticks = append(ticks, rounded(i*step, 9))
	}
	return ticks
}

// thinned keeps at most n of the values, evenly.
func thinned[T any](values []T, n int) []T {
	stride := (len(values) + n - 1) / n
	var out []T
	for i := 0; i < len(values); i += stride {
		out = append(out, values[i])
	}
	return out
}

// compactNumber is JavaScript that writes 12345 as 12.3k.
const compactNumber = `function n(x){var u=["","k","M","B","T"],i=0;while(x>=999.5&&i<4){x/=1000;i++}return x>=1e4?x.toExponential(1):+x.toPrecision(3)+u[i]}`
