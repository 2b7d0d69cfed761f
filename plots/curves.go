package plots

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/go-echarts/go-echarts/v2/types"
	"github.com/offshoot-ml/offshoot/slm"
)

// Curves draws runs against their steps: see [CurvesBy].
func Curves(runs ...slm.Curve) Figure { return CurvesBy(Steps, runs...) }

// CurvesBy draws runs against what they cost, a colour for each name: the held-out loss strong and with its last value written
// beside it, the training loss thin behind it. Runs of one name are repetitions with other seeds: their mean is drawn, with a
// band from the lowest held-out loss to the highest. Both losses are the cross-entropy against the text, also of runs that are
// trained on a divergence from their teacher, so that runs can be compared. The axis on the right is the perplexity. Of long runs
// the lowest and the highest loss of each stretch are drawn.
func CurvesBy(cost Cost, runs ...slm.Curve) Figure {
	return curvesFigure(curvesNumbers(cost, runs))
}

// curves are what the figure shows.
type curves struct {
	cost  Cost
	unit  costUnit
	lines []curve
	most  float64 // where the axis of costs ends
}

// curve is one line: a run, or the mean of those that repeat each other.
type curve struct {
	name       string
	seeds      int
	training   []sample
	validation []sample
}

func curvesNumbers(cost Cost, runs []slm.Curve) curves {
	n := curves{cost: cost}
	groups := byName(runs)
	most := samplesEach(len(groups))
	for _, group := range groups {
		var training, validation [][]sample
		for _, r := range group.runs {
			t, v := samplesOf(cost, r)
			training, validation = append(training, t), append(validation, v)
		}
		n.lines = append(n.lines, curve{name: group.name, seeds: len(group.runs),
			training: envelope(mean(training), most), validation: envelope(mean(validation), most)})
	}
	n.most = lastCost(n.lines)
	n.unit = cost.unit(n.most)
	if n.most == 0 {
		n.most = n.unit.scale
	}
	return n
}

// samplesOf are the losses of a run that were measured, against its cost.
func samplesOf(cost Cost, r slm.Curve) (training, validation []sample) {
	costs := cost.of(r)
	for i, p := range r.Points {
		if p.Step > 0 && costs[i] == 0 { // not recorded
			continue
		}
		if loss := cmp.Or(p.CE, p.Loss); drawable(loss) {
			training = append(training, single(p.Step, costs[i], loss))
		}
		if drawable(p.Validation) {
			validation = append(validation, single(p.Step, costs[i], p.Validation))
		}
	}
	return training, validation
}

// Bounds of what is drawn: of a curve, since more than a screen has pixels would show nothing more, and of all curves of a panel,
// which cover each other.
const (
	mostSamples  = 600
	mostInPanel  = 4800
	leastSamples = 120
)

// samplesEach are as many as each of some curves may have.
func samplesEach(curves int) int {
	return max(leastSamples, min(mostSamples, mostInPanel/max(1, curves)))
}

// drawable reports a loss that was measured (0 stands for one that was not) and has a place on the axis.
func drawable(loss float64) bool { return loss != 0 && !math.IsNaN(loss) && !math.IsInf(loss, 0) }

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

// caption says who is ahead, and what the axis leaves out.
func (n curves) caption(above string) string {
	leader := -1
	var best sample
	for i, c := range n.lines {
		if end, ok := c.last(); ok && (leader < 0 || end.loss < best.loss) {
			leader, best = i, end
		}
	}
	held := "Strong: held-out text" + n.bands()
	switch {
	case n.unrecorded():
		return fmt.Sprintf("The runs do not say their %s.", n.unit.axis)
	case leader < 0:
		return "No step has been validated yet."
	case len(n.lines) == 1:
		return strings.TrimSpace(fmt.Sprintf("%s, %.3f nats per token after %d steps. Thin: training. %s", held, best.loss, best.step, above))
	case above != "":
		return fmt.Sprintf("%s. Lowest: %s, %.3f. %s", held, cut(n.lines[leader].name, 20), best.loss, above)
	}
	return fmt.Sprintf("%s. Thin: training. Lowest: %s, %.3f nats per token.", held, cut(n.lines[leader].name, 24), best.loss)
}

