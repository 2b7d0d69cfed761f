package plots

import (
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// ParallelCoordinates draws the architectures of a search: a line for each candidate through its sizes and its loss, coloured by
// the loss, the best one strong. Sizes that differ between layers are means over the kept ones. Dragging along an axis selects
// the lines that pass there. What is the same in all candidates has no axis; the caption tells it.
func ParallelCoordinates(p slm.Population) Figure { return parallelFigure(parallelNumbers(p)) }

// dimensions are the axes, in their order; the loss is the last.
var dimensions = []dimension{
	{"layers", "layers"}, {"width", "embedding\nwidth"}, {"heads", "heads\nin a layer"}, {"query groups", "query\ngroups"},
	{"head size", "head\nsize"}, {"FFN neurons", "FFN\nneurons"}, {"parameters", "parameters\n(millions)"}, {"loss", "loss\n(nats/token)"},
}

// dimension is one axis.
type dimension struct{ name, label string } // as the caption and the axis say it

const lossDimension = 7

// parallel is what the figure shows, the worst candidate first, so that the better lie above.
type parallel struct {
	name      string
	lines     []parallelLine
	finished  int
	above     int // candidates whose loss is above the axis
	varying   []int
	same      []string
	low, high [8]float64
}

type parallelLine struct {
	id, generation int
	origin         string
	values         [8]float64 // of the dimensions
}

// mostLines bounds the lines: the best tenth are all among them, and of the rest every so many.
const mostLines = 300

func parallelNumbers(p slm.Population) parallel {
	n := parallel{name: p.Name}
	var losses []float64
	for _, c := range slices.Backward(slm.Elites(p.Candidates, len(p.Candidates))) {
		if placed(c) {
			n.lines = append(n.lines, parallelLine{c.ID, c.Generation, c.Origin, sizes(p.Teacher, c)})
			losses = append(losses, c.Loss)
		}
	}
	n.finished = len(n.lines)
	n.bound(losses)
	n.distinguish()
	if few := mostLines / 10; len(n.lines) > mostLines {
		best := n.lines[len(n.lines)-few:]
		n.lines = append(thinned(n.lines[:len(n.lines)-few], mostLines-few), best...)
	}
	return n
}

// sizes are the values of a candidate.
func sizes(teacher slm.Config, c slm.Candidate) (v [8]float64) {
	kept := c.Subnet.KeptLayers(teacher)
	v[0], v[1] = float64(len(kept)), float64(c.Subnet.Embd.Len(teacher.Embd))
	for _, l := range kept {
		shape, share := l.Shape(teacher), 1/float64(len(kept))
		for i, size := range []int{shape.Heads, shape.QueryGroups, shape.HeadSize, shape.FFN} {
			v[2+i] += float64(size) * share
		}
	}
	v[6], v[lossDimension] = float64(c.Parameters)/1e6, c.Loss
	for i := range v {
		v[i] = rounded(v[i], 5)
	}
	return v
}

// bound finds the range of each axis; outliers do not stretch that of the loss.
func (n *parallel) bound(losses []float64) {
	for i, l := range n.lines {
		for d, v := range l.values {
			if i == 0 {
				n.low[d], n.high[d] = v, v
			}
			n.low[d], n.high[d] = min(n.low[d], v), max(n.high[d], v)
		}
	}
	slices.Sort(losses)
	if top := fence(losses); len(losses) > 0 && top < losses[len(losses)-1] {
		n.high[lossDimension] = rounded(top, 3)
	}
	for i := range n.lines {
		if v := &n.lines[i].values[lossDimension]; *v > n.high[lossDimension] {
			*v = n.high[lossDimension]
			n.above++
		}
	}
}

// distinguish finds the axes that tell candidates apart. Where each head has a query group of its own, these need no axis.
func (n *parallel) distinguish() {
	grouped := slices.ContainsFunc(n.lines, func(l parallelLine) bool { return l.values[2] != l.values[3] })
	for d := range dimensions {
		switch {
		case d == 3 && !grouped:
		case n.high[d] > n.low[d] || d >= 6 || len(n.lines) < 2:
			n.varying = append(n.varying, d)
		default:
			n.same = append(n.same, fmt.Sprintf("%s %g", dimensions[d].name, n.low[d]))
		}
	}
}

func (n parallel) caption() string {
	if len(n.lines) == 0 {
		return "No candidate has been evaluated yet."
	}
	best := n.lines[len(n.lines)-1]
	var remarks []string
	if len(n.same) > 0 {
		remarks = append(remarks, "In all: "+strings.Join(n.same, ", ")+".")
	}
	if n.above > 0 {
		remarks = append(remarks, fmt.Sprintf("Top: %d far worse.", n.above))
	}
	if len(n.lines) < n.finished {
		remarks = append(remarks, fmt.Sprintf("Drawn: %d of %d.", len(n.lines), n.finished))
	}
	return fitted(fmt.Sprintf("Strong: the best, #%d. Drag along an axis to select.", best.id), remarks...)
}

// readingParallel is the tooltip of a line.
const readingParallel = `function(p){var v=p.value,r=function(x){return+x.toFixed(2)};return"<b>candidate #"+v[8]+"</b>, generation "+v[9]+", "+v[10]+"<br>loss <b>"+v[11].toFixed(3)+` +
	`"</b> nats per token<br>"+r(v[6])+" million parameters<br>"+v[0]+" layers, "+v[1]+" embedding dimensions<br>in a layer "+r(v[2])+" heads of "+r(v[4])+" in "+r(v[3])+" query groups, "+r(v[5])+" FFN neurons"}`

func parallelFigure(n parallel) Figure {
	chart := charts.NewParallel()
	chart.SetGlobalOptions(charts.WithTooltipOpts(opts.Tooltip{Trigger: "item", Formatter: opts.FuncOpts(readingParallel)}))
	width, opacity := float32(1.5), float32(0.75)
	if len(n.lines) > 60 {
		width, opacity = 1, 0.4
	}
	add := func(name string, lines []parallelLine, style *opts.LineStyle) {
		data := make([][]any, len(lines))
		for i, l := range lines {
			for _, v := range l.values {
				data[i] = append(data[i], v)
			}
			data[i] = append(data[i], l.id, l.generation, html.EscapeString(l.origin), l.values[lossDimension])
		}
		chart.MultiSeries = append(chart.MultiSeries, charts.SingleSeries{Name: name, Type: "parallel", Data: data, LineStyle: style})
	}
	add("candidates", n.lines, &opts.LineStyle{Width: width, Opacity: opts.Float(opacity)})
	add("best", n.lines[max(0, len(n.lines)-1):], &opts.LineStyle{Color: categorical[1], Width: 3.5, Opacity: opts.Float(1)})
	f := New(strings.TrimSpace("Architectures "+n.name), n.caption(), chart)
	n.place(f)
	return f
}

// place lays out the axes, and the scale of colours below them.
func (n parallel) place(f Figure) {
	var axes []any
	for _, d := range n.varying {
		low, high := n.low[d], n.high[d]
		if low == high {
			low, high = low-1, high+1
		}
		ticks := roundTicks(low, high)
		if len(n.lines) == 0 {
			ticks = []float64{}
		}
		axes = append(axes, map[string]any{"dim": d, "name": dimensions[d].label, "min": low, "max": high,
			"axisTick":  map[string]any{"customValues": ticks, "lineStyle": map[string]any{"color": inkMuted}},
			"axisLabel": map[string]any{"customValues": ticks, "color": inkText, "fontSize": 11, "textBorderColor": inkPaper, "textBorderWidth": 3}})
	}
	line := map[string]any{"lineStyle": map[string]any{"color": inkMuted}}
	f.option["parallelAxis"] = axes
	f.option["parallel"] = map[string]any{"left": 48, "right": 66, "top": 104, "bottom": 66, "parallelAxisDefault": map[string]any{
		"nameGap": 14, "nameTextStyle": map[string]any{"color": inkText, "fontSize": 11, "lineHeight": 13}, "axisLine": line,
		"areaSelectStyle": map[string]any{"width": 18, "borderColor": inkText, "color": inkMuted, "opacity": 0.3}}}
	f.option["legend"] = off()
	f.addTools()
	low, high := n.low[lossDimension], n.high[lossDimension]
	if low == high {
		high++
	}
	f.option["visualMap"] = map[string]any{"type": "continuous", "show": len(n.lines) > 0, "seriesIndex": 0, "dimension": lossDimension, "min": low, "max": high,
		"orient": "horizontal", "left": "center", "bottom": 6, "itemWidth": 12, "itemHeight": 200, "precision": 2, "text": []string{"worse", "better"},
		"textStyle": small(inkText), "inRange": map[string]any{"color": reversed(viridis)}}
	f.dress()
}

func reversed(colours []string) []string {
	out := slices.Clone(colours)
	slices.Reverse(out)
	return out
}
