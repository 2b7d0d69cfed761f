package plots

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/offshoot-ml/offshoot/slm"
)

// Attention draws where heads look, a small map for each: a row is a token, and the stronger a column of it, the more the head takes
// from the token there. With another model that has read the same text, such as a student that keeps some of its teacher's heads,
// each map holds both: the first below the diagonal, the other mirrored above it.
func Attention(model slm.Attention, other ...slm.Attention) Figure {
	n, err := attentionNumbers(append([]slm.Attention{model}, other...))
	if err != nil {
		return Figure{Title: "Attention", err: err}
	}
	return attentionFigure(n)
}

const (
	attentionLevels = 8  // of colour
	mostHeadColumns = 12 // up to so many heads of a layer, a column for each
	wrappedColumns  = 8  // of maps, where there are more heads
	mostLooks       = 3  // tokens that a tooltip lists
)

// attentionMaps is what the figure shows.
type attentionMaps struct {
	models  []slm.Attention
	tokens  []string // of each bin, the first
	binned  bool     // a bin has more than one token
	maps    []headMap
	columns []int // the heads of the columns; nil where maps follow each other
	layers  []int // of the rows; nil likewise
}

// headMap is a head's map, with the weights of each model that keeps the head: weights[m][t][s] of bin t on bin s.
type headMap struct {
	layer, head int
	row, column int
	read        [2][][]float32 // the weights of each token
	weights     [2][][]float64
}

func attentionNumbers(models []slm.Attention) (n attentionMaps, err error) {
	if len(models) > 2 {
		return n, fmt.Errorf("plots: maps of attention show one model or two, not %d", len(models))
	}
	if len(models) == 2 && !slices.Equal(models[0].Tokens, models[1].Tokens) {
		return n, fmt.Errorf("plots: %s and %s read different tokens: let both read the same text", models[0].Model, models[1].Model)
	}
	n.models = models
	for m, a := range models {
		for _, head := range a.Maps {
			at := slices.IndexFunc(n.maps, func(h headMap) bool { return h.layer == head.Layer && h.head == head.Head })
			if at < 0 {
				at, n.maps = len(n.maps), append(n.maps, headMap{layer: head.Layer, head: head.Head})
			}
			n.maps[at].read[m] = head.Weights
		}
	}
	if len(n.maps) == 0 {
		return n, errors.New("plots: there is no map of attention")
	}
	slices.SortFunc(n.maps, func(a, b headMap) int { return cmp.Or(a.layer-b.layer, a.head-b.head) })
	n.arrange()
	n.bin()
	return n, nil
}

// arrange gives each layer a row and each head a column, or lets maps follow each other where that would be too wide.
func (n *attentionMaps) arrange() {
	var layers, heads []int
	for _, h := range n.maps {
		layers, heads = append(layers, h.layer), append(heads, h.head)
	}
	slices.Sort(heads)
	layers, heads = slices.Compact(layers), slices.Compact(heads)
	if len(heads) <= mostHeadColumns && len(n.maps) > 1 {
		n.layers, n.columns = layers, heads
	}
	for i := range n.maps {
		h := &n.maps[i]
		h.row, h.column = i/wrappedColumns, i%wrappedColumns
		if n.columns != nil {
			h.row, h.column = slices.Index(layers, h.layer), slices.Index(heads, h.head)
		}
	}
}

// size is the number of columns and rows of maps.
func (n attentionMaps) size() (columns, rows int) {
	for _, h := range n.maps {
		columns, rows = max(columns, h.column+1), max(rows, h.row+1)
	}
	return columns, rows
}

// bin makes the maps coarser than the text where a screen could not show each token.
func (n *attentionMaps) bin() {
	columns, _ := n.size()
	all := n.models[0].Tokens
	bins := min(len(all), max(24, 128/columns))
	n.binned = bins < len(all)
	for b := range bins {
		first, _ := binBounds(b, bins, len(all))
		n.tokens = append(n.tokens, all[first])
	}
	for i := range n.maps {
		for m, weights := range n.maps[i].read {
			n.maps[i].weights[m] = binned(weights, bins)
		}
	}
}

// binned adds up what the tokens of a bin give to those of another, in the mean over the former: rows still sum to 1.
func binned(weights [][]float32, bins int) [][]float64 {
	if weights == nil {
		return nil
	}
	out, size := make([][]float64, bins), len(weights)
	for b := range out {
		out[b] = make([]float64, b+1)
		first, next := binBounds(b, bins, size)
		for _, row := range weights[first:next] {
			for s, weight := range row {
				out[b][s*bins/size] += float64(weight) / float64(next-first)
			}
		}
	}
	return out
}

// level is how dark a weight is, from 0, which is not drawn. The eye tells small weights apart by their roots.
func level(weight float64) int { return int(math.Round(attentionLevels * math.Sqrt(min(1, weight)))) }

// looks are the places that a row takes most from.
func looks(row []float64) []int {
	places := make([]int, len(row))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(a, b int) int { return cmp.Compare(row[b], row[a]) })
	return places[:min(mostLooks, len(places))]
}

func (n attentionMaps) title() string {
	which, room := "", 24 // letters
	if len(n.maps) == 1 {
		which, room = fmt.Sprintf(", layer %d, head %d", n.maps[0].layer, n.maps[0].head), 15
	}
	if len(n.models) == 2 {
		return fmt.Sprintf("Attention of %s and %s%s", abridged(n.models[0].Model, room), abridged(n.models[1].Model, room), which)
	}
	return "Attention of " + abridged(n.models[0].Model, 2*room) + which
}

func (n attentionMaps) caption() string {
	caption := "Rows look at columns."
	if len(n.models) == 2 {
		return fmt.Sprintf("%s Below the diagonal %s, mirrored above it %s.", caption, abridged(n.models[0].Model, 14), abridged(n.models[1].Model, 14))
	}
	first, count := 0.0, 0
	for _, h := range n.maps {
		for _, row := range h.weights[0][min(1, len(h.weights[0])):] {
			first, count = first+row[0], count+1
		}
	}
	if count == 0 {
		return caption
	}
	return fmt.Sprintf("%s The stronger, the more. On the first token, “%s”: %.0f%%.", caption, cut(spaced(n.tokens[0]), 13), 100*first/float64(count))
}
