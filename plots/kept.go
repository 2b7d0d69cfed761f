package plots

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/offshoot-ml/offshoot/slm"
)

// Kept draws how often candidates keep each unit of their teacher, as a heat map: a row for each layer with the layer itself,
// its heads, the dimensions of its heads and its neurons, and below them the embedding dimensions. Long dimensions are drawn
// in bins. Give it a population's candidates, or its best ones:
//
//	plots.Kept(found.Teacher, slm.Elites(found.Candidates, 4))
func Kept(teacher slm.Config, candidates []slm.Candidate) Figure {
	for _, c := range candidates {
		if err := c.Subnet.Validate(teacher); err != nil {
			return notOf("How often units are kept", teacher, fmt.Sprintf("candidate #%d", c.ID), err)
		}
	}
	return keptFigure(keptNumbers(teacher, candidates))
}

// keptLevels are the upper ends of all levels but the last two: almost always, and always.
var keptLevels = []float64{0.25, 0.5, 0.75}

// keptNames are the levels in the legend.
var keptNames = []string{"up to 25%", "to 50%", "to 75%", "to 99%", "always"}

// keptLevel is 0 for what is never kept.
func keptLevel(share float64) int {
	switch {
	case share <= 0:
		return 0
	case share >= 1:
		return len(keptNames)
	}
	for i, end := range keptLevels {
		if share <= end {
			return i + 1
		}
	}
	return len(keptNames) - 1
}

type frequencies struct {
	slm.Frequency
	units unitPanels // layers, heads, head size, neurons and the embedding
}

func keptNumbers(teacher slm.Config, candidates []slm.Candidate) frequencies {
	n := frequencies{Frequency: slm.FrequencyOf(teacher, candidates)}
	layers, heads, headSize, ffn, embd := layersPanel(teacher), headsPanel(teacher), headSizePanel(teacher), ffnPanel(teacher), embdPanel(teacher)
	for l, share := range n.Layers {
		n.units.pale = append(n.units.pale, share == 0)
		layers.addMeans(l, []float64{share}, 1, keptLevel)
		heads.addHeads(l, n.Heads[l], keptLevel)
		headSize.addMeans(l, n.HeadSize[l], binsOf(teacher.HeadSize, teacher.Layers), keptLevel)
		ffn.addMeans(l, n.FFN[l], binsOf(teacher.FFN, teacher.Layers), keptLevel)
	}
	embd.addMeans(0, n.Embd, binsOf(teacher.Embd, 1), keptLevel)
	n.units.teacher, n.units.panels, n.units.embd = teacher, []panel{layers, heads, headSize, ffn}, embd
	return n
}

// addMeans adds a row of values, one for each unit, as the means of bins.
func (p *panel) addMeans(row int, values []float64, bins int, level func(float64) int) {
	p.told = true
	p.track = append(p.track, p.whole(row))
	for bin := range bins {
		first, next := binBounds(bin, bins, len(values))
		sum := 0.0
		for _, v := range values[first:next] {
			sum += v
		}
		mean := sum / float64(next-first)
		if l := level(mean); l > 0 {
			p.add(run{row: row, from: first, to: next, level: l, value: mean})
		}
	}
}

// addHeads adds a row of values of heads.
func (p *panel) addHeads(row int, values []float64, level func(float64) int) {
	p.told = true
	if !p.boxes {
		p.track = append(p.track, p.whole(row))
	}
	for head, v := range values {
		box := run{row: row, from: head, to: head + 1, level: level(v), value: v}
		switch {
		case box.level > 0:
			p.add(box)
		case p.boxes:
			p.track = append(p.track, box)
		}
	}
}

// caption says which layers are kept most and least often.
func (n frequencies) caption() string {
	if n.Subnets == 0 {
		return "No candidate has been evaluated yet."
	}
	layers := make([]int, len(n.Layers))
	for l := range layers {
		layers[l] = l
	}
	slices.SortStableFunc(layers, func(a, b int) int { return cmp.Compare(n.Layers[b], n.Layers[a]) })
	first, last := layers[0], layers[len(layers)-1]
	if n.Layers[first] == n.Layers[last] {
		return fmt.Sprintf("Every layer is kept by %s. Pale: units that none keeps.", percent(n.Layers[first]))
	}
	var most []string
	for _, l := range layers[:min(3, len(layers)-1)] {
		most = append(most, fmt.Sprintf("%d (%s)", l, percent(n.Layers[l])))
	}
	return fmt.Sprintf("Layers kept most often: %s; least: %d (%s). Pale: units that none keeps.",
		strings.Join(most, ", "), last, percent(n.Layers[last]))
}

// readingKept is the tooltip of a unit or a bin of them; its arguments are the panel of the embedding and the layers' shares.
const readingKept = `function(p){var v=p.value,i=parseInt(p.seriesId),E=%d,L=%s,n=["","head","head dimension","neuron"][i]||"embedding dimension",` +
	`s=i===E?"":"<b>layer "+v[0]+"</b> kept by "+L[v[0]]+"%%";if(i===0||v.length<4)return s||"<b>embedding dimensions</b>";` +
	`return s+(s?"<br>":"")+n+(v[2]-v[1]>1?"s "+v[1]+"–"+(v[2]-1)+": on average ":" "+v[1]+": ")+Math.round(100*v[3])+"%%"}`

func keptFigure(n frequencies) Figure {
	percents := make([]int, len(n.Layers))
	for l, share := range n.Layers {
		percents[l] = int(math.Round(100 * share))
	}
	layers, _ := json.Marshal(percents) // integers always marshal
	chart := n.units.chart(fmt.Sprintf(readingKept, len(n.units.panels), layers))
	chart.MultiSeries = append(chart.MultiSeries, n.units.levels(keptNames, sequential(len(keptNames)))...)
	f := New(fmt.Sprintf("How often %s of %s keep units", counted(n.Subnets, "candidate"), n.units.teacher.Name), n.caption(), chart)
	n.units.place(&f, map[string]any{"data": keptNames})
	return f
}
