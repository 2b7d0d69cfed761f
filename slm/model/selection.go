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

// selection is what a sub-network keeps of a layer: index vectors (int32, padded with 0) and how many of them are real
// (float32). In order: embd, width, heads, head count, groups, group of each head, head size, ffn, neuron count, rotary
// frequencies, attention scale.
type selection []*Node

const selectionInputs = 11

// block gathers the kept weights of a layer.
func (s selection) block(c slm.Config, weights []*Node) *block {
	kept := map[slm.Axis]*Node{slm.EmbdAxis: s[0], slm.HeadAxis: s[2], slm.GroupAxis: s[4], slm.HeadSizeAxis: s[6], slm.FFNAxis: s[7]}
	narrowed := make([]*Node, len(weights))
	for i, w := range c.LayerWeights() {
		narrowed[i] = weights[i]
		for axis, a := range w.Axes() {
			if indices, ok := kept[a]; ok {
				narrowed[i] = take(narrowed[i], axis, indices)
			}
		}
	}
	return &block{config: c, weight: byRole(c, narrowed), width: s[1], heads: s[3], groupOf: s[5], neurons: s[8],
		frequencies: s[9], scale: s[10]}
}

// padded are a layer's kept indices of an axis, rounded up to a program's size.
func padded(c slm.Config, s slm.Subnet, l slm.LayerSubnet, a slm.Axis, parts int) []int32 {
	whole, n := (slm.Subnet{}).Size(c, slm.LayerSubnet{}, a), s.Size(c, l, a)
	index := make([]int32, roundUp(n, whole, parts))
	indices := s.Indices(c, l, a)
	for i := range n {
		index[i] = int32(i)
		if indices != nil {
			index[i] = int32(indices[i])
		}
	}
	return index
}

// selectLayer builds the inputs of the part program for one kept layer.
func selectLayer(c slm.Config, s slm.Subnet, l slm.LayerSubnet) []any {
	heads := padded(c, s, l, slm.HeadAxis, headParts)
	groupParts := 1
	if c.HeadsPerGroup() == 1 {
		groupParts = headParts
	}
	count := func(a slm.Axis) float32 { return float32(s.Size(c, l, a)) }
	return []any{padded(c, s, l, slm.EmbdAxis, embdParts), count(slm.EmbdAxis), heads, count(slm.HeadAxis),
		padded(c, s, l, slm.GroupAxis, groupParts), groupPositions(c, s, l, len(heads)),
		padded(c, s, l, slm.HeadSizeAxis, c.HeadSize), padded(c, s, l, slm.FFNAxis, ffnParts), count(slm.FFNAxis),
		frequencies(c, s, l), float32(s.AttentionScale(c, l))}
}

// groupPositions maps each kept head to the position of its query group among the kept ones, padded with 0.
func groupPositions(c slm.Config, s slm.Subnet, l slm.LayerSubnet, size int) []int32 {
	position := make([]int32, c.QueryGroups)
	for i := range position {
		position[i] = int32(i)
	}
	for i, g := range s.Indices(c, l, slm.GroupAxis) {
		position[g] = int32(i)
	}
	out := make([]int32, size)
	heads := s.Indices(c, l, slm.HeadAxis)
	for i := range s.Size(c, l, slm.HeadAxis) {
		head := i
		if heads != nil {
			head = heads[i]
		}
		out[i] = position[head/c.HeadsPerGroup()]
	}
	return out
}