// unrecorded reports runs that do not tell this cost.
func (n curves) unrecorded() bool {
	return len(n.lines) > 0 && n.cost != Steps && lastCost(n.lines) == 0
}

// bands says of how many seeds they are.
func (n curves) bands() string {
	few, most := math.MaxInt, 0
	for _, c := range n.lines {
		if c.seeds > 1 {
			few, most = min(few, c.seeds), max(most, c.seeds)
		}
	}
	switch most {
	case 0:
		return ""
	case few:
		return fmt.Sprintf(", %d seeds", most)
	}
	return fmt.Sprintf(", %d to %d seeds", few, most)
}

// cut shortens a name that would not fit its place.
func cut(name string, most int) string {
	if letters := []rune(name); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return name
}

// reading is the tooltip of a step: each line's losses there. Values are cost, loss, step, and of a mean the lowest and the highest.
func (n curves) reading() types.FuncStr {
	return opts.FuncOpts(`function(ps){` + compactNumber + `var e=echarts.format.encodeHTML,at;var rows=ps.filter(function(p){return p.value&&/^[tv]/.test(p.seriesId)}).map(function(p){` +
		`var v=p.value,held=p.seriesId.charAt(0)==="v";at=at||v;return"<br>"+p.marker+e(p.seriesName)+(held?" held-out ":" training ")+"<b>"+v[1].toFixed(3)+"</b>"+(v[2]===at[2]?"":" at step "+v[2])+` +
		`(v.length>3&&held?" ("+v[3].toFixed(3)+" to "+v[4].toFixed(3)+")":"")+(held?", perplexity "+n(Math.exp(v[1])):"")});` +
		`return rows.length?"<b>step "+at[2]+"</b>"+` + n.costWords() + `+rows.join(""):""}`)
}

// costWords is JavaScript for what the steps of a tooltip cost, where they are not the axis.
func (n curves) costWords() string {
	if n.cost == Steps {
		return `""`
	}
	return `", "+(+at[0].toPrecision(3))+` + quoted(n.unit.short)
}

func curvesFigure(n curves) Figure {
	scale := curvesScale(n.lines)
	chart := charts.NewLine()
	chart.SetGlobalOptions(
		charts.WithTooltipOpts(opts.Tooltip{Trigger: "axis", Formatter: n.reading()}),
		charts.WithXAxisOpts(opts.XAxis{Type: "value", Name: n.unit.axis, NameLocation: "middle", NameGap: 30, Min: 0, Max: n.at(n.most),
			AxisLabel: &opts.AxisLabel{ShowMaxLabel: opts.Bool(n.cost == Steps)}, SplitLine: &opts.SplitLine{Show: opts.Bool(false)}}),
	)
	scale.addTo(chart)
	series := n.series()
	chart.MultiSeries = series
	f := New(title(n.lines), n.caption(scale.above), chart)
	f.frame()
	if len(n.lines) > mostLabels {
		f.placeLossAxes(scale, 0)
		return f
	}
	f.placeLossAxes(scale, 50)
	for i, c := range n.lines {
		if end, ok := c.last(); ok {
			f.labelEnd(len(series)-len(n.lines)+i, colourOf(i), end)
		}
	}
	return f
}

// mostLabels have room beside each other at the ends of lines.
const mostLabels = 6

// at is a cost on the axis.
func (n curves) at(cost float64) float64 { return rounded(cost/n.unit.scale, 5) }

