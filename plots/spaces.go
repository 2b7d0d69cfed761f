package plots

import (
	"fmt"
	"slices"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// Spaces compares the search spaces in a bin: a point for the best loss of each seed, a bar at their mean, beside each other
// for the variants of a study, such as evolution and random search.
func Spaces(found slm.Found, bin slm.Bin) Figure {
	return spacesFigure(spacesNumbers(found, bin))
}

// bestLosses are what the spaces of a bin reached: losses[variant][space] are those of the seeds, in nats per token.
type bestLosses struct {
	bin      slm.Bin
	spaces   []string
	variants []string
	losses   [][][]float64
}

func spacesNumbers(found slm.Found, bin slm.Bin) bestLosses {
	n := bestLosses{bin: bin}
	for _, r := range found {
		if r.Bin != bin {
			continue
		}
		if !slices.Contains(n.spaces, r.Space) {
			n.spaces = append(n.spaces, r.Space)
		}
		if !slices.Contains(n.variants, r.Variant) {
			n.variants = append(n.variants, r.Variant)
		}
	}
	for _, variant := range n.variants {
		var of [][]float64
		for _, space := range n.spaces {
			best := found.Cell(slm.Cell{Bin: bin, Space: space, Variant: variant}).Best()
			of = append(of, slices.DeleteFunc(best, func(loss float64) bool { return !drawable(loss) }))
		}
		n.losses = append(n.losses, of)
	}
	return n
}

func (n bestLosses) caption() string {
	var least slm.Spread
	variant, space := "", ""
	for v, of := range n.losses {
		for s, losses := range of {
			if spread := slm.SpreadOf(losses); spread.N > 0 && (least.N == 0 || spread.Mean < least.Mean) {
				least, variant, space = spread, n.variants[v], n.spaces[s]
			}
		}
	}
	if least.N == 0 {
		return "No search has been finished yet."
	}
	return fmt.Sprintf("Lower is better. Points: seeds. Bars: means. Lowest: %s, %s, %.3f nats per token.", space, variant, least.Mean)
}

const readingBest = `function(p){return echarts.format.encodeHTML(p.seriesName)+", "+p.value[0]+" <b>"+p.value[1].toFixed(3)+"</b>"}`

func spacesFigure(n bestLosses) Figure {
	chart := charts.NewScatter()
	chart.SetGlobalOptions(
		charts.WithTooltipOpts(opts.Tooltip{Trigger: "item", Formatter: opts.FuncOpts(readingBest)}),
		charts.WithXAxisOpts(opts.XAxis{Type: "category", Data: n.spaces, Name: "search space", NameLocation: "middle", NameGap: 30,
			SplitLine: &opts.SplitLine{Show: opts.Bool(false)}, AxisLabel: &opts.AxisLabel{Interval: "0"}}),
		charts.WithYAxisOpts(opts.YAxis{Type: "value", Name: "best loss (nats per token)", NameLocation: "middle", NameGap: 44, Scale: opts.Bool(true)}),
	)
	var offsets []float64
	for v, of := range n.losses {
		var seeds, means []opts.ScatterData
		for s, losses := range of {
			for _, loss := range losses {
				seeds = append(seeds, opts.ScatterData{Value: []any{n.spaces[s], rounded(loss, 4)}})
			}
			if len(losses) > 0 {
				means = append(means, opts.ScatterData{Value: []any{n.spaces[s], rounded(slm.SpreadOf(losses).Mean, 4)}})
			}
		}
		style := charts.WithItemStyleOpts(opts.ItemStyle{Color: colourOf(v)})
		chart.AddSeries(n.variants[v], seeds, style, charts.WithScatterChartOpts(opts.ScatterChart{Symbol: symbolOf(v), SymbolSize: 9}))
		chart.AddSeries(n.variants[v], means, style, charts.WithScatterChartOpts(opts.ScatterChart{Symbol: "rect", SymbolSize: []int{26, 3}}))
		offset := 30 * (float64(v) - float64(len(n.variants)-1)/2)
		offsets = append(offsets, offset, offset)
	}
	f := New(fmt.Sprintf("Spaces in the bin %s", n.bin), n.caption(), chart)
	f.frame()
	for i, offset := range offsets { // variants stand beside each other
		f.set(fmt.Sprintf("series.%d.symbolOffset", i), []any{offset, 0})
	}
	return f
}
