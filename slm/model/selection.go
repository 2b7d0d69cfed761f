package model

import (
	"slices"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope

	"github.com/offshoot-ml/offshoot/slm"
)

// The sizes of a program are rounded up to these parts of the teacher's where no plan says better, so that few programs serve
// all candidates. Finer parts waste less arithmetic on padding, coarser ones compile fewer programs.
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

// sizes are the padded sizes of a layer's programs.
type sizes struct{ embd, heads, groups, ffn, head int } // head is the output head's embedding

// rounded are a layer's sizes where nothing is planned.
func rounded(c slm.Config, s slm.Subnet, l slm.LayerSubnet) sizes {
	groupParts := 1
	if c.HeadsPerGroup() == 1 {
		groupParts = headParts
	}
	embd := roundUp(s.Size(c, l, slm.EmbdAxis), c.Embd, embdParts)
	return sizes{
		embd:   embd,
		head:   embd,
		heads:  roundUp(s.Size(c, l, slm.HeadAxis), c.Heads, headParts),
		groups: roundUp(s.Size(c, l, slm.GroupAxis), c.QueryGroups, groupParts),
		ffn:    roundUp(s.Size(c, l, slm.FFNAxis), c.FFN, ffnParts),
	}
}

// padded are a layer's kept indices of an axis, and zeros up to a program's size.
func padded(c slm.Config, s slm.Subnet, l slm.LayerSubnet, a slm.Axis, size int) []int32 {
	index, indices := make([]int32, size), s.Indices(c, l, a)
	for i := range s.Size(c, l, a) {
		index[i] = int32(i)
		if indices != nil {
			index[i] = int32(indices[i])
		}
	}
	return index
}

// attentionSelection is what a sub-network keeps of a layer's attention, as inputs of programs: index vectors (int32, padded
// with 0) of the embedding, the heads, their query groups and the dimensions of a head, the position of each head's group
// among the kept ones, and numbers (float32): how many embedding dimensions and heads are real, the scale of the attention
// scores, and the rotary frequencies.
type attentionSelection []*Node

const attentionInputs = 6

func selectAttention(c slm.Config, s slm.Subnet, l slm.LayerSubnet, z sizes) []any {
	numbers := []float32{float32(s.Size(c, l, slm.EmbdAxis)), float32(s.Size(c, l, slm.HeadAxis)), float32(s.AttentionScale(c, l))}
	return []any{
		padded(c, s, l, slm.EmbdAxis, z.embd),
		padded(c, s, l, slm.HeadAxis, z.heads),
		padded(c, s, l, slm.GroupAxis, z.groups),
		padded(c, s, l, slm.HeadSizeAxis, s.Size(c, l, slm.HeadSizeAxis)),
		groupPositions(c, s, l, z.heads),
		append(numbers, frequencies(c, s, l)...),
	}
}

// keep gathers what is kept of attention weights.
func (a attentionSelection) keep(weights []slm.Weight, of []*Node) []*Node {
	return keep(weights, of, map[slm.Axis]*Node{slm.EmbdAxis: a[0], slm.HeadAxis: a[1], slm.GroupAxis: a[2], slm.HeadSizeAxis: a[3]})
}

// block is the attention of a layer whose weights hold only what is kept, and padding.
func (a attentionSelection) block(c slm.Config, weights []*Node) *block {
	return sizedAttention(c, a[4], a[5], weights)
}

// sizedAttention is the attention of a layer whose weights hold only what is kept, and padding; groupOf and numbers are those
// of an attentionSelection.
func sizedAttention(c slm.Config, groupOf, numbers *Node, weights []*Node) *block {
	return &block{config: c, weight: byRole(attentionWeights(c), weights), groupOf: groupOf,
		width: number(numbers, 0), heads: number(numbers, 1), scale: number(numbers, 2), frequencies: Slice(numbers, AxisRangeToEnd(3))}
}

// ffnSelection is what a sub-network keeps of a layer's feed-forward network, as inputs of programs: index vectors (int32,
// padded with 0) of the embedding and the neurons, and how many of each are real (float32).
type ffnSelection []*Node

const ffnInputs = 3

func selectFFN(c slm.Config, s slm.Subnet, l slm.LayerSubnet, z sizes) []any {
	return []any{
		padded(c, s, l, slm.EmbdAxis, z.embd),
		padded(c, s, l, slm.FFNAxis, z.ffn),
		[]float32{float32(s.Size(c, l, slm.EmbdAxis)), float32(s.Size(c, l, slm.FFNAxis))},
	}
}

func (f ffnSelection) keep(weights []slm.Weight, of []*Node) []*Node {
	return keep(weights, of, map[slm.Axis]*Node{slm.EmbdAxis: f[0], slm.FFNAxis: f[1]})
}

func (f ffnSelection) block(c slm.Config, weights []*Node) *block { return sizedFFN(c, f[2], weights) }

// sizedFFN is the feed-forward network of a layer whose weights hold only what is kept, and padding; numbers are those of an
// ffnSelection.
func sizedFFN(c slm.Config, numbers *Node, weights []*Node) *block {
	return &block{config: c, weight: byRole(ffnWeights(c), weights), width: number(numbers, 0), neurons: number(numbers, 1)}
}

// keep gathers the kept indices of every axis of weights.
func keep(weights []slm.Weight, of []*Node, kept map[slm.Axis]*Node) []*Node {
	narrowed := slices.Clone(of)
	for i, w := range weights {
		for axis, a := range w.Axes() {
			if indices, ok := kept[a]; ok {
				narrowed[i] = take(narrowed[i], axis, indices)
			}
		}
	}
	return narrowed
}

// number is one of a vector, as a scalar.
func number(numbers *Node, i int) *Node { return Reshape(Slice(numbers, AxisElem(i))) }

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
