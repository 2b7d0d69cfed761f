package plots

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// Population draws a search: a point for each evaluated candidate, its parameters against its perplexity, coloured by
// generation, with the bin shaded, the elites ringed and the best one named. What halving judged on less text is pale. A point's
// tooltip tells its whole story. A search for several objectives has the first that is not the loss on its axis, and its front.
func Population(p slm.Population) Figure {
	for _, o := range p.Search.Objectives {
		if o != slm.MinimizeLoss {
			return PopulationBy(p, o)
		}
	}
	return PopulationBy(p, slm.MinimizeParameters)
}

// PopulationBy is [Population] against another cost: forward FLOPs and bytes of the KV cache per token, or the measured latency.
func PopulationBy(p slm.Population, cost slm.Objective) Figure {
	if _, known := costs[cost]; !known {
		return Figure{Title: "Search " + p.Name, err: fmt.Errorf("plots.PopulationBy: %q is not a cost to draw against the perplexity; choose one of %q",
			cost, slices.Sorted(maps.Keys(costs)))}
	}
	return populationFigure(populationNumbers(p, cost))
}

// population is what the scatter shows.
type population struct {
	scatter
	name       string
	bin        slm.Bin     // zero where the axis has no parameters
	elites     []candidate // ascending by loss, the best first
	front      []candidate // of a search for the axis and the loss: ascending by cost
	unfinished int         // candidates without a finite loss, which have no place on the axis
	unmeasured int         // candidates whose cost was not recorded
	judged     int         // evaluations so far
	planned    int         // evaluations of the whole search
}

func populationNumbers(p slm.Population, cost slm.Objective) population {
	n := population{name: p.Name, judged: p.Evaluations(), planned: p.Search.Evaluations()}
	if p.Exhausted {
		n.planned = n.judged
	}
	if cost == slm.MinimizeParameters {
		n.bin = p.Search.Bin
	}
	var drawn []candidate
	for _, c := range p.Candidates {
		switch {
		case !placed(c):
			n.unfinished++
		case cost.Of(c) <= 0:
			n.unmeasured++
		default:
			drawn = append(drawn, candidateNumbers(p.Teacher, c, cost.Of(c)))
		}
	}
	left, right := costRange(n.bin, drawn)
	n.scatter = scatterOf(drawn, left, right, costs[cost])
	n.elites = slices.SortedStableFunc(slices.Values(drawn), func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.rungs, a.rungs), cmp.Compare(a.loss, b.loss))
	})
	n.elites = n.elites[:min(len(drawn), max(1, p.Search.Elites))]
	if len(p.Search.Objectives) > 1 && slices.Contains(p.Search.Objectives, cost) && slices.Contains(p.Search.Objectives, slm.MinimizeLoss) {
		n.front = paretoFront(drawn, n.rungs)
	}
	return n
}

// paretoFront are the candidates to which no other is equal or better in both cost and loss, of those judged on the most text;
// ascending by cost.
func paretoFront(drawn []candidate, rungs int) (front []candidate) {
	byCost := slices.SortedStableFunc(slices.Values(drawn), func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(a.loss, b.loss))
	})
	for _, c := range byCost {
		if c.rungs == rungs && (len(front) == 0 || c.loss < front[len(front)-1].loss) {
			front = append(front, c)
		}
	}
	return front
}

// costRange holds the bin and all points, with a margin.
func costRange(bin slm.Bin, drawn []candidate) (left, right float64) {
	left, right = math.Inf(1), math.Inf(-1)
	if bin.Validate() == nil {
		left, right = float64(bin.Lower), float64(bin.Upper)
	}
	for _, c := range drawn {
		left, right = min(left, c.cost), max(right, c.cost)
	}
	if left > right {
		return 0, 1e6
	}
	margin := max((right-left)*0.06, right*0.005)
	return max(0, left-margin), right + margin
}

// best is the candidate with the lowest loss.
func (n population) best() (candidate, bool) {
	if len(n.elites) == 0 {
		return candidate{}, false
	}
	return n.elites[0], true
}

func (n population) caption() string {
	best, ok := n.best()
	if !ok {
		return fitted("No candidate has been evaluated yet.", n.remarks()...)
	}
	perplexity, parameters := perplexityOf(best.loss), slm.Count(best.parameters)
	if n.judged < n.planned {
		return fitted(fmt.Sprintf("%d of %d evaluations. Best so far: perplexity %s with %s parameters.",
			n.judged, n.planned, perplexity, parameters), n.remarks()...)
	}
	return fitted(fmt.Sprintf("The best of %d candidates: perplexity %s with %s parameters.", n.finished, perplexity, parameters), n.remarks()...)
}

