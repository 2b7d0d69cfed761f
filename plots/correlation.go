package plots

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// Correlation draws warm searches: a point for each candidate, its perplexity before the steps of training against that after
// them, coloured by search. Where the one foretells the other, the points rise to the right.
func Correlation(searches ...slm.Population) Figure {
	n := correlationNumbers(searches)
	return pairsFigure("Before training and after it", correlationCaption(n), [2]string{"perplexity before training", "perplexity after"}, n)
}

// Prediction draws what a search foresaw: a point for each run that trained one of its candidates further, the perplexity by which
// the search judged it against the held-out one at the end of the run, coloured by the run's steps. See [slm.Population.Trained].
func Prediction(p slm.Population, runs ...slm.Curve) Figure {
	n := predictionNumbers(p.Trained(runs...))
	return pairsFigure(strings.TrimSpace("Predicted and trained "+p.Name), predictionCaption(n), [2]string{"perplexity in the search", "perplexity when trained"}, n)
}

// pairedLosses are the candidates of one warm search, or those that were trained for as many steps.
type pairedLosses struct {
	name      string
	points    []beforeAfter
	foresight slm.Foresight
	told      bool // there are enough candidates for a foresight
}

type beforeAfter struct {
	id            int
	run           string // that trained it; "" for the search itself
	parameters    int64
	before, after float64 // nats per token
}

func correlationNumbers(searches []slm.Population) []pairedLosses {
	out := make([]pairedLosses, len(searches))
	of := map[string]int{} // searches of a space
	for _, p := range searches {
		of[p.Search.Space.Name()]++
	}
	for i, p := range searches {
		if out[i].name = p.Search.Space.Name(); of[out[i].name] > 1 {
			out[i].name = p.Name
		}
		for _, c := range p.Candidates {
			if drawable(c.Untrained) && drawable(c.Loss) && !c.Failed() {
				out[i].points = append(out[i].points, beforeAfter{c.ID, "", c.Parameters, c.Untrained, c.Loss})
			}
		}
		out[i].foresight, out[i].told = p.Foresight()
	}
	return out
}

// predictionNumbers groups runs by their steps, since a longer one ends lower whatever it trains.
func predictionNumbers(trained []slm.Trained) (out []pairedLosses) {
	trained = slices.DeleteFunc(slices.Clone(trained), func(t slm.Trained) bool { return !placed(t.Candidate) || !drawable(t.Validation) })
	slices.SortStableFunc(trained, func(a, b slm.Trained) int { return cmp.Compare(a.Steps, b.Steps) })
	for first := 0; first < len(trained); {
		group := pairedLosses{name: counted(trained[first].Steps, "step")}
		var early, later []float64
		end := first
		for ; end < len(trained) && trained[end].Steps == trained[first].Steps; end++ {
			t := trained[end]
			group.points = append(group.points, beforeAfter{t.ID, t.Run, t.Parameters, t.Loss, t.Validation})
			early, later = append(early, t.Loss), append(later, t.Validation)
		}
		group.foresight, group.told = slm.Foretold(early, later)
		out, first = append(out, group), end
	}
	return out
}

func predictionCaption(groups []pairedLosses) string {
	if len(groups) == 0 {
		return "No run has trained a candidate of this search yet."
	}
	return correlationCaption(groups)
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
		return fmt.Sprintf("Rank correlation %.2f (%.2f to %.2f). The best before is number %d of %d after.",
			f.Rank, f.Low, f.High, f.Place, f.Candidates)
	}
	if caption := "Rank correlation: " + strings.Join(told, ", ") + "."; len([]rune(caption)) <= mostCaption {
		return caption
	}
	ranks := []float64{}
	for _, s := range searches {
		if s.told {
			ranks = append(ranks, s.foresight.Rank)
		}
	}
	return fmt.Sprintf("Rank correlation: %.2f to %.2f in %d searches.", slices.Min(ranks), slices.Max(ranks), len(ranks))
}

// readingPair is the tooltip of a candidate.
const readingPair = `function(p){` + compactNumber + `var v=p.value,e=echarts.format.encodeHTML,h=function(l){return"<b>"+n(Math.exp(l))+"</b> (loss "+l.toFixed(3)+")"};` +
	`return e(p.seriesName)+" <b>#"+v[2]+"</b>"+(v[4]?"<br>"+e(v[4]):"")+"<br>perplexity before "+h(v[0])+"<br>after "+h(v[1])+"<br>"+v[3].toLocaleString("en")+" parameters"+` +
	`(v[5]?"<br><i>the best of "+(v[5]+1)+" in this place</i>":"")}`

// pairsFigure draws two losses of candidates against each other, as perplexities.
func pairsFigure(title, caption string, axes [2]string, groups []pairedLosses) Figure {
	chart := charts.NewScatter()
	left, right, low, high := ranges(groups)
	for i, g := range groups {
		var data []opts.ScatterData
		for _, c := range thin(g.crowd(), mostPoints/len(groups), left, right, low, high) {
			p := g.points[c.id]
			data = append(data, opts.ScatterData{Value: []any{rounded(p.before, 4), rounded(p.after, 4), p.id, p.parameters, p.run, c.covers}})
		}
		chart.AddSeries(g.name, data, charts.WithScatterChartOpts(opts.ScatterChart{SymbolSize: 11, Symbol: symbolOf(i)}),
			charts.WithItemStyleOpts(opts.ItemStyle{Color: colourOf(i), BorderColor: inkPaper, BorderWidth: 0.7}))
	}
	perplexities := &opts.AxisLabel{Formatter: perplexityLabel}
	chart.SetGlobalOptions(
		charts.WithTooltipOpts(opts.Tooltip{Trigger: "item", Formatter: opts.FuncOpts(readingPair)}),
		charts.WithXAxisOpts(opts.XAxis{Type: "value", Name: axes[0] + " (log scale)", NameLocation: "middle", NameGap: 30, Min: left, Max: right,
			AxisLabel: perplexities, SplitLine: &opts.SplitLine{Show: opts.Bool(false)}}),
		charts.WithYAxisOpts(opts.YAxis{Type: "value", Name: axes[1] + " (log scale)", NameLocation: "middle", NameGap: 48, Min: low, Max: high, AxisLabel: perplexities}),
	)
	f := New(title, caption, chart)
	f.frame()
	f.addBrush()
	f.setPerplexities("yAxis", low, high)
	f.setPerplexities("xAxis", left, right)
	return f
}

// ranges hold all points: what is far off on both axes says most about a correlation.
func ranges(groups []pairedLosses) (left, right, low, high float64) {
	left, low, right, high = math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, g := range groups {
		for _, p := range g.points {
			left, right = min(left, p.before), max(right, p.before)
			low, high = min(low, p.after), max(high, p.after)
		}
	}
	if left > right {
		left, right, low, high = math.Log(10), math.Log(1e5), math.Log(10), math.Log(1e5)
	}
	left, right = padded(left, right)
	low, high = padded(low, high)
	return left, right, low, high
}

// crowd is the points for thinning; the ID of each is its place.
func (g pairedLosses) crowd() []candidate {
	out := make([]candidate, len(g.points))
	for i, p := range g.points {
		out[i] = candidate{id: i, cost: p.before, loss: p.after}
	}
	return out
}
