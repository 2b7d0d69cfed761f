package plots

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// Savings draws what a study of efficiency found: each point is a run of its own, the held-out loss at its end against the tokens
// it was trained on. Colours are starts, lines are seeds. The dashed line is where the baselines, from random weights, end: where
// a start's line crosses it, it has reached them. An arrow leads back to the mean tokens of the shortest runs that did, with the mean
// of the factors.
func Savings(found ...slm.Seeded) Figure {
	return savingsFigure(savingsNumbers(found))
}

// baselineName is that of the runs from random weights.
const baselineName = "random"

type savingsNumber struct {
	starts []string // the baseline first
	lines  []savingsLine
	target slm.Spread
	least  []slm.Spread // of each start, tokens of the shortest run that reached the target
	fewer  []slm.Spread // of each start, times fewer tokens
}

// savingsLine are the runs of a start and a seed, by their tokens.
type savingsLine struct {
	start  int
	points [][2]float64 // tokens, loss
}

func savingsNumbers(found []slm.Seeded) savingsNumber {
	n := savingsNumber{starts: []string{baselineName}}
	var targets []float64
	starts := map[string]bool{}
	for _, f := range found {
		targets = append(targets, f.Target())
		for start := range f.Runs {
			starts[start] = true
		}
	}
	n.starts, n.target = append(n.starts, slices.Sorted(maps.Keys(starts))...), slm.SpreadOf(targets)
	for i, start := range n.starts {
		var least, fewer []float64
		for _, f := range found {
			runs := f.Runs[start]
			if i == 0 {
				runs = []slm.Curve{f.Baseline}
			}
			line := savingsLine{start: i}
			for _, c := range runs {
				if last := c.Steps(); last > 0 && drawable(c.Validation()) {
					line.points = append(line.points, [2]float64{float64(c.Points[len(c.Points)-1].Tokens), rounded(c.Validation(), 4)})
				}
			}
			slices.SortFunc(line.points, func(a, b [2]float64) int { return int(a[0] - b[0]) })
			n.lines = append(n.lines, line)
			if c, ok := f.Shortest(start); ok {
				least = append(least, float64(c.Points[len(c.Points)-1].Tokens))
				fewer = append(fewer, float64(f.Baseline.Steps())/float64(c.Steps()))
			}
		}
		n.least, n.fewer = append(n.least, slm.SpreadOf(least)), append(n.fewer, slm.SpreadOf(fewer))
	}
	return n
}

// caption says which start saves most.
func (n savingsNumber) caption() string {
	best := 0
	for i, f := range n.fewer {
		if f.Mean > n.fewer[best].Mean {
			best = i
		}
	}
	if best == 0 {
		return "Each point is a run of its own. Dashed: the loss from random weights."
	}
	return fmt.Sprintf("Dashed: where random weights end. %s: %s (%s).",
		cut(n.starts[best], 28), Tokens.times(n.fewer[best].Mean), counted(n.fewer[best].N, "seed"))
}

// readingSavings is the tooltip of a run.
const readingSavings = `function(p){` + compactNumber + `return p.marker+echarts.format.encodeHTML(p.seriesName)+"<br>"+n(p.value[0])+" tokens, held-out loss <b>"+p.value[1].toFixed(3)+"</b>"}`

func savingsFigure(n savingsNumber) Figure {
	scale, low, high := n.scale()
	chart := charts.NewLine()
	chart.SetGlobalOptions(
		charts.WithTooltipOpts(opts.Tooltip{Trigger: "item", Formatter: opts.FuncOpts(readingSavings)}),
		charts.WithXAxisOpts(opts.XAxis{Type: "log", Name: "tokens of training", NameLocation: "middle", NameGap: 30, Min: low, Max: high,
			AxisLabel: &opts.AxisLabel{Formatter: compactLabel},
			SplitLine: &opts.SplitLine{Show: opts.Bool(false)}}),
	)
	scale.addTo(chart)
	for _, l := range n.lines {
		chart.MultiSeries = append(chart.MultiSeries, lineOf(l.start, n.starts[l.start], 1.5, l.points, true))
	}
	f := New("Tokens to a loss", n.caption(), chart)
	f.frame()
	f.placeLossAxes(scale, 0)
	f.logTicks(low, high)
	if n.target.N > 0 && len(n.lines) > 0 {
		f.dash(0, n.target.Mean)
		f.arrows(scale, n.target.Mean, n.arrows())
	}
	return f
}

// arrows are those of the starts that reached the target.
func (n savingsNumber) arrows() []arrow {
	var arrows []arrow
	baseline := n.lines[0].points
	for i, l := range n.lines {
		fewer := n.fewer[l.start]
		first := i == slices.IndexFunc(n.lines, func(other savingsLine) bool { return other.start == l.start })
		if first && l.start > 0 && fewer.N > 0 && len(baseline) > 0 {
			arrows = append(arrows, arrow{i, colourOf(l.start), Tokens.times(fewer.Mean), baseline[len(baseline)-1][0], rounded(n.least[l.start].Mean, 0)})
		}
	}
	return arrows
}

// scale holds all losses; low and high are the range of the tokens.
func (n savingsNumber) scale() (scale lossScale, low, high float64) {
	low = math.Inf(1)
	least, most := math.Inf(1), math.Inf(-1)
	for _, l := range n.lines {
		for _, p := range l.points {
			low, high = min(low, p[0]), max(high, p[0])
			least, most = min(least, p[1]), max(most, p[1])
		}
	}
	if high == 0 {
		return roundScale(0, 1), 1, 10
	}
	return roundScale(least, most), rounded(low/1.2, 0), rounded(high*1.2, 0)
}
