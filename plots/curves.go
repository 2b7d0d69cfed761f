package plots

import (
	"cmp"
	"fmt"
	"math"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// Curves draws runs against their steps, a colour for each: the held-out loss strong and with its last value written
// beside it, the training loss thin behind it. Both are the cross-entropy against the text, also of runs that are
// trained on a divergence from their teacher, so that runs can be compared.
func Curves(runs ...slm.Curve) Figure {
	return curvesFigure(curvesNumbers(runs))
}

// curve is one run as it is drawn.
type curve struct {
	name       string
	training   []sample
	validation []sample
}

type sample struct {
	step int
	loss float64
}

// mostSamples bounds what is drawn of a training curve: more than a screen has pixels would show nothing more.
const mostSamples = 600

func curvesNumbers(runs []slm.Curve) []curve {
	out := make([]curve, len(runs))
	for i, r := range runs {
		c := curve{name: uniqueName(out[:i], cmp.Or(r.Name, fmt.Sprintf("run %d", i+1)))}
		for _, p := range r.Points {
			if loss := cmp.Or(p.CE, p.Loss); drawable(loss) {
				c.training = append(c.training, sample{p.Step, loss})
			}
			if drawable(p.Validation) {
				c.validation = append(c.validation, sample{p.Step, p.Validation})
			}
		}
		c.training = envelope(c.training, mostSamples)
		c.validation = envelope(c.validation, mostSamples)
		out[i] = c
	}
	return out
}

// drawable reports a loss that was measured (0 stands for one that was not) and has a place on the axis.
func drawable(loss float64) bool { return loss != 0 && !math.IsNaN(loss) && !math.IsInf(loss, 0) }

// uniqueName keeps two runs of one name apart: the legend switches by name.
func uniqueName(taken []curve, name string) string {
	candidate := name
	for i := 2; ; i++ {
		clash := false
		for _, c := range taken {
			clash = clash || c.name == candidate
		}
		if !clash {
			return candidate
		}
		candidate = fmt.Sprintf("%s (%d)", name, i)
	}
}

// envelope thins a long curve and keeps what the eye would see: the lowest and the highest sample of each stretch, the
// first and the last.
func envelope(samples []sample, most int) []sample {
	if len(samples) <= most {
		return samples
	}
	stretches := (most - 2) / 2
	inner := samples[1 : len(samples)-1]
	out := []sample{samples[0]}
	for i := range stretches {
		low, high := i*len(inner)/stretches, (i+1)*len(inner)/stretches
		out = append(out, extremes(inner[low:high])...)
	}
	return append(out, samples[len(samples)-1])
}

// extremes are the lowest and the highest sample, in their order.
func extremes(stretch []sample) []sample {
	low, high := 0, 0
	for i, s := range stretch {
		if s.loss < stretch[low].loss {
			low = i
		}
		if s.loss > stretch[high].loss {
			high = i
		}
	}
	switch {
	case low == high:
		return []sample{stretch[low]}
	case low < high:
		return []sample{stretch[low], stretch[high]}
	}
	return []sample{stretch[high], stretch[low]}
}

// last is the run's latest held-out loss.
func (c curve) last() (sample, bool) {
	if len(c.validation) == 0 {
		return sample{}, false
	}
	return c.validation[len(c.validation)-1], true
}

// curvesCaption says who is ahead.
func curvesCaption(curves []curve) string {
	leader := -1
	for i, c := range curves {
		end, ok := c.last()
		if !ok {
			continue
		}
		if leader < 0 {
			leader = i
		} else if best, _ := curves[leader].last(); end.loss < best.loss {
			leader = i
		}
	}
	if leader < 0 {
		return "No step has been validated yet."
	}
	best, _ := curves[leader].last()
	if len(curves) == 1 {
		return fmt.Sprintf("Strong: held-out text, %.3f nats per token after %d steps. Thin: training.", best.loss, best.step)
	}
	return fmt.Sprintf("Strong: held-out text. Thin: training. Lowest: %s, %.3f nats per token.", cut(curves[leader].name, 36), best.loss)
}

// cut shortens a name that would not fit its place.
func cut(name string, most int) string {
	if letters := []rune(name); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return name
}

// reading is the tooltip of a step: each run's losses there.
const reading = `function(ps){if(!ps.length)return"";var e=echarts.format.encodeHTML;return"<b>step "+ps[0].axisValue+"</b>"+ps.map(function(p){` +
	`return"<br>"+p.marker+e(p.seriesName)+(p.seriesId.charAt(0)==="v"?" held-out ":" training ")+"<b>"+p.value[1].toFixed(3)+"</b>"}).join("")}`

func curvesFigure(curves []curve) Figure {
	chart := charts.NewLine()
	chart.SetGlobalOptions(
		charts.WithTooltipOpts(opts.Tooltip{Trigger: "axis", Formatter: opts.FuncOpts(reading)}),
		charts.WithXAxisOpts(opts.XAxis{Type: "value", Name: "steps", NameLocation: "middle", NameGap: 30, Min: 0, Max: lastStep(curves),
			MinInterval: 1, SplitLine: &opts.SplitLine{Show: opts.Bool(false)}}),
		charts.WithYAxisOpts(opts.YAxis{Type: "value", Name: "cross-entropy (nats per token)", NameLocation: "middle", NameGap: 40, Scale: opts.Bool(true)}),
	)
	for i, c := range curves {
		chart.MultiSeries = append(chart.MultiSeries, trainingSeries(i, c))
	}
	for i, c := range curves {
		chart.MultiSeries = append(chart.MultiSeries, validationSeries(i, c))
	}
	f := New(title(curves), curvesCaption(curves), chart)
	f.frame()
	f.set("grid.right", 64)
	for i, c := range curves {
		if end, ok := c.last(); ok {
			f.labelEnd(len(curves)+i, colourOf(i), end)
		}
	}
	return f
}

// labelEnd writes the final value beside a line.
func (f Figure) labelEnd(series int, colour string, end sample) {
	at := fmt.Sprintf("series.%d.", series)
	f.set(at+"endLabel", map[string]any{"show": true, "formatter": fmt.Sprintf("%.3f", end.loss), "color": colour,
		"fontWeight": "bold", "fontSize": 12, "lineHeight": 13, "distance": 8})
	f.set(at+"labelLayout", map[string]any{"moveOverlap": "shiftY"})
}

func title(curves []curve) string {
	switch len(curves) {
	case 0:
		return "Loss"
	case 1:
		return "Loss " + cut(curves[0].name, 40)
	}
	return fmt.Sprintf("Loss of %d runs", len(curves))
}

// lastStep is where the axis ends.
func lastStep(curves []curve) int {
	last := 1
	for _, c := range curves {
		for _, samples := range [][]sample{c.training, c.validation} {
			if n := len(samples); n > 0 {
				last = max(last, samples[n-1].step)
			}
		}
	}
	return last
}

func colourOf(run int) string { return categorical[run%len(categorical)] }

func symbolOf(run int) string { return symbols[run%len(symbols)] }

func trainingSeries(i int, c curve) charts.SingleSeries {
	return charts.SingleSeries{Id: fmt.Sprintf("t%d", i), Name: c.name, Type: "line", Data: pairs(c.training),
		ShowSymbol: opts.Bool(len(c.training) == 1), Symbol: symbolOf(i), SymbolSize: 7,
		ItemStyle: &opts.ItemStyle{Color: colourOf(i)},
		LineStyle: &opts.LineStyle{Color: colourOf(i), Width: 1, Opacity: opts.Float(0.5)}}
}

func validationSeries(i int, c curve) charts.SingleSeries {
	return charts.SingleSeries{Id: fmt.Sprintf("v%d", i), Name: c.name, Type: "line", Data: pairs(c.validation),
		ShowSymbol: opts.Bool(len(c.validation) <= 60), Symbol: symbolOf(i), SymbolSize: 7,
		ItemStyle: &opts.ItemStyle{Color: colourOf(i)},
		LineStyle: &opts.LineStyle{Color: colourOf(i), Width: 2.5}}
}

func pairs(samples []sample) [][2]float64 {
	out := make([][2]float64, len(samples))
	for i, s := range samples {
		out[i] = [2]float64{float64(s.step), rounded(s.loss, 4)}
	}
	return out
}
