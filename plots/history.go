package plots

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

var countOfEvaluations = costName{"evaluations", []unit{{1, ""}}}

// History draws how one search went: a point for each evaluation, the best so far as a staircase, and of each generation the
// median with a band between its quartiles. [Progress] compares several searches.
func History(p slm.Population) Figure {
	return historyFigure(historyNumbers(p, countOfEvaluations, func(slm.Candidate) float64 { return 1 }))
}

// HistoryByTime is [History] against the time that evaluations took, one after the other.
func HistoryByTime(p slm.Population) Figure {
	total, time := 0.0, unit{1, "s"}
	for _, c := range p.Candidates {
		total += c.Seconds
	}
	for _, longer := range []unit{{60, "minutes"}, {3600, "hours"}} {
		if total > longer.size {
			time = longer
		}
	}
	return historyFigure(historyNumbers(p, costName{"time of evaluation", []unit{{1, time.name}}}, func(c slm.Candidate) float64 { return c.Seconds / time.size }))
}

// history is what the figure shows; the cost of a point is all that was spent until then.
type history struct {
	scatter
	name     string
	best     [][2]float64 // spent, loss: each improvement, and the end
	spreads  []generationSpread
	improved float64 // spent at the last improvement
	total    float64
}

// generationSpread are the quartiles of a generation's losses, from its first evaluation to its last.
type generationSpread struct {
	from, to             float64
	lower, median, upper float64
}

func historyNumbers(p slm.Population, axis costName, spends func(slm.Candidate) float64) history {
	n := history{name: p.Name}
	var drawn []candidate
	for _, c := range byEvaluation(p.Candidates) {
		n.total += spends(c)
		if placed(c) {
			drawn = append(drawn, candidateNumbers(p.Teacher, c, n.total))
		}
	}
	right := max(n.total, axis.units[0].size)
	n.scatter = scatterOf(drawn, 0, right*1.02, axis)
	least := math.Inf(1)
	for _, c := range drawn {
		if c.loss < least && c.rungs == n.rungs {
			least, n.improved = c.loss, c.cost
			n.best = append(n.best, [2]float64{c.cost, c.loss})
		}
	}
	if len(n.best) > 0 {
		n.best = append(n.best, [2]float64{n.total, least})
	}
	n.spreads = generationSpreads(drawn)
	return n
}

// byEvaluation is the order in which candidates were evaluated, that of their IDs where no time is recorded.
func byEvaluation(candidates []slm.Candidate) []slm.Candidate {
	return slices.SortedStableFunc(slices.Values(candidates), func(a, b slm.Candidate) int {
		return cmp.Or(cmp.Compare(a.Generation, b.Generation), a.Evaluated.Compare(b.Evaluated), cmp.Compare(a.ID, b.ID))
	})
}

func generationSpreads(drawn []candidate) (out []generationSpread) {
	for first := 0; first < len(drawn); {
		end := first
		var losses []float64
		for ; end < len(drawn) && drawn[end].generation == drawn[first].generation; end++ {
			losses = append(losses, drawn[end].loss)
		}
		slices.Sort(losses)
		out = append(out, generationSpread{drawn[first].cost, drawn[end-1].cost,
			quantile(losses, 0.25), quantile(losses, 0.5), quantile(losses, 0.75)})
		first = end
	}
	return out
}

// quantile of sorted values, interpolated linearly between neighbours (type 7 of Hyndman and Fan 1996, numpy's default).
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	below := int(at)
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (at-float64(below))*(sorted[above]-sorted[below])
}

func (n history) caption() string {
	if len(n.best) == 0 {
		return "No candidate has been evaluated yet."
	}
	if n.improved == n.best[0][0] {
		return fitted("No evaluation after the first is better.", n.remarks()...)
	}
	return fitted(fmt.Sprintf("Perplexity %s falls to %s. Last improvement: after %s of %s %s.", perplexityOf(n.best[0][1]),
		perplexityOf(n.best[len(n.best)-1][1]), n.spent(n.improved), n.spent(n.total), n.axis.unitName), n.remarks()...)
}

func (n history) spent(cost float64) string { return fmt.Sprint(rounded(cost, n.axis.decimals)) }

func historyFigure(n history) Figure {
	chart := charts.NewScatter()
	chart.SetGlobalOptions(
		charts.WithTooltipOpts(opts.Tooltip{Trigger: "item", Formatter: opts.FuncOpts(story)}),
		charts.WithXAxisOpts(n.costAxis()),
		charts.WithYAxisOpts(n.perplexityAxis()),
	)
	n.addGenerations(chart)
	if len(n.best) > 0 {
		n.addLines(chart)
	}
	f := New(strings.TrimSpace("Progress "+n.name), n.caption(), chart)
	f.frame()
	f.addBrush()
	f.setPerplexities("yAxis", n.low, n.high)
	if n.axis.name == countOfEvaluations.words {
		f.set("xAxis.0.minInterval", 1)
	}
	return f
}

func (n history) addLines(chart *charts.Scatter) {
	lower := n.edge(func(s generationSpread) float64 { return s.lower })
	width := n.edge(func(s generationSpread) float64 { return s.upper - s.lower })
	median := n.edge(func(s generationSpread) float64 { return s.median })
	best := line("best so far", categorical[1], 2.5, n.bestLine())
	best.Step = "end"
	chart.MultiSeries = append(chart.MultiSeries, band("quartiles", "median, quartiles", categorical[3], 0.25, lower, width)...)
	chart.MultiSeries = append(chart.MultiSeries, line("median, quartiles", categorical[3], 2.5, median), best)
}

func (n history) bestLine() [][2]float64 {
	out := make([][2]float64, len(n.best))
	for i, p := range n.best {
		out[i] = [2]float64{rounded(p[0], 4), rounded(p[1], 4)}
	}
	return out
}

// edge is a value of each generation, from its first evaluation to its last.
func (n history) edge(of func(generationSpread) float64) (out [][2]float64) {
	for _, s := range n.spreads {
		out = append(out, [2]float64{rounded(s.from, 4), rounded(of(s), 4)})
		if s.to > s.from {
			out = append(out, [2]float64{rounded(s.to, 4), rounded(of(s), 4)})
		}
	}
	return out
}
