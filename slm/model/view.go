package model

import (
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/slm"
)

// view is a sub-network of the teacher, ready to run: what it keeps is on the device once for all passes.
type view struct {
	teacher  *Teacher
	programs programs
	subnet   slm.Subnet
	output   outputHead
	layers   []selectedLayer // nil where every kept layer is whole
	owned    []*tensors.Tensor

	documents *tensors.Tensor // of the tokens, within which attention stays; nil: windows are read whole. Only where layers is nil.
}

// selectedLayer is what a sub-network keeps of a layer, as inputs of programs. Layers that keep the same share it.
type selectedLayer struct{ attention, ffn []any }

func (t *Teacher) view(subnet slm.Subnet) (*view, error) {
	c := t.Config
	if err := subnet.Validate(c); err != nil {
		return nil, fmt.Errorf("teacher %s: sub-network: %w", c.Name, err)
	}
	v := &view{teacher: t, programs: t.programs, subnet: subnet, output: outputHead{head: t.head(), width: float32(subnet.Embd.Len(c.Embd))}}
	for _, n := range t.norms() {
		v.output.norms = append(v.output.norms, n)
	}
	if v.isWhole() && (t.plan.widths == nil || subnet.Depth(c) == c.Layers) { // a plan's programs are compiled already
		return v, nil
	}
	z := t.sizes(subnet, slm.LayerSubnet{})
	kept := padded(c, subnet, slm.LayerSubnet{}, slm.EmbdAxis, z.embd)
	v.output.kept, v.output.tight = v.own(kept), v.own(kept[:z.head])
	selected := map[string]selectedLayer{}
	for _, l := range subnet.KeptLayers(c) {
		key := fmt.Sprint(l.QueryGroups, l.Heads, l.HeadSize, l.FFN)
		if _, ok := selected[key]; !ok {
			z := t.sizes(subnet, l)
			selected[key] = selectedLayer{attention: v.ready(selectAttention(c, subnet, l, z)), ffn: v.ready(selectFFN(c, subnet, l, z))}
		}
		v.layers = append(v.layers, selected[key])
	}
	return v, nil
}

// ready puts a selection on the device; its first input, the indices of the embedding, all layers have in common.
func (v *view) ready(selection []any) []any {
	out := []any{v.output.kept}
	for _, input := range selection[1:] {
		out = append(out, v.own(input))
	}
	return out
}

// own puts a vector on the device until the view is closed.
func (v *view) own(vector any) *tensors.Tensor {
	t := tensors.MustFromAnyValue(vector)
	v.owned = append(v.owned, t)
	return t
}

func (v *view) close() { free(v.owned...) }

// number numbers the documents of tokens, [B, T], within which attention then stays; without a separator there are none. The caller
// frees them.
func (v *view) number(tokens *tensors.Tensor, separator *int32) (err error) {
	if separator == nil {
		return nil
	}
	if v.layers != nil {
		return fmt.Errorf("teacher %s: attention stays within documents in whole models only: extract the sub-network first", v.teacher.Config.Name)
	}
	v.documents, err = v.programs.number.Call1(tokens, *separator)
	return err
}

// isWhole says that nothing is kept in part but the depth.
func (v *view) isWhole() bool {
	c := v.teacher.Config
	for _, l := range v.subnet.KeptLayers(c) {
		if l.Shape(c) != (slm.LayerSubnet{Layer: l.Layer}).Shape(c) {
			return false
		}
	}
	return int(v.output.width) == c.Embd
}

// hidden runs tokens, [B, T], through the kept layers: x [B, T, E'], which the caller frees.
func (v *view) hidden(ctx context.Context, tokens *tensors.Tensor) (*tensors.Tensor, error) {
	states, err := v.states(ctx, tokens, nil)
	if err != nil {
		return nil, err
	}
	return states[0], nil
}

// states are x after each of the given numbers of layers, in ascending order, and last that after all: [B, T, E'] each. The
// caller frees them.
func (v *view) states(ctx context.Context, tokens *tensors.Tensor, after []int) (states []*tensors.Tensor, err error) {
	x, err := v.embedded(tokens)
	if err != nil {
		return nil, err
	}
	for i, l := range v.subnet.KeptLayers(v.teacher.Config) {
		y, err := v.layer(ctx, i, l.Layer, x)
		if slices.Contains(after, i) {
			states = append(states, x)
		} else {
			free(x)
		}
		if err != nil {
			free(states...)
			return nil, fmt.Errorf("layer %d: %w", l.Layer, err)
		}
		x = y
	}
	return append(states, x), nil
}

func (v *view) embedded(tokens *tensors.Tensor) (*tensors.Tensor, error) {
	t := v.teacher
	if v.layers == nil {
		return v.programs.embed.Call1(t.embed(), tokens)
	}
	return v.programs.embedPart.Call1(t.embed(), tokens, v.output.kept, v.output.width)
}

// layer runs the i-th kept layer, which is the teacher's layer l.
func (v *view) layer(ctx context.Context, i, l int, x *tensors.Tensor) (*tensors.Tensor, error) {
	t := v.teacher
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case v.documents != nil:
		return v.programs.within.Call1(append([]any{x, v.documents}, t.layer(l, all)...)...)
	case v.layers == nil:
		return v.programs.whole.Call1(append([]any{x}, t.layer(l, all)...)...)
	}
	sum, err := v.programs.attend.Call1(slices.Concat([]any{x}, v.layers[i].attention, t.layer(l, inAttention))...)
	if err != nil {
		return nil, err
	}
	defer free(sum)
	if !t.Config.ParallelResidual {
		x = sum
	}
	return v.programs.feed.Call1(slices.Concat([]any{x, sum}, v.layers[i].ffn, t.layer(l, inFFN))...)
}
