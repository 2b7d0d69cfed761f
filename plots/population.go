package plots

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// Population draws a search: a point for each evaluated candidate, its parameters against its perplexity, coloured by
// generation, with the bin shaded, the elites ringed and the best one named. What halving judged on less text is pale. A point's tooltip tells its whole story.
func Population(p slm.Population) Figure {
	return populationFigure(populationNumbers(p))
}

// population is what the scatter shows.
type population struct {
	name       string
	bin        slm.Bin
	groups     []generationGroup
	elites     []candidate // ascending by loss, the best first
	unfinished int         // candidates without a finite loss, which have no place on the axis
	rungs      int         // of a search with halving: how often its best candidates were judged so far
	judged     int         // evaluations so far
	planned    int         // evaluations of the whole search
	low, high  float64     // loss
	left       float64     // parameters
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
	parameters     int64
	loss, seconds  float64
	rungs          int // with halving, how often it was judged
	layers, embd   int
	heads, ffn     string // range over the kept layers, such as "3-9"
	origin         string
	parents        string
}

// mostGroups keeps colours apart and the legend short.
const mostGroups = 6

func populationNumbers(p slm.Population) population {
	n := population{name: p.Name, bin: p.Search.Bin, judged: p.Evaluations(), planned: p.Search.Evaluations()}
	var drawn []candidate
	for _, c := range p.Candidates {
		if c.Failed() || math.Abs(c.Loss) > mostLoss {
			n.unfinished++
			continue
		}
		drawn = append(drawn, candidateNumbers(p.Teacher, c))
		n.rungs = max(n.rungs, len(c.Rungs))
	}
	n.groups = groupGenerations(drawn, n.rungs)
	n.elites = slices.SortedStableFunc(slices.Values(drawn), func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.rungs, a.rungs), cmp.Compare(a.loss, b.loss))
	})
	n.elites = n.elites[:min(len(drawn), max(1, p.Search.Elites))]
	n.left, n.right = parameterRange(n.bin, drawn)
	n.low, n.high = lossRange(drawn)
	return n
}

// mostLoss is where perplexity leaves the range of a float64.
const mostLoss = 700

func candidateNumbers(teacher slm.Config, c slm.Candidate) candidate {
	kept := c.Subnet.KeptLayers(teacher)
	heads, ffn := make([]int, len(kept)), make([]int, len(kept))
	for i, l := range kept {
		shape := l.Shape(teacher)
		heads[i], ffn[i] = shape.Heads, shape.FFN
	}
	var parents []string
	for _, id := range c.Parents {
		parents = append(parents, fmt.Sprintf("#%d", id))
	}
	return candidate{id: c.ID, generation: c.Generation, parameters: c.Parameters, loss: c.Loss, seconds: c.Seconds,
		rungs: len(c.Rungs), layers: len(kept), embd: c.Subnet.Embd.Len(teacher.Embd), heads: span(heads), ffn: span(ffn),
		origin: c.Origin, parents: strings.Join(parents, " and ")}
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

// parameterRange holds the bin and all points, with a margin.
func parameterRange(bin slm.Bin, drawn []candidate) (left, right float64) {
	left, right = math.Inf(1), math.Inf(-1)
	if bin.Validate() == nil {
		left, right = float64(bin.Lower), float64(bin.Upper)
	}
	for _, c := range drawn {
		left, right = min(left, float64(c.parameters)), max(right, float64(c.parameters))
	}
	if left > right {
		return 0, 1e6
	}
	margin := max((right-left)*0.06, right*0.005)
	return math.Round(left - margin), math.Round(right + margin)
}

// lossRange holds all points, with a margin that leaves room for the best one's label below it.
func lossRange(drawn []candidate) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, c := range drawn {
		low, high = min(low, c.loss), max(high, c.loss)
	}
	if low > high {
		return math.Log(10), math.Log(1e5)
	}
	margin := max(high-low, 0.05)
	return low - margin*0.16, high + margin*0.08
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
		return strings.TrimSpace("No candidate has been evaluated yet. " + n.remark())
	}
	perplexity, parameters := slm.Count(int64(math.Round(math.Exp(min(best.loss, 43))))), slm.Count(best.parameters)
	if n.judged < n.planned {
		return strings.TrimSpace(fmt.Sprintf("%d of %d evaluations. Best so far: perplexity %s with %s parameters. %s",
			n.judged, n.planned, perplexity, parameters, n.remark()))
	}
	return strings.TrimSpace(fmt.Sprintf("Lower is better. The best of %d candidates has perplexity %s with %s parameters. %s",
		n.drawn(), perplexity, parameters, n.remark()))
}

// remark says what else must be known of the points.
func (n population) remark() string {
	switch {
	case n.unfinished > 0:
		return fmt.Sprintf("%d without a finite loss: not drawn.", n.unfinished)
	case slices.ContainsFunc(n.groups, func(g generationGroup) bool { return len(g.early) > 0 }):
		return "Pale: on less text."
	}
	return ""
}

func (n population) drawn() int {
	total := 0
	for _, g := range n.groups {
		total += len(g.candidates) + len(g.early)
	}
	return total
}

// point is a candidate as a datum: where it is, and what its tooltip tells.
func (c candidate) point() opts.ScatterData {
	return opts.ScatterData{Value: []any{c.parameters, rounded(c.loss, 5), c.id, c.generation, html.EscapeString(c.origin),
		c.parents, c.layers, c.embd, c.heads, c.ffn, rounded(c.seconds, 2), c.rungs}}
}

