package plots

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/offshoot-ml/offshoot/slm"
)

// Overlap draws two sub-networks of a teacher over each other: grey is what both keep, and each has a colour for what only it
// keeps. Heads stand in their places; of the long dimensions a row is a stacked bar, since their units have no order of their
// own: first the units that both keep. A layer's tooltip counts them all.
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
	units   unitPanels // heads, head size, neurons and the embedding
	stories []string   // by layer, the last of the embedding
	words   [4]string
}

func overlapNumbers(teacher slm.Config, first, second slm.Subnet, words [4]string) overlap {
	o := overlap{Overlap: slm.OverlapOf(teacher, first, second), words: words}
	heads, headSize, ffn, embd := headsPanel(teacher), headSizePanel(teacher), ffnPanel(teacher), embdPanel(teacher)
	var allHeads, allSizes, allFFN slm.Shared
	kept := [2][]slm.Indices{keptHeads(teacher, first), keptHeads(teacher, second)}
	for l, units := range o.Units {
		keep := units.Heads.Either() > 0 // whether any of the two keeps the layer
		o.units.pale = append(o.units.pale, !keep)
		o.stories = append(o.stories, o.story(l))
		if !keep {
			continue
		}
		heads.addKept(teacher, l, kept[0][l], kept[1][l])
		headSize.addStacked(l, units.HeadSize)
		ffn.addStacked(l, units.FFN)
		allHeads, allSizes, allFFN = allHeads.Plus(units.Heads), allSizes.Plus(units.HeadSize), allFFN.Plus(units.FFN)
	}
	heads.name += "\n" + inBoth(allHeads)
	headSize.name += "\n" + inBoth(allSizes)
	ffn.name += "\n" + inBoth(allFFN)
	embd.name += ", " + inBoth(o.Embd)
	embd.addStacked(0, o.Embd)
	o.stories = append(o.stories, "<b>embedding dimensions</b>"+strings.TrimPrefix(o.counted("", o.Embd), ": "))
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
	if !p.boxes {
		p.track = append(p.track, p.whole(layer))
	}
	for head := range teacher.Heads {
		at := headAt(teacher, head)
		box := run{row: layer, from: at, to: at + 1}
		switch a, b := first.Contains(head), second.Contains(head); {
		case a && b:
			box.level = keptByBoth
		case a:
			box.level = keptByFirst
		case b:
			box.level = keptBySecond
		case p.boxes:
			p.track = append(p.track, box)
		}
		if box.level > 0 {
			p.add(box)
		}
	}
}

// addStacked adds a row as a bar of what both keep, then the first, then the second.
func (p *panel) addStacked(row int, s slm.Shared) {
	p.track = append(p.track, p.whole(row))
	from := 0
	for i, count := range []int{s.Both, s.First, s.Second} {
		if count > 0 {
			p.add(run{row: row, from: float64(from), to: float64(from + count), level: keptByBoth + i})
		}
		from += count
	}
}

// story is the tooltip of a layer.
func (o overlap) story(layer int) string {
	u := o.Units[layer]
	if u.Heads.Either() == 0 {
		return fmt.Sprintf("<b>layer %d</b>: %s", layer, o.words[3])
	}
	return fmt.Sprintf("<b>layer %d</b>", layer) + o.counted("query groups", u.QueryGroups) + o.counted("heads", u.Heads) +
		o.counted("head size", u.HeadSize) + o.counted("FFN neurons", u.FFN)
}

// counted says how many units are kept by whom.
func (o overlap) counted(what string, s slm.Shared) string {
	return fmt.Sprintf("<br>%s: %s %d, %s %d, %s %d, %s %d", what, o.words[0], s.Both, o.words[1], s.First, o.words[2], s.Second, o.words[3], s.Neither)
}

func (o overlap) caption() string {
	if o.Parameters.First == 0 && o.Parameters.Second == 0 {
		return "The two are the same. Pale: what neither keeps."
	}
	return fmt.Sprintf("Both keep %s of the parameters that either keeps, and %d of %d layers. Pale: neither.",
		percent(o.Parameters.Jaccard()), o.Layers.Both, o.Layers.Either())
}

// inBoth is the share that both keep of what either keeps.
func inBoth(s slm.Shared) string { return percent(s.Jaccard()) + " in both" }

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
	last := len(o.units.panels)
	chart := o.units.chart(rowStories(o.stories[:len(o.stories)-1], last, o.stories[len(o.stories)-1]))
	names := o.legendNames()
	chart.MultiSeries = append(chart.MultiSeries, o.units.levels(names, overlapInks)...)
	f := New("Overlap of two sub-networks of "+o.units.teacher.Name, o.caption(), chart)
	o.units.place(&f, map[string]any{"data": names})
	return f
}

// levels draws the runs of all panels, each level in a colour and under a name of its own.
func (u unitPanels) levels(names, colours []string) (series []charts.SingleSeries) {
	for i, p := range u.all() {
		for level, name := range names {
			of := slices.DeleteFunc(slices.Clone(p.runs), func(r run) bool { return r.level != level+1 })
			series = append(series, rowSeries(i, p, name, colours[level], "1", of))
		}
	}
	return series
}
