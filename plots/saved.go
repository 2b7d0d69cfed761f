package plots

import (
	"fmt"
	"math"
	"slices"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/go-echarts/go-echarts/v2/types"
	"github.com/offshoot-ml/offshoot/slm"
)

// Saved draws what runs save of a cost. The first run is the baseline: the dashed line is the held-out loss at which it ends. An
// arrow leads from there back to where another run was first measured at or below that loss (see [slm.Curve.Reaches]), with the
// factor between the two. The axis of the cost is logarithmic, so that the arrows' lengths are the factors'. Runs of one name are
// repetitions with other seeds, of which the mean is drawn and followed; bands are from the lowest to the highest.
func Saved(cost Cost, runs ...slm.Curve) Figure {
	return savedFigure(savedNumbers(cost, runs))
}

type saved struct {
	curves
	target  float64  // where the baseline ends; 0 before it is validated
	savings []saving // most first
}

// saving is an arrow: a line reaches the target, the factor is the baseline's cost divided by its own.
type saving struct {
	line   int
	at     float64 // the cost
	factor float64
}

func savedNumbers(cost Cost, runs []slm.Curve) saved {
	n := saved{curves: curvesNumbers(cost, runs)}
	for i, c := range n.lines { // a logarithmic axis has no place for the student before training
		n.lines[i].training, n.lines[i].validation = nil, slices.DeleteFunc(c.validation, func(s sample) bool { return s.x <= 0 })
	}
	if len(n.lines) == 0 {
		return n
	}
	end, ok := n.lines[0].last()
	if !ok {
		return n
	}
	n.target = end.loss
	for i, c := range n.lines[1:] {
		if at := slices.IndexFunc(c.validation, func(s sample) bool { return s.loss <= n.target }); at >= 0 {
			x := c.validation[at].x
			n.savings = append(n.savings, saving{line: i + 1, at: x, factor: end.x / x})
		}
	}
	slices.SortStableFunc(n.savings, func(a, b saving) int { return int(math.Copysign(1, b.factor-a.factor)) })
	return n
}

func (n saved) caption() string {
	switch {
	case n.target == 0:
		return "The first run is the baseline; it has not been validated yet."
	case len(n.savings) == 0:
		return fmt.Sprintf("Dashed: %.3f, where %s ends. No other run has reached it yet.", n.target, cut(n.lines[0].name, 28))
	}
	best := n.savings[0]
	return fmt.Sprintf("Dashed: %.3f, where %s ends%s. %s: %s.", n.target, cut(n.lines[0].name, 20), n.bands(),
		cut(n.lines[best.line].name, 24), n.cost.times(best.factor))
}

// reading is the tooltip of a measurement.
func (n saved) reading() types.FuncStr {
	return opts.FuncOpts(`function(p){` + compactNumber + `var v=p.value;if(!v)return"";return p.marker+echarts.format.encodeHTML(p.seriesName)+"<br>step "+v[2]+", "+(+v[0].toPrecision(3))+` +
		quoted(n.unit.short) + `+"<br>held-out <b>"+v[1].toFixed(3)+"</b>"+(v.length>3?" ("+v[3].toFixed(3)+" to "+v[4].toFixed(3)+")":"")+", perplexity "+n(Math.exp(v[1]))}`)
}

func savedFigure(n saved) Figure {
	scale := curvesScale(n.lines)
	low, high := n.costs(scale.high)
	chart := charts.NewLine()
	chart.SetGlobalOptions(
		charts.WithTooltipOpts(opts.Tooltip{Trigger: "item", Formatter: n.reading()}),
		charts.WithXAxisOpts(opts.XAxis{Type: "log", Name: n.unit.axis, NameLocation: "middle", NameGap: 30, Min: low, Max: high,
			SplitLine: &opts.SplitLine{Show: opts.Bool(false)}}),
	)
	scale.addTo(chart)
	series := n.series()
	chart.MultiSeries = series
	f := New("Saved "+n.cost.name(), n.caption(), chart)
	f.frame()
	f.placeLossAxes(scale, 0)
	f.logTicks(low, high)
	if n.target == 0 {
		return f
	}
	first := len(series) - len(n.lines)
	f.dash(first, n.target)
	end, _ := n.lines[0].last()
	var arrows []arrow
	for _, s := range n.savings {
		arrows = append(arrows, arrow{first + s.line, colourOf(s.line), n.cost.times(s.factor), n.at(end.x), n.at(s.at)})
	}
	f.arrows(scale, n.target, arrows)
	return f
}

// costs is the range of the axis: it begins where a loss is at most so high.
func (n saved) costs(loss float64) (low, high float64) {
	low = math.Inf(1)
	for _, c := range n.lines {
		for _, s := range c.validation {
			if s.loss <= loss {
				low = min(low, n.at(s.x))
			}
		}
	}
	high = n.at(n.most)
	if low >= high {
		return 0.1 * high, high
	}
	return low / 1.15, high * 1.15
}
