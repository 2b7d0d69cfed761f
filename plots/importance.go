package plots

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/offshoot-ml/offshoot/slm"
)

// Importance draws what was measured of a teacher's units as a heat map, a row for each layer: heads and query groups in their
// places; neurons, and below them the embedding dimensions, from the highest score to the lowest, in bins. Scores are compared
// only within their list, so colours tell how a unit stands to the mean of its list: of its layer's, or of all layers and
// embedding dimensions. Where only layers were measured, it is [LayerImportance].
func Importance(teacher slm.Config, i slm.Importance) Figure {
	if err := i.Validate(teacher); err != nil {
		return notMeasured("Importance of units", teacher, err)
	}
	if i.Layers != nil && i.Embd == nil && i.QueryGroups == nil && i.Heads == nil && i.FFN == nil {
		return LayerImportance(teacher, i)
	}
	return importanceFigure(importanceNumbers(teacher, i))
}

// notMeasured is the figure of an importance of another teacher.
func notMeasured(title string, teacher slm.Config, err error) Figure {
	return Figure{Title: title, err: fmt.Errorf("plots: this was not measured on %s: %w", teacher.Name, err)}
}

// importanceEnds are the upper ends of all levels but the last, as multiples of the mean.
var importanceEnds = []float64{0.5, 0.9, 1.1, 2, 4}

// importanceNames are the levels in the legend.
var importanceNames = []string{"up to 0.5", "0.9", "1.1", "2", "4", "more (times the mean)"}

// importanceLevel is that of a score as a multiple of the mean.
func importanceLevel(multiple float64) int {
	for i, end := range importanceEnds {
		if multiple <= end {
			return i + 1
		}
	}
	return len(importanceNames)
}

type importances struct {
	method string
	units  unitPanels
	what   []string    // the units of each panel, in tooltips
	means  [][]float64 // [panels][rows], the score that is the mean
	top    []int       // layers, from the highest score
	half   float64     // share of the neurons that have half of the scores, mean over layers; 0 where they were not measured
}

func importanceNumbers(teacher slm.Config, i slm.Importance) importances {
	n := importances{method: i.Method, units: unitPanels{teacher: teacher}}
	if i.Layers != nil {
		n.addLayers(i)
	}
	if i.Heads != nil {
		n.addPanel(headsPanel(teacher), "head", i.Heads, drawInPlace)
	}
	if i.QueryGroups != nil && teacher.HeadsPerGroup() > 1 {
		groups := teacher
		groups.Heads = groups.QueryGroups
		p := headsPanel(groups)
		p.name, p.share, p.ticks = "query groups", 0.13, thinned(p.ticks, mostTicks/2)
		n.addPanel(p, "query group", i.QueryGroups, drawInPlace)
	}
	if i.FFN != nil {
		n.addNeurons(i)
	}
	n.units.embd = embdPanel(teacher)
	if i.Embd == nil {
		n.units.embd.name += ": not measured"
		return n
	}
	n.units.embd.name += ", sorted"
	n.add(&n.units.embd, "embedding dimensions ranked", [][]float64{descending(i.Embd)}, func(p *panel, row int, multiples []float64) {
		p.addMeans(row, multiples, binsOf(teacher.Embd, 1), importanceLevel)
	})
	return n
}

// drawScores draws the scores of a row, as multiples of their mean.
type drawScores func(p *panel, row int, multiples []float64)

func drawInPlace(p *panel, row int, multiples []float64) { p.addHeads(row, multiples, importanceLevel) }

// add draws a panel with a row for each list of scores.
func (n *importances) add(p *panel, what string, scores [][]float64, draw drawScores) {
	means := make([]float64, len(scores))
	for row, of := range scores {
		means[row] = meanOf(of)
		draw(p, row, multiplesOf(of, means[row]))
	}
	n.what, n.means = append(n.what, what), append(n.means, means)
}

func (n *importances) addPanel(p panel, what string, scores [][]float64, draw drawScores) {
	n.add(&p, what, scores, draw)
	n.units.panels = append(n.units.panels, p)
}

