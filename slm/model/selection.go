package model

import (
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope

	"github.com/offshoot-ml/offshoot/slm"
)

// The sizes of a program are rounded up to these parts of the teacher's, so that few programs serve all candidates.
// Finer parts waste less arithmetic on padding, coarser ones compile fewer programs.
const (
	embdParts = 6
	headParts = 2
	ffnParts  = 3
)

// roundUp is the smallest multiple of size/parts that holds n.
func roundUp(n, size, parts int) int {
	unit := (size + parts - 1) / parts
	return min(size, (n+unit-1)/unit*unit)
}

// selection is what a sub-network keeps of a layer, padded: index vectors (int32, padding points at 0) and masks.
// In order: embd, embdMask, width (scalar), heads, headMask, groupOf, groups, headSize, ffn, ffnMask.
type selection []*Node

const selectionInputs = 10

func (s selection) width() *Node { return s[2] }

// narrow gathers the kept weights of a layer; the masks ride along.
func (s selection) narrow(w layerWeights) layerWeights {
	embd, heads, groups, headSize, ffn := s[0], s[3], s[6], s[7], s[8]
	in := func(x, rows *Node) *Node { return take(take(take(x, 0, rows), 1, headSize), 2, embd) }
	return layerWeights{
		attentionNorm: take(w.attentionNorm, 0, embd),
		query:         in(w.query, heads),
		key:           in(w.key, groups),
		value:         in(w.value, groups),
		output:        take(take(take(w.output, 0, embd), 1, heads), 2, headSize),
		ffnNorm:       take(w.ffnNorm, 0, embd),
		gate:          take(take(w.gate, 0, ffn), 1, embd),
		up:            take(take(w.up, 0, ffn), 1, embd),
		down:          take(take(w.down, 0, embd), 1, ffn),
		groupOf:       s[5],
		embdMask:      s[1],
		headMask:      s[4],
		ffnMask:       s[9],
	}
}

// padded are indices rounded up to a program's size, and the mask of the real ones.
func padded(indices []int, size int) (index []int32, mask []float32) {
	index, mask = make([]int32, size), make([]float32, size)
	for i, v := range indices {
		index[i], mask[i] = int32(v), 1
	}
	return index, mask
}

// selectLayer builds the inputs of the part program for one kept layer.
func selectLayer(c slm.Config, embd slm.Indices, l slm.LayerSubnet) []any {
	kept := embd.Slice(c.Embd)
	embdIndex, embdMask := padded(kept, roundUp(len(kept), c.Embd, embdParts))
	heads := l.Heads.Slice(c.Heads)
	headIndex, headMask := padded(heads, roundUp(len(heads), c.Heads, headParts))
	groups := l.QueryGroups.Slice(c.QueryGroups)
	groupIndex, _ := padded(groups, c.QueryGroups)
	ffn := l.FFN.Slice(c.FFN)
	ffnIndex, ffnMask := padded(ffn, roundUp(len(ffn), c.FFN, ffnParts))
	sizes := l.HeadSize.Slice(c.HeadSize)
	sizeIndex, _ := padded(sizes, len(sizes))
	return []any{embdIndex, embdMask, float32(len(kept)), headIndex, headMask, groupPositions(c, heads, groups, len(headIndex)),
		groupIndex, sizeIndex, ffnIndex, ffnMask}
}

// groupPositions maps each kept head to the position of its query group among the kept ones, padded with 0.
func groupPositions(c slm.Config, heads, groups []int, size int) []int32 {
	position := make(map[int]int32, len(groups))
	for i, g := range groups {
		position[g] = int32(i)
	}
	out := make([]int32, size)
	for i, h := range heads {
		out[i] = position[h/c.HeadsPerGroup()]
	}
	return out
}