// remarks say what else must be known of the points, the most important first.
func (n population) remarks() (out []string) {
	say := func(needed bool, format string, a ...any) {
		if needed {
			out = append(out, fmt.Sprintf(format, a...))
		}
	}
	say(n.unfinished > 0, "%d without a loss.", n.unfinished)
	say(n.unmeasured > 0, "%d not measured.", n.unmeasured)
	return append(out, n.scatter.remarks()...)
}

func populationFigure(n population) Figure {
	chart := charts.NewScatter()
	chart.SetGlobalOptions(
		charts.WithTooltipOpts(opts.Tooltip{Trigger: "item", Formatter: opts.FuncOpts(story)}),
		charts.WithXAxisOpts(n.costAxis()),
		charts.WithYAxisOpts(n.perplexityAxis()),
	)
	shade(chart, n)
	n.addGenerations(chart)
	n.addFront(chart)
	n.markElites(chart)
	f := New(cmp.Or(strings.TrimSpace("Search "+n.name), "Search"), n.caption(), chart)
	f.frame()
	f.addBrush()
	if n.bin.Validate() == nil {
		f.set("grid.top", 78) // its name stands below the caption
	}
	f.setPerplexities("yAxis", n.low, n.high)
	return f
}

// shade draws the bin behind the points, in a series of its own that the reader can switch off. Its name stands above the
// axes, where no point can cover it.
func shade(chart *charts.Scatter, n population) {
	if n.bin.Validate() != nil {
		return
	}
	chart.AddSeries("bin", nil,
		charts.WithItemStyleOpts(opts.ItemStyle{Color: "#999999"}),
		charts.WithScatterChartOpts(opts.ScatterChart{Symbol: "rect"}),
		charts.WithMarkAreaData([]opts.MarkAreaData{{Name: "bin " + n.bin.String(), XAxis: n.bin.Lower}, {XAxis: n.bin.Upper}}),
		charts.WithMarkAreaStyleOpts(opts.MarkAreaStyle{
			ItemStyle: &opts.ItemStyle{Color: "#999999", Opacity: opts.Float(0.14)},
			Label:     &opts.Label{Show: opts.Bool(true), Position: "top", Color: inkMuted, FontSize: 12, LineHeight: 14}}))
}

// addFront joins the front by a staircase: what lies above it is beaten in both.
func (n population) addFront(chart *charts.Scatter) {
	if len(n.front) == 0 {
		return
	}
	steps := make([][2]float64, len(n.front))
	for i, c := range n.front {
		steps[i] = [2]float64{rounded(c.cost, 6), rounded(min(c.loss, n.high), 5)}
	}
	front := line("Pareto front", categorical[1], 2, steps)
	front.Step = "end"
	chart.MultiSeries = append(chart.MultiSeries, front)
	chart.AddSeries("Pareto front", n.points(n.front), charts.WithItemStyleOpts(ring(categorical[1])),
		charts.WithScatterChartOpts(opts.ScatterChart{SymbolSize: 14}))
}

func ring(colour string) opts.ItemStyle {
	return opts.ItemStyle{Color: "transparent", BorderColor: colour, BorderWidth: 1.5}
}

// mostRings bounds the elites that are ringed: of more in one place, the best.
const mostRings = 100

// markElites rings the elites and names the best.
func (n population) markElites(chart *charts.Scatter) {
	best, ok := n.best()
	if !ok {
		return
	}
	if len(n.elites) > 1 && len(n.front) == 0 {
		chart.AddSeries("elite", n.points(thin(n.elites[1:], mostRings, n.left, n.right, n.low, n.high)), charts.WithItemStyleOpts(ring(inkText)),
			charts.WithScatterChartOpts(opts.ScatterChart{SymbolSize: 15}))
	}
	chart.AddSeries("best", n.points(n.elites[:1]),
		charts.WithItemStyleOpts(opts.ItemStyle{Color: categorical[1], BorderColor: inkPaper, BorderWidth: 1}),
		charts.WithScatterChartOpts(opts.ScatterChart{SymbolSize: 17, Symbol: "diamond"}),
		charts.WithLabelOpts(opts.Label{Show: opts.Bool(true), Position: "bottom", Align: n.labelSide(best), Color: inkText, FontSize: 12, LineHeight: 14, FontWeight: "bold",
			Formatter: opts.FuncOpts(`function(p){` + compactNumber + `return"best: #"+p.value[2]+", "+n(Math.exp(p.value[12]))}`)}))
}

// labelSide keeps the best one's label, which stands below it, inside the picture.
func (n population) labelSide(c candidate) string {
	switch at := (c.cost - n.left) / (n.right - n.left); {
	case at < 0.12:
		return "left"
	case at > 0.88:
		return "right"
	}
	return "center"
}