func rounded(v float64, decimals int) float64 {
	scale := math.Pow10(decimals)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return math.Round(v*scale) / scale
}

func points(candidates []candidate) []opts.ScatterData {
	out := make([]opts.ScatterData, len(candidates))
	for i, c := range candidates {
		out[i] = c.point()
	}
	return out
}

// story is the tooltip of a candidate.
const story = `function(p){` + compactNumber + `var v=p.value;if(!v||v.length<11)return"";` +
	`return"<b>candidate #"+v[2]+"</b>, generation "+v[3]+"<br>"+v[4]+(v[5]?" of "+v[5]:"")` +
	`+"<br>perplexity <b>"+n(Math.exp(v[1]))+"</b> (loss "+v[1].toFixed(3)+" nats per token)"` +
	`+"<br>"+v[0].toLocaleString("en")+" parameters"` +
	`+"<br>"+v[6]+" layers, "+v[7]+" embedding dimensions"` +
	`+"<br>in a layer "+v[8]+" heads, "+v[9]+" FFN neurons"` +
	`+(v[10]?"<br>evaluated in "+v[10]+" s":"")+(v[11]?"<br>halving: judged "+v[11]+(v[11]>1?" times":" time"):"")}`

func populationFigure(n population) Figure {
	chart := charts.NewScatter()
	chart.SetGlobalOptions(
		charts.WithTooltipOpts(opts.Tooltip{Trigger: "item", Formatter: opts.FuncOpts(story)}),
		charts.WithXAxisOpts(opts.XAxis{Type: "value", Name: "parameters (millions)", NameLocation: "middle", NameGap: 30,
			Min: n.left, Max: n.right, SplitLine: &opts.SplitLine{Show: opts.Bool(false)},
			AxisLabel: &opts.AxisLabel{Formatter: opts.FuncOpts(fmt.Sprintf(`function(v){return(v/1e6).toFixed(%d)}`, n.decimals())),
				ShowMinLabel: opts.Bool(false), ShowMaxLabel: opts.Bool(false)}}),
		charts.WithYAxisOpts(opts.YAxis{Type: "value", Name: "perplexity (log scale)", NameLocation: "middle", NameGap: 48,
			Min: n.low, Max: n.high,
			AxisLabel: &opts.AxisLabel{Formatter: opts.FuncOpts(`function(v){` + compactNumber + `return n(Math.exp(v))}`)}}),
	)
	shade(chart, n)
	colours := sequential(len(n.groups))
	for i, g := range n.groups {
		chart.AddSeries(g.name(), points(g.candidates), whenMany,
			charts.WithScatterChartOpts(opts.ScatterChart{SymbolSize: 10}),
			charts.WithItemStyleOpts(opts.ItemStyle{Color: colours[i], BorderColor: inkMuted, BorderWidth: 0.7}))
		if len(g.early) > 0 {
			chart.AddSeries(g.name(), points(g.early), whenMany,
				charts.WithScatterChartOpts(opts.ScatterChart{SymbolSize: 7}),
				charts.WithItemStyleOpts(opts.ItemStyle{Color: colours[i], Opacity: opts.Float(0.4)}))
		}
	}
	markElites(chart, n)
	f := New(cmp.Or(strings.TrimSpace("Search "+n.name), "Search"), n.caption(), chart)
	f.frame()
	ticks := perplexityTicks(n.low, n.high)
	f.set("yAxis.0.axisLabel.customValues", ticks)
	f.set("yAxis.0.axisTick.customValues", ticks)
	return f
}

// whenMany draws a thousand points of a colour as one shape.
func whenMany(s *charts.SingleSeries) { s.Large, s.LargeThreshold = opts.Bool(true), 600 }

// decimals of a million that tell neighbouring ticks of the parameter axis apart.
func (n population) decimals() int {
	return max(0, int(math.Ceil(-math.Log10((n.right-n.left)/1e6/5))))
}

// shade draws the bin behind the points, in a series of its own that the reader can switch off.
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
			Label:     &opts.Label{Show: opts.Bool(true), Position: "insideTop", Color: inkMuted, FontSize: 12, LineHeight: 14}}))
}

// markElites rings the elites and names the best.
func markElites(chart *charts.Scatter, n population) {
	best, ok := n.best()
	if !ok {
		return
	}
	hollow := opts.ItemStyle{Color: "transparent", BorderColor: inkText, BorderWidth: 1.5}
	if len(n.elites) > 1 {
		chart.AddSeries("elite", points(n.elites[1:]), charts.WithItemStyleOpts(hollow),
			charts.WithScatterChartOpts(opts.ScatterChart{SymbolSize: 15}))
	}
	chart.AddSeries("best", points(n.elites[:1]),
		charts.WithItemStyleOpts(opts.ItemStyle{Color: categorical[1], BorderColor: inkPaper, BorderWidth: 1}),
		charts.WithScatterChartOpts(opts.ScatterChart{SymbolSize: 17, Symbol: "diamond"}),
		charts.WithLabelOpts(opts.Label{Show: opts.Bool(true), Position: n.labelSide(best), Color: inkText, FontSize: 12, LineHeight: 14, FontWeight: "bold",
			Formatter: opts.FuncOpts(`function(p){` + compactNumber + `return"best: #"+p.value[2]+", "+n(Math.exp(p.value[1]))}`)}))
}

// labelSide keeps the best one's label inside the picture.
func (n population) labelSide(c candidate) string {
	switch at := (float64(c.parameters) - n.left) / (n.right - n.left); {
	case at < 0.12:
		return "right"
	case at > 0.88:
		return "left"
	}
	return "bottom"
}
