package plots

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/offshoot-ml/offshoot/slm"
)

// Overlap draws two sub-networks of a teacher over each other: grey is what both keep, and each has a colour for what only it
// keeps. Heads stand in their places; of the long dimensions, and of very many heads, a row is a stacked bar, since their units
// have no order of their own: first the units that both keep. A layer's tooltip counts them all.
func Overlap(teacher slm.Config, first, second slm.Subnet) Figure {
	const title = "Overlap of two sub-networks"
	if err := first.Validate(teacher); err != nil {
		return notOf(title, teacher, "the first sub-network", err)
	}
	if err := second.Validate(teacher); err != nil {
		return notOf(title, teacher, "the second sub-network", err)
	}
	return overlapFigure(overlapNumbers(teacher, first, second, keepers))
}

// keepers are the words for what both keep, only the first, only the second, and neither.
var keepers = [4]string{"both", "first only", "second only", "neither"}

// The levels of a run say who keeps it.
const (
	keptByBoth = 1 + iota
	keptByFirst
	keptBySecond
)

// overlapInks are the colours of the levels.
var overlapInks = []string{inkMuted, categorical[0], categorical[1]}

type overlap struct {
	slm.Overlap
	units unitPanels // heads, head size, neurons and the embedding
	words [4]string
}

func overlapNumbers(teacher slm.Config, first, second slm.Subnet, words [4]string) overlap {
	o := overlap{Overlap: slm.OverlapOf(teacher, first, second), words: words}
	heads, headSize, ffn, embd := headsPanel(teacher), headSizePanel(teacher), ffnPanel(teacher), embdPanel(teacher)
	if !heads.boxes {
		heads = unitsPanel("heads", heads.share, teacher.Heads, teacher.Layers)
	}
	kept := [2][]slm.Indices{keptHeads(teacher, first), keptHeads(teacher, second)}
	for l, units := range o.Units {
		keep := units.Heads.Either() > 0 // whether any of the two keeps the layer
		o.units.pale = append(o.units.pale, !keep)
		if !keep {
			continue
		}
		if heads.boxes {
			heads.addKept(teacher, l, kept[0][l], kept[1][l])
		} else {
			heads.addStacked(l, units.Heads)
		}
		headSize.addStacked(l, units.HeadSize)
		ffn.addStacked(l, units.FFN)
	}
	embd.addStacked(0, o.Embd)
	o.units.teacher, o.units.panels, o.units.embd = teacher, []panel{heads, headSize, ffn}, embd
	return o
}

// nothing is a set of heads that holds none of them.
var nothing = slm.IndicesOf(1 << 20)

// keptHeads are the heads that a sub-network keeps of each of the teacher's layers.
func keptHeads(teacher slm.Config, s slm.Subnet) []slm.Indices {
	out := slices.Repeat([]slm.Indices{nothing}, teacher.Layers)
	for _, l := range s.KeptLayers(teacher) {
		out[l.Layer] = slm.IndicesOf(s.Indices(teacher, l, slm.HeadAxis)...)
	}
	return out
}

// addKept adds a row of heads by who keeps them.
func (p *panel) addKept(teacher slm.Config, layer int, first, second slm.Indices) {
	for head := range teacher.Heads {
		box := run{row: layer, from: head, to: head + 1}
		switch a, b := first.Contains(head), second.Contains(head); {
		case a && b:
			box.level = keptByBoth
		case a:
			box.level = keptByFirst
		case b:
			box.level = keptBySecond
		default:
			p.track = append(p.track, box)
			continue
		}
		p.add(box)
	}
}

// addStacked adds a row as a bar of what both keep, then the first, then the second.
func (p *panel) addStacked(row int, s slm.Shared) {
	p.track = append(p.track, p.whole(row))
	from := 0
	for i, count := range []int{s.Both, s.First, s.Second} {
		if count > 0 {
			p.add(run{row: row, from: from, to: from + count, level: keptByBoth + i})
		}
		from += count
	}
}

// readingOverlap is the tooltip of a row. Its arguments are the panel of the embedding, the words, and who keeps how many: by layer
// of query groups, heads, head size and neurons; and of the embedding dimensions.
const readingOverlap = `function(p){var W=%s,names=["query groups","heads","head size","FFN neurons"],l=p.value[0];` +
	`function s(c){return c.map(function(n,i){return W[i]+" "+n}).join(", ")}` +
	`if(parseInt(p.seriesId)===%d)return"<b>embedding dimensions</b><br>"+s(%s);var c=%s[l];` +
	`return"<b>layer "+l+"</b>"+(c?c.map(function(c,i){return"<br>"+names[i]+": "+s(c)}).join(""):": "+W[3])}`

// tooltip counts the units of each row; nothing of a layer that neither keeps.
func (o overlap) tooltip() string {
	of := func(s slm.Shared) [4]int { return [4]int{s.Both, s.First, s.Second, s.Neither} }
	counts := make([]*[4][4]int, len(o.Units))
	for l, u := range o.Units {
		if u.Heads.Either() > 0 {
			counts[l] = &[4][4]int{of(u.QueryGroups), of(u.Heads), of(u.HeadSize), of(u.FFN)}
		}
	}
	layers, _ := json.Marshal(counts) // integers and our own words always marshal
	embd, _ := json.Marshal(of(o.Embd))
	words, _ := json.Marshal(o.words)
	return fmt.Sprintf(readingOverlap, words, len(o.units.panels), embd, layers)
}

func (o overlap) caption() string {
	if o.Parameters.First == 0 && o.Parameters.Second == 0 {
		return "The two are the same. Pale: what neither keeps."
	}
	return fmt.Sprintf("Both keep %s of the parameters that either keeps, and %d of %d layers. Pale: neither.",
		percent(o.Parameters.Jaccard()), o.Layers.Both, o.Layers.Either())
}

// name says on the axis of each panel which share both keep of what either keeps.
func (o overlap) name() {
	var heads, headSize, ffn slm.Shared
	for _, u := range o.Units {
		if u.Heads.Either() > 0 {
			heads, headSize, ffn = heads.Plus(u.Heads), headSize.Plus(u.HeadSize), ffn.Plus(u.FFN)
		}
	}
	for i, s := range []slm.Shared{heads, headSize, ffn} {
		o.units.panels[i].name += fmt.Sprintf("\n%s in both", percent(s.Jaccard()))
	}
}

func percent(share float64) string { return fmt.Sprintf("%d%%", int(math.Round(100*share))) }

// legendNames say how many parameters each colour stands for.
func (o overlap) legendNames() []string {
	count := func(n int) string { return slm.Count(int64(n)) }
	return []string{
		fmt.Sprintf("%s: %s parameters", o.words[0], count(o.Parameters.Both)),
		fmt.Sprintf("%s: %s", o.words[1], count(o.Parameters.First)),
		fmt.Sprintf("%s: %s", o.words[2], count(o.Parameters.Second)),
	}
}

func overlapFigure(o overlap) Figure {
	o.name()
	o.units.embd.name += fmt.Sprintf(", %s in both", percent(o.Embd.Jaccard()))
	chart := o.units.chart(o.tooltip())
	names := o.legendNames()
	chart.MultiSeries = append(chart.MultiSeries, o.units.levels(names, overlapInks)...)
	f := New("Overlap of two sub-networks of "+o.units.teacher.Name, o.caption(), chart)
	o.units.place(&f, map[string]any{"data": names})
	return f
}
