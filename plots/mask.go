package plots

import (
	"encoding/json"
	"fmt"
	"html"
	"math"

	"github.com/offshoot-ml/offshoot/slm"
)

// Mask draws what a sub-network keeps of its teacher: heads by query group, dimensions of a head and FFN neurons, a row for
// each of the teacher's layers, and below them the embedding dimensions, which all layers share. Long dimensions are drawn in
// bins, the stronger the more of a bin is kept. A row's tooltip lists its index sets.
func Mask(teacher slm.Config, s slm.Subnet) Figure {
	if err := s.Validate(teacher); err != nil {
		return notOf("Sub-network", teacher, "the sub-network", err)
	}
	return maskFigure(maskNumbers(teacher, s))
}

// notOf is the figure of a sub-network of another teacher.
func notOf(title string, teacher slm.Config, what string, err error) Figure {
	return Figure{Title: title, err: fmt.Errorf("plots: %s is not one of %s: %w", what, teacher.Name, err)}
}

// mask is what the figure shows.
type mask struct {
	teacher                   slm.Config
	parameters                int64
	total                     int64
	kept                      []bool   // by layer
	stories                   []string // by layer
	heads, headSize, ffn, dim panel
}

// mostLevel is the level of a bin that is kept in full; others are so many quarters.
const mostLevel = 4

func maskNumbers(teacher slm.Config, s slm.Subnet) mask {
	m := mask{teacher: teacher, parameters: s.Parameters(teacher).Total(), total: slm.Subnet{}.Parameters(teacher).Total(),
		kept: make([]bool, teacher.Layers), stories: make([]string, teacher.Layers),
		heads: headsPanel(teacher), headSize: headSizePanel(teacher), ffn: ffnPanel(teacher), dim: embdPanel(teacher)}
	for l := range m.stories {
		m.stories[l] = fmt.Sprintf("<b>layer %d</b>: dropped", l)
	}
	for _, l := range s.KeptLayers(teacher) {
		m.kept[l.Layer] = true
		m.stories[l.Layer] = layerStory(teacher, l)
		m.addHeads(l.Layer, s.Indices(teacher, l, slm.HeadAxis))
		m.headSize.addBinned(l.Layer, l.HeadSize, teacher.HeadSize, teacher.Layers)
		m.ffn.addBinned(l.Layer, l.FFN, teacher.FFN, teacher.Layers)
	}
	m.dim.addBinned(0, s.Embd, teacher.Embd, 1)
	return m
}

// addHeads adds a row of heads, of which those given are kept; nil for all of them.
func (m *mask) addHeads(layer int, kept []int) {
	heads := slm.IndicesOf(kept...)
	m.heads.count += heads.Len(m.teacher.Heads)
	if !m.heads.boxes {
		m.heads.track = append(m.heads.track, m.heads.whole(layer))
	}
	for head := range m.teacher.Heads {
		box := run{row: layer, from: head, to: head + 1, level: mostLevel}
		if heads.Contains(head) {
			m.heads.add(box)
		} else if m.heads.boxes {
			m.heads.track = append(m.heads.track, box)
		}
	}
}

// addBinned adds a row of a long dimension, bin by bin.
func (p *panel) addBinned(row int, kept slm.Indices, size, rows int) {
	p.track = append(p.track, p.whole(row))
	p.count += kept.Len(size)
	bins := binsOf(size, rows)
	counts := make([]int, bins)
	for i := range kept.All(size) {
		counts[i*bins/size]++
	}
	for bin, count := range counts {
		first, next := binBounds(bin, bins, size)
		if level := int(math.Ceil(mostLevel * float64(count) / float64(next-first))); level > 0 {
			p.add(run{row: row, from: first, to: next, level: level})
		}
	}
}

func layerStory(teacher slm.Config, l slm.LayerSubnet) string {
	shape := l.Shape(teacher)
	line := func(name string, kept slm.Indices, count, of int) string {
		return fmt.Sprintf("<br>%s %s (%d of %d)", name, html.EscapeString(shortened(kept.String())), count, of)
	}
	return fmt.Sprintf("<b>layer %d</b>", l.Layer) +
		line("query groups", l.QueryGroups, shape.QueryGroups, teacher.QueryGroups) +
		line("heads", l.Heads, shape.Heads, teacher.Heads) +
		line("head size", l.HeadSize, shape.HeadSize, teacher.HeadSize) +
		line("FFN neurons", l.FFN, shape.FFN, teacher.FFN)
}

// shortened cuts a long index set, such as a fine one of hundreds of neurons.
func shortened(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}

func (m mask) layers() int {
	n := 0
	for _, kept := range m.kept {
		if kept {
			n++
		}
	}
	return n
}

func (m mask) caption() string {
	layers := fmt.Sprintf("Empty rows: dropped layers (%d of %d).", len(m.kept)-m.layers(), len(m.kept))
	if m.layers() == len(m.kept) {
		layers = "All layers are kept."
	}
	return fmt.Sprintf("Coloured: kept, %s of %s parameters. Pale: dropped. %s", slm.Count(m.parameters), slm.Count(m.total), layers)
}

func maskFigure(m mask) Figure {
	for _, p := range []*panel{&m.heads, &m.headSize, &m.ffn} {
		p.name += "\n" + p.kept()
	}
	m.dim.name += ", " + m.dim.kept()
	u := unitPanels{teacher: m.teacher, panels: []panel{m.heads, m.headSize, m.ffn}, embd: m.dim, pale: inverted(m.kept)}
	chart := u.chart(rowStories(m.stories, len(u.panels), fmt.Sprintf("<b>embedding dimensions</b><br>%d of %d kept", m.dim.count, m.dim.of)))
	for i, p := range u.all() {
		for level := range mostLevel {
			colour := fmt.Sprintf("%s%02x", maskColours[i], 255*(level+1)/mostLevel)
			chart.MultiSeries = append(chart.MultiSeries, rowSeries(i, p, groundName, colour, 1, p.ofLevel(level+1)))
		}
	}
	f := New("Sub-network of "+m.teacher.Name, m.caption(), chart)
	u.place(&f, nil)
	return f
}

// maskColours are those of heads, head size, neurons and embedding dimensions.
var maskColours = []string{categorical[0], categorical[4], categorical[2], categorical[1]}

// rowStories is the tooltip of figures that tell the story of a whole row: a layer's, or that of the panel embd.
func rowStories(layers []string, embd int, embdStory string) string {
	stories, _ := json.Marshal(layers) // strings always marshal
	return fmt.Sprintf(`function(p){return parseInt(p.seriesId)===%d?%s:%s[p.value[0]]}`, embd, quoted(embdStory), stories)
}

func inverted(flags []bool) []bool {
	out := make([]bool, len(flags))
	for i, f := range flags {
		out[i] = !f
	}
	return out
}
