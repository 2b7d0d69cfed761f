package plots

import (
	"cmp"
	"fmt"
	"html"
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
	name       string
	axis       costAxis
	bin        slm.Bin // zero where the axis has no parameters
	groups     []generationGroup
	elites     []candidate // ascending by loss, the best first
	front      []candidate // of a search for the axis and the loss: ascending by cost
	unfinished int         // candidates without a finite loss, which have no place on the axis
	unmeasured int         // candidates whose cost was not recorded
	finished   int         // candidates with a place
	above      int         // of them, those whose loss is above the axis
	hidden     int         // of them, those that others cover
	rungs      int         // of a search with halving: how often its best candidates were judged so far
	judged     int         // evaluations so far
	planned    int         // evaluations of the whole search
	low, high  float64     // loss
	left       float64     // cost
	right      float64
}

// generationGroup is one colour of the scatter: a generation, or a few of a long search.
type generationGroup struct {
	first, last int
	candidates  []candidate
	early       []candidate // those that halving judged on less text than others
}

// candidate is a point with the numbers that its tooltip tells.
type candidate struct {
	id, generation int
	cost           float64
	parameters     int64
	flops, kvBytes int64 // a token
	loss, seconds  float64
	latency        float64 // seconds for 1,000 tokens
	rungs          int     // with halving, how often it was judged
	layers, embd   int
	heads, ffn     string // range over the kept layers, such as "3-9"
	origin         string
	parents        string
	covers         int // others in the same place
}

// mostGroups keeps colours apart and the legend short.
const mostGroups = 6

func populationNumbers(p slm.Population, cost slm.Objective) population {
	n := population{name: p.Name, judged: p.Evaluations(), planned: p.Search.Evaluations()}
	if cost == slm.MinimizeParameters {
		n.bin = p.Search.Bin
	}
	var drawn []candidate
	for _, c := range p.Candidates {
		switch {
		case c.Failed() || math.Abs(c.Loss) > mostLoss:
			n.unfinished++
		case cost.Of(c) <= 0:
			n.unmeasured++
		default:
			drawn = append(drawn, candidateNumbers(p.Teacher, c, cost))
			n.rungs = max(n.rungs, len(c.Rungs))
		}
	}
	n.finished = len(drawn)
	n.elites = slices.SortedStableFunc(slices.Values(drawn), func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.rungs, a.rungs), cmp.Compare(a.loss, b.loss))
	})
	n.elites = n.elites[:min(len(drawn), max(1, p.Search.Elites))]
	if len(p.Search.Objectives) > 1 && slices.Contains(p.Search.Objectives, cost) && slices.Contains(p.Search.Objectives, slm.MinimizeLoss) {
		n.front = paretoFront(drawn, n.rungs)
	}
	n.left, n.right = costRange(n.bin, drawn)
	n.axis = costs[cost].axis(n.left, n.right)
	n.low, n.high, n.above = lossRange(drawn)
	seen := thin(drawn, n.left, n.right, n.low, n.high)
	n.hidden = len(drawn) - len(seen)
	n.groups = groupGenerations(seen, n.rungs)
	return n
}

// mostLoss is where perplexity leaves the range of a float64.
const mostLoss = 700

func candidateNumbers(teacher slm.Config, c slm.Candidate, cost slm.Objective) candidate {
	kept := c.Subnet.KeptLayers(teacher)
	heads, ffn := make([]int, len(kept)), make([]int, len(kept))
	for i, l := range kept {
		shape := l.Shape(teacher)
		heads[i], ffn[i] = shape.Heads, shape.FFN
	}
	return candidate{id: c.ID, generation: c.Generation, cost: cost.Of(c), parameters: c.Parameters, flops: c.FLOPs, kvBytes: c.KVBytes,
		loss: c.Loss, seconds: c.Seconds, latency: c.Latency, rungs: len(c.Rungs), layers: len(kept), embd: c.Subnet.Embd.Len(teacher.Embd),
		heads: span(heads), ffn: span(ffn), origin: c.Origin, parents: parentNames(c.Parents)}
}

// parentNames is such as "#3 and #5".
func parentNames(ids []int) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = fmt.Sprintf("#%d", id)
	}
	return strings.Join(names, " and ")
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

