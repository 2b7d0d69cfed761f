package plots

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// scatter is the candidates of a search as points: a cost against the perplexity, coloured by generation.
type scatter struct {
	axis        costAxis
	groups      []generationGroup
	finished    int     // candidates with a place
	above       int     // of them, those whose loss is above the axis
	hidden      int     // of them, those that others cover
	rungs       int     // of a search with halving: how often its best candidates were judged so far
	low, high   float64 // loss
	left, right float64 // cost
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
	cost           float64 // where it stands on the axis
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

func scatterOf(drawn []candidate, left, right float64, cost costName) scatter {
	n := scatter{finished: len(drawn), left: left, right: right, axis: cost.axis(left, right)}
	losses := make([]float64, len(drawn))
	for i, c := range drawn {
		losses[i] = c.loss
		n.rungs = max(n.rungs, c.rungs)
	}
	n.low, n.high, n.above = lossRange(losses)
	seen := thin(drawn, mostPoints, left, right, n.low, n.high)
	n.hidden = len(drawn) - len(seen)
	n.groups = groupGenerations(seen, n.rungs)
	return n
}

// mostLoss is where perplexity leaves the range of a float64.
const mostLoss = 700

// placed reports that a candidate has a perplexity.
func placed(c slm.Candidate) bool { return !c.Failed() && math.Abs(c.Loss) <= mostLoss }

func candidateNumbers(teacher slm.Config, c slm.Candidate, cost float64) candidate {
	kept := c.Subnet.KeptLayers(teacher)
	heads, ffn := make([]int, len(kept)), make([]int, len(kept))
	for i, l := range kept {
		shape := l.Shape(teacher)
		heads[i], ffn[i] = shape.Heads, shape.FFN
	}
	return candidate{id: c.ID, generation: c.Generation, cost: cost, parameters: c.Parameters, flops: c.FLOPs, kvBytes: c.KVBytes,
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

// lossRange holds the points, with a margin that leaves room for the best one's label below it; but for so few that are so bad
// that nobody could tell the others apart, of which it says the number.
func lossRange(losses []float64) (low, high float64, above int) {
	losses = slices.Sorted(slices.Values(losses))
	if len(losses) == 0 {
		return math.Log(10), math.Log(1e5), 0
	}
	low, high = losses[0], losses[len(losses)-1]
	if top := fence(losses); top < high {
		at, _ := slices.BinarySearch(losses, math.Nextafter(top, math.Inf(1)))
		high, above = top, len(losses)-at
	}
	low, high = padded(low, high)
	return low, high, above
}

// padded is a range of losses that is not too narrow for ticks, with a margin.
func padded(low, high float64) (float64, float64) {
	if narrow := 0.1 - (high - low); narrow > 0 {
		low, high = low-narrow/2, high+narrow/2
	}
	margin := high - low
	return low - margin*0.16, high + margin*0.08
}

// remarks say what else must be known of the points, the most important first.
func (n scatter) remarks() (out []string) {
	if slices.ContainsFunc(n.groups, func(g generationGroup) bool { return len(g.early) > 0 }) {
		out = append(out, "Pale: on less text.")
	}
	if n.above > 0 {
		out = append(out, fmt.Sprintf("Top: %d far worse.", n.above))
	}
	if n.hidden > 0 {
		out = append(out, "Crowded: the best.")
	}
	return out
}

// idOfPoint is where a datum has the candidate's ID.
const idOfPoint = 2

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
func (n scatter) points(candidates []candidate) []opts.ScatterData {
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
	`+(v[16]?"<br>1,000 tokens in "+(v[16]<1000?n(v[16])+" ms":n(v[16]/1000)+" s"):"")` +
	`+(v[10]?"<br>evaluated in "+v[10]+" s":"")+(v[11]?"<br>halving: judged "+v[11]+(v[11]>1?" times":" time"):"")` +
	`+(v[17]?"<br><i>the best of "+(v[17]+1)+" in this place</i>":"")}`

func (n scatter) costAxis() opts.XAxis {
	return opts.XAxis{Type: "value", Name: n.axis.name, NameLocation: "middle", NameGap: 30,
		Min: n.left, Max: n.right, SplitLine: &opts.SplitLine{Show: opts.Bool(false)},
		AxisLabel: &opts.AxisLabel{Formatter: opts.FuncOpts(fmt.Sprintf(`function(v){return(v/%g).toFixed(%d)}`, n.axis.unit, n.axis.decimals)),
			ShowMinLabel: opts.Bool(false), ShowMaxLabel: opts.Bool(false)}}
}

// perplexityAxis is an axis of losses that shows perplexities, and setPerplexities its ticks.
func (n scatter) perplexityAxis() opts.YAxis {
	return opts.YAxis{Type: "value", Name: "perplexity (log scale)", NameLocation: "middle", NameGap: 48, Min: n.low, Max: n.high,
		AxisLabel: &opts.AxisLabel{Formatter: perplexityLabel}}
}

func (f Figure) setPerplexities(axis string, low, high float64) {
	setTicks(f, axis+".0", perplexityTicks(low, high))
}

// addGenerations draws the points, smaller where they are many.
func (n scatter) addGenerations(chart *charts.Scatter) {
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
