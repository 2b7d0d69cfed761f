package plots

import (
	"fmt"
	"math"
	"slices"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// LayerImportance draws a bar for each layer's score. Of [slm.LayerDrop] that is the loss that dropping the layer alone adds, which
// multiplies the perplexity by its exponential: a bar below zero is a layer without which the text is better predicted. Where few layers score much more than the others, as the first often does, their
// bars end at the axis with their heights.
func LayerImportance(teacher slm.Config, i slm.Importance) Figure {
	if err := i.Validate(teacher); err != nil {
		return notMeasured("Importance of layers", teacher, err)
	}
	return layerImportanceFigure(layerImportanceNumbers(teacher, i))
}

type layerScores struct {
	teacher, method string
	scores          []float64 // by layer
	high, low       int       // the layers with the highest and the lowest
	end             float64   // of the axis, where few bars that are much higher would leave no room for the others; otherwise 0
}

func layerImportanceNumbers(teacher slm.Config, i slm.Importance) layerScores {
	n := layerScores{teacher: teacher.Name, method: i.Method, scores: i.Layers}
	for l, score := range n.scores {
		if score > n.scores[n.high] {
			n.high = l
		}
		if score < n.scores[n.low] {
			n.low = l
		}
	}
	n.fit()
	return n
}

// fit ends the axis above the scores that are at most four times as high as three quarters of them, if there are others.
func (n *layerScores) fit() {
	if len(n.scores) == 0 {
		return
	}
	sorted := slices.Sorted(slices.Values(n.scores))
	quarter := sorted[3*(len(sorted)-1)/4]
	last, _ := slices.BinarySearch(sorted, 4*quarter)
	if quarter > 0 && last < len(sorted) {
		step := roundStep(sorted[last-1] / 4)
		n.end = rounded(math.Ceil(1.05*sorted[last-1]/step)*step, 12)
	}
}

// dropped is whether scores are losses without the layer.
func (n layerScores) dropped() bool { return n.method == slm.LayerDrop }

func (n layerScores) caption() string {
	if len(n.scores) == 1 {
		return fmt.Sprintf("The only layer scores %s.", scoreText(n.scores[0]))
	}
	if !n.dropped() {
		return fmt.Sprintf("Layer %d scores highest (%s), layer %d lowest (%s).",
			n.high, scoreText(n.scores[n.high]), n.low, scoreText(n.scores[n.low]))
	}
	without := func(l int) string { return times(math.Exp(min(n.scores[l], 43))) }
	return fmt.Sprintf("Without layer %d perplexity is %s, which costs most; without layer %d it is %s.", n.high, without(n.high), n.low, without(n.low))
}

// scoreText has three digits.
func scoreText(score float64) string { return fmt.Sprintf("%.3g", score) }

// readingLayer is the tooltip of a layer's bar.
const (
	readingScore = `function(p){return"<b>layer "+p.value[0]+"</b><br>score <b>"+ +p.value[1].toPrecision(4)+"</b>"}`
	readingDrop  = `function(p){` + compactNumber + `var v=p.value[1];return"<b>without layer "+p.value[0]+"</b><br><b>"+(v<0?"":"+")+v.toFixed(3)+` +
		`"</b> nats per token<br>perplexity ×"+n(Math.exp(v))}`
)

func layerImportanceFigure(n layerScores) Figure {
	title, axis, reading := fmt.Sprintf("Layers of %s (%s)", n.teacher, n.method), "score", readingScore
	if n.dropped() {
		title, axis, reading = "Each layer of "+n.teacher+" dropped", "loss added (nats per token)", readingDrop
	}
	if len(n.scores) == 0 {
		return empty(title, "Layers have not been measured.")
	}
	bars := make([]opts.BarData, len(n.scores))
	layers := make([]int, len(n.scores))
	for l, score := range n.scores {
		layers[l], bars[l] = l, opts.BarData{Value: []any{l, significant(score, 4)}}
		if score < 0 {
			bars[l].ItemStyle = &opts.ItemStyle{Color: categorical[1]}
		}
	}
	chart := charts.NewBar()
	chart.SetGlobalOptions(
		charts.WithTooltipOpts(opts.Tooltip{Trigger: "item", Formatter: opts.FuncOpts(reading)}),
		charts.WithXAxisOpts(opts.XAxis{Type: "category", Data: layers, Name: "layer", NameLocation: "middle", NameGap: 30,
			SplitLine: &opts.SplitLine{Show: opts.Bool(false)}}),
		charts.WithYAxisOpts(opts.YAxis{Type: "value", Name: axis, NameLocation: "middle", NameGap: 48}),
	)
	chart.AddSeries("layers", bars, charts.WithItemStyleOpts(opts.ItemStyle{Color: categorical[0]}))
	if n.end > 0 {
		chart.MultiSeries[0].Label = &opts.Label{Show: opts.Bool(true), Position: "top", Color: inkText, FontSize: 11,
			Formatter: opts.FuncOpts(fmt.Sprintf(`function(p){return p.value[1]>%g?"↑"+ +p.value[1].toPrecision(2):""}`, n.end))}
	}
	f := New(title, n.caption(), chart)
	f.frame()
	f.Height = 320
	if n.end > 0 {
		f.set("yAxis.0.max", n.end)
		f.set("series.0.labelLayout", map[string]any{"hideOverlap": true})
		f.set("grid.top", 80) // for the heights of the bars that end there
	}
	return f
}
