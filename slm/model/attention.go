package model

import (
	"context"
	"fmt"
	"slices"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope
	"github.com/gomlx/gomlx/core/tensors"
	gomlx "github.com/gomlx/gomlx/ml/model"

	"github.com/offshoot-ml/offshoot/slm"
)

// Attention is where heads of a sub-network, evaluated in place, look while it reads a text: those of its kept heads that are in
// heads, in layers that are in layers, both indices of the teacher (see [slm.Subnet.KeptHeads]). The zero Subnet is the teacher
// itself. A text may have [slm.MostAttended] tokens and one more, and as many as the context.
func (t *Teacher) Attention(ctx context.Context, subnet slm.Subnet, tokens []int32, layers, heads slm.Indices) ([]slm.AttentionMap, error) {
	wanted, err := subnet.KeptHeads(t.Config, layers, heads)
	if err != nil {
		return nil, err
	}
	v, err := t.view(subnet)
	if err != nil {
		return nil, err
	}
	defer v.close()
	inputs, err := paddedText(tokens, min(slm.MostAttended+1, t.Config.Context))
	if err != nil {
		return nil, err
	}
	defer free(inputs)
	kept := subnet.KeptLayers(t.Config)
	var places []int // of the wanted layers, among the kept ones
	for i, l := range kept {
		if slices.ContainsFunc(wanted, func(h slm.HeadOf) bool { return h.Layer == l.Layer }) {
			places = append(places, i)
		}
	}
	states, err := v.states(ctx, inputs, places)
	if err != nil {
		return nil, err
	}
	defer free(states...)
	weights := map[int][]float32{}
	for i, place := range places {
		l := kept[place].Layer
		if weights[l], err = v.attentionWeights(place, l, states[i]); err != nil {
			return nil, fmt.Errorf("layer %d: %w", l, err)
		}
	}
	return attentionMaps(t.Config, subnet, wanted, weights, inputs.Shape().Dim(1), len(tokens)), nil
}

// attentionWeights are those of the i-th kept layer, which is the teacher's layer l, after what it reads, x [1, T, E']: the first
// [H, T, T] of the result, where heads may be padded.
func (v *view) attentionWeights(i, l int, x *tensors.Tensor) ([]float32, error) {
	t := v.teacher
	program, args := v.programs.look, append([]any{x}, t.layer(l, all)...)
	if v.layers != nil {
		program, args = v.programs.lookPart, slices.Concat([]any{x}, v.layers[i].attention, t.layer(l, inAttention))
	}
	out, err := program.Call1(args...)
	if err != nil {
		return nil, err
	}
	defer free(out)
	return tensors.CopyFlatData[float32](out)
}

// Attention is where heads of the student look while it reads a text: see [Teacher.Attention].
func (s *Student) Attention(_ context.Context, tokens []int32, layers, heads slm.Indices) ([]slm.AttentionMap, error) {
	wanted, err := s.Subnet.KeptHeads(s.Teacher, layers, heads)
	if err != nil {
		return nil, err
	}
	inputs, err := paddedText(tokens, min(slm.MostAttended+1, s.Teacher.Context))
	if err != nil {
		return nil, err
	}
	defer free(inputs)
	out, err := s.look.Call(inputs)
	if err != nil {
		return nil, err
	}
	defer free(out...)
	weights := map[int][]float32{}
	for i, l := range s.Subnet.KeptLayers(s.Teacher) {
		if weights[l.Layer], err = tensors.CopyFlatData[float32](out[i]); err != nil {
			return nil, err
		}
	}
	return attentionMaps(s.Teacher, s.Subnet, wanted, weights, inputs.Shape().Dim(1), len(tokens)), nil
}

// lookGraph is each layer's weights of attention, [B, H, T, T].
func (s *Student) lookGraph(scope *gomlx.Scope, tokens *Node) (weights []*Node) {
	s.hiddenGraph(scope, tokens, nil, Computing{observe: func(at probe, x *Node) {
		if at == attentionProbe {
			weights = append(weights, headsApart(x, tokens.Shape().Dim(1)))
		}
	}})
	return weights
}

// attentionWeights is the graph of where a layer's heads look after what it reads: x [B, T, E] to [B, H, T, T].
func (b *block) attentionWeights(x *Node) (weights *Node) {
	b.observe = func(at probe, y *Node) {
		if at == attentionProbe {
			weights = headsApart(y, x.Shape().Dim(1))
		}
	}
	b.attend(x)
	return weights
}

// headsApart undoes shareKeys for weights of attention: [B, G, R·T, S] to [B, H, T, S].
func headsApart(weights *Node, positions int) *Node {
	d := weights.Shape().Dimensions
	return Reshape(weights, d[0], -1, positions, d[3])
}

// attentionMaps cuts the maps of heads out of their layers' weights, [H, T, T] with T padded; a text has so many tokens.
func attentionMaps(c slm.Config, s slm.Subnet, wanted []slm.HeadOf, weights map[int][]float32, padded, tokens int) []slm.AttentionMap {
	places := map[slm.HeadOf]int{} // of a head, among the kept ones of its layer
	for _, l := range s.KeptLayers(c) {
		indices := s.Indices(c, l, slm.HeadAxis)
		for i := range s.Size(c, l, slm.HeadAxis) {
			head := i
			if indices != nil {
				head = indices[i]
			}
			places[slm.HeadOf{Layer: l.Layer, Head: head}] = i
		}
	}
	maps := make([]slm.AttentionMap, len(wanted))
	for i, h := range wanted {
		maps[i] = slm.AttentionMap{Layer: h.Layer, Head: h.Head, Weights: make([][]float32, tokens)}
		for t := range tokens {
			from := (places[h]*padded + t) * padded
			maps[i].Weights[t] = slices.Clone(weights[h.Layer][from : from+t+1])
		}
	}
	return maps
}