// addLayers draws each layer beside the mean of all.
func (n *importances) addLayers(i slm.Importance) {
	layers := len(i.Layers)
	n.addPanel(layersPanel(n.units.teacher), "", slices.Repeat([][]float64{i.Layers}, layers), func(p *panel, row int, multiples []float64) {
		p.addMeans(row, multiples[row:row+1], 1, importanceLevel)
	})
	n.top = slm.ByImportance(i)(slm.Units{Axis: slm.LayerAxis, Layer: -1, Count: layers}, layers)
}

// addNeurons draws those of a layer from the highest score to the lowest.
func (n *importances) addNeurons(i slm.Importance) {
	teacher := n.units.teacher
	p := ffnPanel(teacher)
	p.name = "FFN neurons, sorted"
	sorted := make([][]float64, len(i.FFN))
	for l, scores := range i.FFN {
		sorted[l] = descending(scores)
	}
	n.addPanel(p, "neurons ranked", sorted, func(p *panel, row int, multiples []float64) {
		p.addMeans(row, multiples, binsOf(teacher.FFN, teacher.Layers), importanceLevel)
		n.half += half(multiples) / float64(teacher.Layers)
	})
}

func descending(scores []float64) []float64 {
	sorted := slices.Sorted(slices.Values(scores))
	slices.Reverse(sorted)
	return sorted
}

func meanOf(scores []float64) float64 {
	sum := 0.0
	for _, v := range scores {
		sum += v
	}
	return sum / float64(len(scores))
}

// multiplesOf are scores as multiples of their mean; all 1 where that is not positive, and says nothing.
func multiplesOf(scores []float64, mean float64) []float64 {
	out := make([]float64, len(scores))
	for i, v := range scores {
		out[i] = 1
		if mean > 0 {
			out[i] = v / mean
		}
	}
	return out
}

// half is the share of units, the highest first, that have half of the sum.
func half(multiples []float64) float64 {
	sum := 0.0
	for i, v := range multiples {
		if sum += v; sum >= float64(len(multiples))/2 {
			return float64(i+1) / float64(len(multiples))
		}
	}
	return 1
}

func (n importances) caption() string {
	text := "Colour: the score as a multiple of the mean of its layer."
	if len(n.top) > 1 {
		text = fmt.Sprintf("Layer %d scores highest, %d lowest.", n.top[0], n.top[len(n.top)-1])
	}
	if n.half > 0 {
		text += fmt.Sprintf(" %s of the neurons have half of their layer's score.", percent(n.half))
	}
	return text
}

// readingImportance is the tooltip of a unit or a bin of them. Its arguments are the panel of the embedding, the units' names, and
// the means by panel and row.
const readingImportance = `function(p){var v=p.value,i=parseInt(p.seriesId),E=%d,W=%s[i],m=(%s[i]||[])[v[0]],s=i===E?"":"<b>layer "+v[0]+"</b>";` +
	`if(v.length<4||m===undefined)return s||"<b>embedding dimensions</b>";` +
	`return s+(s&&W?"<br>":"")+(W?W+" "+v[1]+(v[2]-v[1]>1?"–"+(v[2]-1):""):"")+"<br>score <b>"+ +(v[3]*m).toPrecision(3)+"</b>"+(v[2]-v[1]>1?" on average":"")+", "+` +
	`v[3].toFixed(2)+" times the mean"}`

func importanceFigure(n importances) Figure {
	title := fmt.Sprintf("Importance in %s (%s)", n.units.teacher.Name, n.method)
	if len(n.means) == 0 {
		return empty(title, "Nothing has been measured.")
	}
	if len(n.units.panels) == 0 { // the embedding was measured alone
		n.units.panels = []panel{layersPanel(n.units.teacher)}
		n.what, n.means = append([]string{""}, n.what...), append([][]float64{nil}, n.means...)
	}
	means := make([][]float64, len(n.means))
	for i, of := range n.means {
		for _, mean := range of {
			means[i] = append(means[i], significant(mean, 4))
		}
	}
	what, _ := json.Marshal(n.what) // strings and finite numbers always marshal
	told, _ := json.Marshal(means)
	chart := n.units.chart(fmt.Sprintf(readingImportance, len(n.units.panels), what, told))
	chart.MultiSeries = append(chart.MultiSeries, n.units.levels(importanceNames, sequential(len(importanceNames)))...)
	f := New(title, n.caption(), chart)
	n.units.place(&f, map[string]any{"data": importanceNames, "itemGap": 18})
	return f
}