// series are the bands, then the thin lines, then the strong ones.
func (n curves) series() []charts.SingleSeries {
	var bands, thin, strong []charts.SingleSeries
	for i, c := range n.lines {
		if c.seeds > 1 {
			bands = append(bands, band(fmt.Sprint(i), c.name, colourOf(i), 0.18, n.points(c.validation, func(s sample) float64 { return s.low }),
				n.points(c.validation, func(s sample) float64 { return s.high - s.low }))...)
		}
		thin = append(thin, trainingSeries(i, c, n.pairs(c.training)))
		strong = append(strong, validationSeries(i, c, n.pairs(c.validation)))
	}
	return slices.Concat(bands, thin, strong)
}

func (n curves) points(samples []sample, of func(sample) float64) [][2]float64 {
	out := make([][2]float64, len(samples))
	for i, s := range samples {
		out[i] = [2]float64{n.at(s.x), rounded(of(s), 4)}
	}
	return out
}

// pairs are samples with all that their tooltip tells.
func (n curves) pairs(samples []sample) [][]float64 {
	out := make([][]float64, len(samples))
	for i, s := range samples {
		out[i] = []float64{n.at(s.x), rounded(s.loss, 4), float64(s.step)}
		if s.low != s.high {
			out[i] = append(out[i], rounded(s.low, 4), rounded(s.high, 4))
		}
	}
	return out
}

// labelEnd writes the final value beside a line, after a dot of its colour: as words the colours would be too faint in one theme or the
// other.
func (f Figure) labelEnd(series int, colour string, end sample) {
	at := fmt.Sprintf("series.%d.", series)
	f.set(at+"endLabel", map[string]any{"show": true, "formatter": fmt.Sprintf("{dot|} %.3f", end.loss), "color": inkText,
		"fontWeight": "bold", "fontSize": 12, "lineHeight": 13, "distance": 4,
		"rich": map[string]any{"dot": map[string]any{"width": 6, "height": 6, "borderRadius": 3, "backgroundColor": colour}}})
	grid := f.option["grid"].(map[string]any)
	f.set(at+"labelLayout", string(opts.FuncOpts(fmt.Sprintf(`function(p){var y=p.labelRect.y+p.labelRect.height/2;return y<%d||y>%d?{x:-999}:{moveOverlap:"shiftY"}}`,
		grid["top"], f.Height-grid["bottom"].(int)+8)))) // what the reader has zoomed out of takes its value with it
}

func title(lines []curve) string {
	switch len(lines) {
	case 0:
		return "Loss"
	case 1:
		return "Loss of " + cut(lines[0].name, 40)
	}
	return fmt.Sprintf("Loss of %d runs", runsOf(lines))
}

// lastCost is where the axis ends.
func lastCost(lines []curve) (most float64) {
	for _, c := range lines {
		for _, samples := range [][]sample{c.training, c.validation} {
			if n := len(samples); n > 0 {
				most = max(most, samples[n-1].x)
			}
		}
	}
	return most
}

func colourOf(run int) string { return categorical[run%len(categorical)] }

// symbolOf is another one where the colours begin again.
func symbolOf(run int) string { return symbols[(run+run/len(categorical))%len(symbols)] }

func trainingSeries(i int, c curve, data [][]float64) charts.SingleSeries {
	opacity := float32(0.6)
	if len(data) > mostSamples/4 { // so many that the line is an area
		opacity = 0.4
	}
	s := lineOf(i, c.name, 1, data, len(data) == 1)
	s.Id, s.LineStyle.Opacity = fmt.Sprintf("t%d", i), opts.Float(opacity)
	return s
}

func validationSeries(i int, c curve, data [][]float64) charts.SingleSeries {
	s := lineOf(i, c.name, 2.5, data, len(data) <= 60)
	s.Id = fmt.Sprintf("v%d", i)
	return s
}

// runsOf counts the runs behind the lines.
func runsOf(lines []curve) (n int) {
	for _, c := range lines {
		n += c.seeds
	}
	return n
}
