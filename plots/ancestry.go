package plots

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// Ancestry draws the family tree of a search's winner: generations from left to right, each ancestor at the height of its
// perplexity, with the form of how it came to be. The strong line follows the better parent from the first generation to the winner.
func Ancestry(p slm.Population) Figure { return AncestryOf(p, p.Best().ID) }

// AncestryOf is [Ancestry] of another candidate.
func AncestryOf(p slm.Population, id int) Figure { return ancestryFigure(ancestryNumbers(p, id)) }

// origins are how a candidate comes to be, in the order of their symbols.
var origins = []string{"random", "mutation", "crossover"}

// ancestry is a family tree; the cost of a candidate is its place between the generations.
type ancestry struct {
	name      string
	winner    int
	members   [][]candidate // by origin
	descent   [][2]place    // from parent to child
	lineage   []place
	line      []candidate // the lineage's members
	counts    []int       // by origin, of the whole family
	family    int
	last      int // generation
	low, high float64
}

type place struct{ x, loss float64 }

// mostRelatives bounds the tree: beyond it only the nearest are drawn, and as many of the lineage, evenly.
const mostRelatives = 200

func ancestryNumbers(p slm.Population, id int) ancestry {
	family, lineage := slices.DeleteFunc(p.Ancestors(id), unplaced), slices.DeleteFunc(p.Lineage(id), unplaced)
	n := ancestry{name: p.Name, winner: id, family: len(family), members: make([][]candidate, len(origins)), counts: make([]int, len(origins))}
	for _, c := range family {
		n.counts[originOf(c)]++
		n.last = max(n.last, c.Generation)
	}
	drawn := nearest(family, lineage)
	at, losses := places(drawn), make([]float64, len(drawn))
	for i, c := range drawn {
		here := at[c.ID]
		losses[i] = c.Loss
		n.members[originOf(c)] = append(n.members[originOf(c)], candidateNumbers(p.Teacher, c, here.x))
		for _, parent := range c.Parents {
			if there, ok := at[parent]; ok {
				n.descent = append(n.descent, [2]place{there, here})
			}
		}
	}
	for _, c := range lineage {
		if here, ok := at[c.ID]; ok {
			n.lineage = append(n.lineage, here)
			n.line = append(n.line, candidateNumbers(p.Teacher, c, here.x))
		}
	}
	n.low, n.high, _ = lossRange(losses)
	return n
}

func unplaced(c slm.Candidate) bool { return !placed(c) }

// originOf is an index into origins; what a cell of a reader's own invented counts as random.
func originOf(c slm.Candidate) int { return max(0, slices.Index(origins, c.Origin)) }

// nearest are as many relatives as there is room for, and the lineage that leads on from them.
func nearest(family, lineage []slm.Candidate) []slm.Candidate {
	if len(family) <= mostRelatives {
		return family
	}
	drawn := slices.Clone(family[:mostRelatives])
	for _, c := range append(thinned(lineage, mostRelatives-1), lineage[len(lineage)-1]) {
		if !slices.ContainsFunc(drawn, func(d slm.Candidate) bool { return d.ID == c.ID }) {
			drawn = append(drawn, c)
		}
	}
	return drawn
}

// places puts the members of a generation side by side, in the order of their IDs, so that equal ones do not cover each other.
func places(family []slm.Candidate) map[int]place {
	byGeneration := map[int][]slm.Candidate{}
	for _, c := range family {
		byGeneration[c.Generation] = append(byGeneration[c.Generation], c)
	}
	at := map[int]place{}
	for g, members := range byGeneration {
		slices.SortFunc(members, func(a, b slm.Candidate) int { return cmp.Compare(a.ID, b.ID) })
		for i, c := range members {
			spread := min(0.15, 0.6/float64(len(members)))
			at[c.ID] = place{float64(g) + spread*(float64(i)-float64(len(members)-1)/2), c.Loss}
		}
	}
	return at
}

