package plots

import (
	"fmt"
	"math"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// Correlation draws warm searches: a point for each candidate, its loss before the steps of training against that after
// them, coloured by search. Where the one foretells the other, the points rise to the right.
func Correlation(searches ...slm.Population) Figure {
	return correlationFigure(correlationNumbers(searches))
}

// pairedLosses are the candidates of one warm search.
type pairedLosses struct {
	name      string
	points    []beforeAfter
	foresight slm.Foresight
	told      bool // there are enough candidates for a foresight
}

type beforeAfter struct {
	id            int
	parameters    int64
	before, after float64 // nats per token
}

func correlationNumbers(searches []slm.Population) []pairedLosses {
	out := make([]pairedLosses, len(searches))
	for i, p := range searches {
		out[i].name = p.Search.Space.Name()
		for _, other := range out[:i] {
			if other.name == out[i].name {
				out[i].name = p.Name
			}
		}
		for _, c := range p.Candidates {
			if drawable(c.Untrained) && drawable(c.Loss) && !c.Failed() {
				out[i].points = append(out[i].points, beforeAfter{c.ID, c.Parameters, c.Untrained, c.Loss})
			}
		}
		out[i].foresight, out[i].told = p.Foresight()
	}
	return out
}

func correlationCaption(searches []pairedLosses) string {
	var told []string
	for _, s := range searches {
		if s.told {
			told = append(told, fmt.Sprintf("%s %.2f", cut(s.name, 20), s.foresight.Rank))
		}
	}
	switch {
	case len(told) == 0:
		return "Too few candidates to say whether one loss foretells the other."
	case len(searches) == 1:
		f := searches[0].foresight
		return fmt.Sprintf("Rank correlation %.2f (%.2f to %.2f). The best before training is number %d of %d after it.",
			f.Rank, f.Low, f.High, f.Place, f.Candidates)
	}
	return "Rank correlation: " + strings.Join(told, ", ") + "."
}

const readingPair = `function(p){var v=p.value;return echarts.format.encodeHTML(p.seriesName)+" <b>#"+v[2]+"</b><br>before training <b>"+v[0].toFixed(3)` +
	`+"</b><br>after training <b>"+v[1].toFixed(3)+"</b><br>"+v[3].toLocaleString("en")+" parameters"}`

func correlationFigure(searches []pairedLosses) Figure {
	chart := charts.NewScatter()
	low, high := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for i, s := range searches {
		data := make([]opts.ScatterData, len(s.points))
		for k, p := range s.points {
			data[k] = opts.ScatterData{Value: []any{rounded(p.before, 4), rounded(p.after, 4), p.id, p.parameters}}
			for axis, v := range [2]float64{p.before, p.after} {
				low[axis], high[axis] = min(low[axis], v), max(high[axis], v)
			}
		}
		chart.AddSeries(s.name, data, charts.WithScatterChartOpts(opts.ScatterChart{SymbolSize: 11, Symbol: symbolOf(i)}),
			charts.WithItemStyleOpts(opts.ItemStyle{Color: colourOf(i), BorderColor: inkPaper, BorderWidth: 0.7}))
	}
	chart.SetGlobalOptions(
		charts.WithTooltipOpts(opts.Tooltip{Trigger: "item", Formatter: opts.FuncOpts(readingPair)}),
		charts.WithXAxisOpts(opts.XAxis{Type: "value", Name: "loss before training (nats per token)", NameLocation: "middle", NameGap: 30,
			Scale: opts.Bool(true), SplitLine: &opts.SplitLine{Show: opts.Bool(false)}}),
		charts.WithYAxisOpts(opts.YAxis{Type: "value", Name: "loss after (nats per token)", NameLocation: "middle", NameGap: 44, Scale: opts.Bool(true)}),
	)
	f := New("Before training and after it", correlationCaption(searches), chart)
	f.frame()
	return f
}
