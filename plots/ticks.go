package plots

import (
	"fmt"
	"math"

	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// perplexityTicks are round perplexities inside a range of losses, at their logarithms: where an axis of losses shows
// them, it is a logarithmic axis of perplexities.
func perplexityTicks(low, high float64) []float64 {
	perplexity := func(m, decade float64) float64 { return math.Log(m) + decade*math.Ln10 }
	ticks := decadeTicks(low, high, low/math.Ln10, high/math.Ln10, perplexity, []float64{1}, []float64{1, 3}, []float64{1, 2, 5}, []float64{1, 1.5, 2, 3, 5, 7})
	if len(ticks) < enoughTicks {
		return linearTicks(low, high)
	}
	return thinned(ticks, 8)
}

// logTicks are 1, 2 and 5 times powers of ten for a logarithmic axis, fewer where it is long.
func logTicks(low, high float64) []float64 {
	power := func(m, decade float64) float64 { return rounded(m*math.Pow(10, decade), 9) }
	return decadeTicks(low, high, math.Log10(low), math.Log10(high), power, []float64{1}, []float64{1, 3}, []float64{1, 2, 5})
}

// enoughTicks are as many as an axis should have.
const enoughTicks = 4

// decadeTicks are the places at of mantissas in each decade, those of the first list that gives enough of them inside a range, else
// of the last.
func decadeTicks(low, high, firstDecade, lastDecade float64, at func(mantissa, decade float64) float64, mantissas ...[]float64) (ticks []float64) {
	for _, list := range mantissas {
		ticks = nil
		for decade := math.Floor(firstDecade); decade <= math.Ceil(lastDecade); decade++ {
			for _, m := range list {
				if t := at(m, decade); low <= t && t <= high {
					ticks = append(ticks, t)
				}
			}
		}
		if len(ticks) >= enoughTicks {
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

// spread picks at most n of the values, evenly, the first and the last among them; at least those.
func spread[T any](values []T, n int) []T {
	n = max(2, n)
	if len(values) <= n {
		return values
	}
	out := make([]T, n)
	for i := range out {
		out[i] = values[i*(len(values)-1)/(n-1)]
	}
	return out
}

// setTicks gives an axis, such as "xAxis.0", its ticks and labels.
func setTicks[T any](f Figure, axis string, ticks []T) {
	f.set(axis+".axisLabel.customValues", ticks)
	f.set(axis+".axisTick.customValues", ticks)
}

// hiddenAxis is an axis that only places what is drawn.
func hiddenAxis(size int, inverse bool) []any {
	return []any{map[string]any{"type": "value", "min": 0, "max": size, "inverse": inverse, "show": false}}
}

// perplexityOf is a loss as a perplexity, in about three digits.
func perplexityOf(loss float64) string {
	perplexity := math.Exp(min(loss, 43)) // more does not fit an integer
	if perplexity < 100 {
		return fmt.Sprintf("%.1f", perplexity)
	}
	return slm.Count(int64(math.Round(perplexity)))
}

// compactNumber is JavaScript that writes 12345 as 12.3k.
const compactNumber = `function n(x){var u=["","k","M","B","T"],i=0;while(x>=999.5&&i<4){x/=1000;i++}return x>=1e4?x.toExponential(1):+x.toPrecision(3)+u[i]}`

// compactLabel writes the numbers of an axis so, and perplexityLabel those of an axis of losses as perplexities.
var (
	compactLabel    = opts.FuncOpts(`function(v){` + compactNumber + `return n(v)}`)
	perplexityLabel = opts.FuncOpts(`function(v){` + compactNumber + `return n(Math.exp(v))}`)
)
