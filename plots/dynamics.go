package plots

import (
	"fmt"
	"math"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// Dynamics draws how runs are trained, against their steps, in panels below each other: the learning rate, the norm of the
// gradient before it is clipped, and the throughput in tokens a second, validation and saving left out. A colour is a run. Below them
// a bar for each run that recorded it says which part of a step takes how much of the time, validation and saving included.
func Dynamics(runs ...slm.Curve) Figure {
	return dynamicsFigure(dynamicsNumbers(runs))
}

type dynamics struct {
	names  []string // of the runs
	panels []tracePanel
	last   int // step
	time   timeShares
}

// tracePanel is one of the pictures below each other; lines are those of the runs.
type tracePanel struct {
	name  string
	lines [][]sample
	high  float64 // where the axis ends
	above float64 // the highest value, where it is above the axis
}

// traces are what a point records of the training; 0 where it does not.
var traces = []struct {
	name string
	of   func(before, p slm.Point) float64
}{
	{"learning rate", func(_, p slm.Point) float64 { return p.Rate }},
	{"gradient norm", func(_, p slm.Point) float64 { return p.GradNorm }},
	{"tokens/s", func(before, p slm.Point) float64 {
		if p.Seconds <= 0 {
			return 0
		}
		return float64(p.Tokens-before.Tokens) / p.Seconds
	}},
}

func dynamicsNumbers(runs []slm.Curve) dynamics {
	n := dynamics{last: 1, panels: make([]tracePanel, len(traces))}
	for _, group := range byName(runs) {
		for i, r := range group.runs {
			name := group.name
			if i > 0 { // the legend switches by name
				name = fmt.Sprintf("%s (%d)", name, i+1)
			}
			n.names, n.last = append(n.names, name), max(n.last, r.Steps())
			n.time.add(name, r)
		}
		for i, trace := range traces {
			for _, r := range group.runs {
				n.panels[i].lines = append(n.panels[i].lines, traced(r, trace.of))
			}
		}
	}
	for i, trace := range traces {
		n.panels[i].name = trace.name
		n.panels[i].fit()
	}
	n.time.fit()
	return n
}

// traced is what a run recorded.
func traced(r slm.Curve, of func(before, p slm.Point) float64) []sample {
	var line []sample
	before := slm.Point{}
	for _, p := range r.Points {
		if v := of(before, p); p.Step > 0 && drawable(v) {
			line = append(line, single(p.Step, float64(p.Step), v))
		}
		before = p
	}
	return line
}

// fit ends the axis above the highest value, unless few values take half of the room: a spike.
func (p *tracePanel) fit() {
	highest, most := 0.0, 0.0
	for _, line := range p.lines {
		most = max(most, usual(line))
		for _, s := range line {
			highest = max(highest, s.loss)
		}
	}
	high := highest
	if high > 2*most {
		high = most
	}
	if high == 0 {
		p.high = 1
		return
	}
	step := roundStep(high / 2)
	if p.high = rounded(math.Ceil(high/step-1e-9)*step, 12); highest > p.high {
		p.above = highest
	}
}

// median is the middle value of a line; 0 of none.
func median(line []sample) float64 {
	if len(line) == 0 {
		return 0
	}
	return ascending(line)[len(line)/2]
}

func (n dynamics) caption() string {
	fastest, most := 0, 0.0
	for i, line := range n.panels[2].lines {
		if m := median(line); m > most {
			fastest, most = i, m
		}
	}
	text := "No step has been recorded yet."
	switch {
	case most > 0 && len(n.names) == 1:
		text = fmt.Sprintf("In the median a gradient norm of %.2g and %s tokens/s.", median(n.panels[1].lines[0]), slm.Count(int64(most)))
	case most > 0:
		text = fmt.Sprintf("Fastest: %s, %s tokens/s in the median.", cut(n.names[fastest], 30), slm.Count(int64(most)))
	}
	for _, p := range n.panels {
		if p.above > 0 {
			text += fmt.Sprintf(" Above the axis: %s up to %.3g.", p.name, p.above)
		}
	}
	if len(n.names) == 1 {
		text = fitted(text, n.time.most()...)
	}
	return text
}

// readingDynamics is the tooltip of a step: what each panel shows of each run.
const readingDynamics = `function(ps){if(!ps.length)return"";var e=echarts.format.encodeHTML,at={};ps.forEach(function(p){(at[p.seriesName]=at[p.seriesName]||[p.marker+e(p.seriesName)]).push(` +
	`["learning rate ","gradient norm ","tokens/s "][+p.seriesId.split("-")[0]]+"<b>"+(+p.value[1].toPrecision(3)).toLocaleString("en",{maximumSignificantDigits:3})+"</b>")});` +
	`return"<b>step "+ps[0].value[0]+"</b><br>"+Object.keys(at).map(function(k){return at[k][0]+" "+at[k].slice(1).join(", ")}).join("<br>")}`

// panelHeight is that of a panel, and panelGap the room between two, in pixels.
const (
	panelHeight = 96
	panelGap    = 18
)

func dynamicsFigure(n dynamics) Figure {
	chart := charts.NewLine()
	chart.SetGlobalOptions(charts.WithTooltipOpts(opts.Tooltip{Trigger: "axis", Formatter: opts.FuncOpts(readingDynamics)}))
	chart.XAxisList, chart.YAxisList = nil, nil
	for i, p := range n.panels {
		chart.ExtendXAxis(opts.XAxis{Type: "value", GridIndex: i, Min: 0, Max: n.last, MinInterval: 1, SplitLine: &opts.SplitLine{Show: opts.Bool(false)}})
		chart.ExtendYAxis(opts.YAxis{Type: "value", GridIndex: i, Name: p.name, NameLocation: "middle", NameGap: 50, Min: 0, Max: p.high,
			AxisLabel: &opts.AxisLabel{Formatter: compactLabel}})
		for run, line := range p.lines {
			chart.MultiSeries = append(chart.MultiSeries, traceSeries(i, run, n.names[run], envelope(line, samplesEach(len(p.lines)*len(n.panels)/2))))
		}
	}
	if len(n.time.names) > 0 {
		n.time.extend(chart, len(n.panels))
	}
	title := "Training"
	if len(n.names) == 1 {
		title += " of " + cut(n.names[0], 40)
	} else if len(n.names) > 1 {
		title = fmt.Sprintf("Training of %d runs", len(n.names))
	}
	f := New(title, n.caption(), chart)
	f.frame()
	n.time.legend(&f, n.names)
	f.stack(len(n.panels))
	for i, p := range n.panels {
		f.set(fmt.Sprintf("yAxis.%d.interval", i), p.high/2)
	}
	if len(n.time.names) > 0 {
		n.time.place(&f, len(n.panels))
	}
	return f
}

func traceSeries(panel, run int, name string, line []sample) charts.SingleSeries {
	data := make([][2]float64, len(line))
	for i, s := range line {
		data[i] = [2]float64{s.x, significant(s.loss, 4)}
	}
	s := lineOf(run, name, 1.3, data, len(line) == 1)
	s.Id, s.XAxisIndex, s.YAxisIndex = fmt.Sprintf("%d-%d", panel, run), panel, panel
	s.LineStyle.Opacity = opts.Float(0.85)
	return s
}

// significant rounds to so many digits.
func significant(v float64, digits int) float64 {
	if v == 0 {
		return 0
	}
	return rounded(v, digits-1-int(math.Floor(math.Log10(math.Abs(v)))))
}

// stack places panels below each other. They share the axis of steps: the last one names it, a pointer and a zoom serve all.
func (f *Figure) stack(panels int) {
	below := f.option["grid"].(map[string]any)["bottom"].(int)
	var grids, axes []any
	top := 66
	for i := range panels {
		grids, axes = append(grids, map[string]any{"left": 76, "right": 32, "top": top, "height": panelHeight,
			"outerBoundsMode": "none"}), append(axes, i)
		top += panelHeight + panelGap
		if i < panels-1 {
			f.set(fmt.Sprintf("xAxis.%d.axisLabel.show", i), false)
			continue
		}
		f.set(fmt.Sprintf("xAxis.%d.name", i), "steps")
		f.set(fmt.Sprintf("xAxis.%d.nameLocation", i), "middle")
		f.set(fmt.Sprintf("xAxis.%d.nameGap", i), 30)
	}
	f.Height = top - panelGap + below
	f.option["grid"] = grids
	f.option["axisPointer"] = map[string]any{"link": []any{map[string]any{"xAxisIndex": axes}}}
	f.option["dataZoom"] = []any{map[string]any{"type": "inside", "xAxisIndex": axes, "filterMode": "none", "zoomOnMouseWheel": "ctrl"}}
	f.set("toolbox.feature.dataZoom.yAxisIndex", "none")
}