func (n ancestry) caption() string {
	switch {
	case n.family == 0:
		return fmt.Sprintf("Candidate #%d has not been evaluated, or has no finite loss.", n.winner)
	case n.family == 1 && n.counts[0] == 1:
		return fmt.Sprintf("#%d was drawn at random: it descends from no other candidate.", n.winner)
	}
	text := fmt.Sprintf("#%d comes from %s by %s and %s.", n.winner, counted(n.counts[0], "random candidate"), counted(n.counts[1], "mutation"), counted(n.counts[2], "crossover"))
	if drawn := len(slices.Concat(n.members...)); drawn < n.family {
		return fitted(text, fmt.Sprintf("Drawn: %d.", drawn))
	}
	return fitted(text, "Strong: better parent.")
}

func ancestryFigure(n ancestry) Figure {
	chart := charts.NewScatter()
	s := scatter{low: n.low, high: n.high}
	chart.SetGlobalOptions(
		charts.WithTooltipOpts(opts.Tooltip{Trigger: "item", Formatter: opts.FuncOpts(story)}),
		charts.WithXAxisOpts(opts.XAxis{Type: "value", Name: "generation", NameLocation: "middle", NameGap: 30, Min: -0.5, Max: float64(n.last) + 0.5,
			SplitLine: &opts.SplitLine{Show: opts.Bool(false)}}),
		charts.WithYAxisOpts(s.perplexityAxis()),
	)
	if n.family > 0 {
		n.addLines(chart)
	}
	for i, members := range n.members {
		if len(members) == 0 {
			continue
		}
		chart.AddSeries(origins[i], s.points(members), charts.WithScatterChartOpts(opts.ScatterChart{Symbol: symbolOf(i), SymbolSize: n.symbolSize()}),
			charts.WithItemStyleOpts(opts.ItemStyle{Color: categorical[[]int{0, 2, 3}[i]], BorderColor: inkPaper, BorderWidth: 0.7}))
	}
	f := New(strings.TrimSpace("Family tree "+n.name), n.caption(), chart)
	f.frame()
	f.setPerplexities("yAxis", n.low, n.high)
	f.setGenerations(n.last)
	f.set("yAxis.0.axisLine.onZero", false)
	f.set("xAxis.0.axisLine.onZero", false)
	n.label(f)
	return f
}

// mostNames of a lineage stand beside it; the others are in the tooltips.
const mostNames = 5

// label names the lineage, below and to the left of its line, which falls; only the first stands on its other side.
func (n ancestry) label(f Figure) {
	last := len(n.lineage) - 1
	stride := last/mostNames + 1
	for i := range n.lineage {
		if (last-i)%stride != 0 || i > 0 && i < stride {
			continue
		}
		label := map[string]any{"show": true, "position": "bottom", "align": "right", "color": inkText, "fontSize": 12, "lineHeight": 14,
			"textBorderColor": inkPaper, "textBorderWidth": 3,
			"formatter": "__f__function(p){" + compactNumber + `return"#"+p.value[2]+", "+n(Math.exp(p.value[12]))}__f__`}
		if i == 0 {
			label["position"], label["align"] = "right", "left"
		}
		f.set(fmt.Sprintf("series.2.data.%d.label", i), label)
	}
}

func (n ancestry) symbolSize() int {
	if n.family > 60 {
		return 8
	}
	return 12
}

// addLines draws who descends from whom, the lineage strong, and its members' names.
func (n ancestry) addLines(chart *charts.Scatter) {
	var descent, lineage []any
	for _, pair := range n.descent {
		descent = append(descent, n.datum(pair[0]), n.datum(pair[1]), []any{nil, nil}) // a gap
	}
	for _, p := range n.lineage {
		lineage = append(lineage, n.datum(p))
	}
	faint := line("descent", inkMuted, 1, descent)
	faint.LineStyle.Opacity = opts.Float(0.5)
	chart.MultiSeries = append(chart.MultiSeries, faint, line("lineage", categorical[1], 3, lineage))
	s := scatter{high: n.high}
	chart.AddSeries("lineage", s.points(n.line), charts.WithItemStyleOpts(opts.ItemStyle{Color: categorical[1]}),
		charts.WithScatterChartOpts(opts.ScatterChart{SymbolSize: n.symbolSize() + 5}))
}

func (n ancestry) datum(p place) []any {
	return []any{rounded(p.x, 3), rounded(min(p.loss, n.high), 4)}
}