// span is such as "3-9", or "9" where all are equal.
func span(values []int) string {
	if len(values) == 0 {
		return ""
	}
	low, high := slices.Min(values), slices.Max(values)
	if low == high {
		return fmt.Sprint(low)
	}
	return fmt.Sprintf("%d-%d", low, high)
}

// groupGenerations gives each generation a group, and neighbours a common one where there are more than mostGroups.
func groupGenerations(drawn []candidate, rungs int) []generationGroup {
	if len(drawn) == 0 {
		return nil
	}
	last := 0
	for _, c := range drawn {
		last = max(last, c.generation)
	}
	size := last/mostGroups + 1
	groups := make([]generationGroup, last/size+1)
	for i := range groups {
		groups[i] = generationGroup{first: i * size, last: min(last, i*size+size-1)}
	}
	for _, c := range drawn {
		g := &groups[max(0, c.generation)/size]
		if c.rungs < rungs {
			g.early = append(g.early, c)
		} else {
			g.candidates = append(g.candidates, c)
		}
	}
	return groups
}

func (g generationGroup) name() string {
	if g.first == g.last {
		return fmt.Sprintf("gen %d", g.first)
	}
	return fmt.Sprintf("gen %d-%d", g.first, g.last)
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

// lossRange holds the points, with a margin that leaves room for the best one's label below it; but for so few that are so bad
// that nobody could tell the others apart, of which it says the number.
func lossRange(drawn []candidate) (low, high float64, above int) {
	losses := make([]float64, len(drawn))
	for i, c := range drawn {
		losses[i] = c.loss
	}
	slices.Sort(losses)
	if len(losses) == 0 {
		return math.Log(10), math.Log(1e5), 0
	}
	low, high = losses[0], losses[len(losses)-1]
	if top := fence(losses); top < high {
		at, _ := slices.BinarySearch(losses, math.Nextafter(top, math.Inf(1)))
		high, above = top, len(losses)-at
	}
	margin := max(high-low, 0.05)
	return low - margin*0.16, high + margin*0.08, above
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
	perplexity, parameters := slm.Count(int64(math.Round(math.Exp(min(best.loss, 43))))), slm.Count(best.parameters)
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
	say(n.unfinished > 0, "%d without a finite loss: not drawn.", n.unfinished)
	say(n.unmeasured > 0, "%d not measured: not drawn.", n.unmeasured)
	say(slices.ContainsFunc(n.groups, func(g generationGroup) bool { return len(g.early) > 0 }), "Pale: on less text.")
	say(n.above > 0, "Upper edge: %d far worse.", n.above)
	say(n.hidden > 0, "Where points crowd: the best.")
	return out
}

// point is a candidate as a datum: where it is, and what its tooltip tells.
func (c candidate) point(top float64) opts.ScatterData {
	datum := opts.ScatterData{Value: []any{rounded(c.cost, 6), rounded(min(c.loss, top), 5), c.id, c.generation, html.EscapeString(c.origin),
		c.parents, c.layers, c.embd, c.heads, c.ffn, rounded(c.seconds, 2), c.rungs, rounded(c.loss, 5), c.parameters, c.flops, c.kvBytes,
		rounded(1000*c.latency, 2), c.covers}}
	if c.loss > top {
		datum.Symbol = "triangle"
	}
	return datum
}

func rounded(v float64, decimals int) float64 {
	scale := math.Pow10(decimals)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return math.Round(v*scale) / scale
}

// points are data; those above the top of the axis stand at its edge.
func (n population) points(candidates []candidate) []opts.ScatterData {
	out := make([]opts.ScatterData, len(candidates))
	for i, c := range candidates {
		out[i] = c.point(n.high)
	}
	return out
}

// story is the tooltip of a candidate.
const story = `function(p){` + compactNumber + `var v=p.value;if(!v||v.length<18)return"";` +
	`return"<b>candidate #"+v[2]+"</b>, generation "+v[3]+"<br>"+v[4]+(v[5]?" of "+v[5]:"")` +
	`+"<br>perplexity <b>"+n(Math.exp(v[12]))+"</b> (loss "+v[12].toFixed(3)+" nats per token)"` +
	`+"<br>"+v[13].toLocaleString("en")+" parameters"` +
	`+"<br>"+v[6]+" layers, "+v[7]+" embedding dimensions"` +
	`+"<br>in a layer "+v[8]+" heads, "+v[9]+" FFN neurons"` +
	`+(v[14]?"<br>a token: "+n(v[14])+" FLOPs forward"+(v[15]?", "+n(v[15])+"B of KV cache":""):"")` +
	`+(v[16]?"<br>1,000 tokens in "+n(v[16])+" ms":"")` +
	`+(v[10]?"<br>evaluated in "+v[10]+" s":"")+(v[11]?"<br>halving: judged "+v[11]+(v[11]>1?" times":" time"):"")` +
	`+(v[17]?"<br><i>the best of "+(v[17]+1)+" in this place</i>":"")}`

func populationFigure(n population) Figure {
	chart := charts.NewScatter()
	chart.SetGlobalOptions(
		charts.WithTooltipOpts(opts.Tooltip{Trigger: "item", Formatter: opts.FuncOpts(story)}),
		charts.WithXAxisOpts(opts.XAxis{Type: "value", Name: n.axis.name, NameLocation: "middle", NameGap: 30,
			Min: n.left, Max: n.right, SplitLine: &opts.SplitLine{Show: opts.Bool(false)},
			AxisLabel: &opts.AxisLabel{Formatter: opts.FuncOpts(fmt.Sprintf(`function(v){return(v/%g).toFixed(%d)}`, n.axis.unit, n.axis.decimals)),
				ShowMinLabel: opts.Bool(false), ShowMaxLabel: opts.Bool(false)}}),
		charts.WithYAxisOpts(opts.YAxis{Type: "value", Name: "perplexity (log scale)", NameLocation: "middle", NameGap: 48,
			Min: n.low, Max: n.high,
			AxisLabel: &opts.AxisLabel{Formatter: opts.FuncOpts(`function(v){` + compactNumber + `return n(Math.exp(v))}`)}}),
	)
	shade(chart, n)
	n.addGenerations(chart)
	n.addFront(chart)
	n.markElites(chart)
	f := New(cmp.Or(strings.TrimSpace("Search "+n.name), "Search"), n.caption(), chart)
	f.frame()
	f.set("grid.top", 78) // the bin's name stands below the caption
	ticks := perplexityTicks(n.low, n.high)
	f.set("yAxis.0.axisLabel.customValues", ticks)
	f.set("yAxis.0.axisTick.customValues", ticks)
	return f
}

// addGenerations draws the points, smaller where they are many.
func (n population) addGenerations(chart *charts.Scatter) {
	size := 10
	if n.finished > 300 {
		size = 7
	}
	colours := sequential(len(n.groups))
	for i, g := range n.groups {
		chart.AddSeries(g.name(), n.points(g.candidates), charts.WithScatterChartOpts(opts.ScatterChart{SymbolSize: size}),
			charts.WithItemStyleOpts(opts.ItemStyle{Color: colours[i], BorderColor: inkMuted, BorderWidth: 0.7}))
		if len(g.early) > 0 {
			chart.AddSeries(g.name(), n.points(g.early), charts.WithScatterChartOpts(opts.ScatterChart{SymbolSize: 7}),
				charts.WithItemStyleOpts(opts.ItemStyle{Color: colours[i], Opacity: opts.Float(0.4)}))
		}
	}
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
	chart.MultiSeries = append(chart.MultiSeries, charts.SingleSeries{Name: "Pareto front", Type: "line", Data: steps, Step: "end",
		ShowSymbol: opts.Bool(false), Symbol: "none", ItemStyle: &opts.ItemStyle{Color: categorical[1]}, LineStyle: &opts.LineStyle{Color: categorical[1], Width: 2}})
	chart.AddSeries("Pareto front", n.points(n.front), charts.WithItemStyleOpts(ring(categorical[1])),
		charts.WithScatterChartOpts(opts.ScatterChart{SymbolSize: 14}))
}

func ring(colour string) opts.ItemStyle {
	return opts.ItemStyle{Color: "transparent", BorderColor: colour, BorderWidth: 1.5}
}

// markElites rings the elites and names the best.
func (n population) markElites(chart *charts.Scatter) {
	best, ok := n.best()
	if !ok {
		return
	}
	if len(n.elites) > 1 && len(n.front) == 0 {
		chart.AddSeries("elite", n.points(n.elites[1:]), charts.WithItemStyleOpts(ring(inkText)),
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
