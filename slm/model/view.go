package model

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/slm"
)

// view is a sub-network of the teacher, ready to run: its embedding narrowed once, its layers selected on the fly.
type view struct {
	teacher     *Teacher
	subnet      slm.Subnet
	embed, head *tensors.Tensor
	norms       []any // the last norm's scale and bias
	width       float32
	owned       []*tensors.Tensor
}

func (t *Teacher) view(subnet slm.Subnet) (*view, error) {
	c := t.Config
	if err := subnet.Validate(c); err != nil {
		return nil, fmt.Errorf("teacher %s: sub-network: %w", c.Name, err)
	}
	v := &view{teacher: t, subnet: subnet, embed: t.embed(), head: t.head(), width: float32(subnet.Embd.Len(c.Embd))}
	for _, n := range t.norms() {
		v.norms = append(v.norms, n)
	}
	if v.wholeWidth() {
		return v, nil
	}
	args := []any{padded(c, subnet, slm.LayerSubnet{}, slm.EmbdAxis, embdParts), v.width}
	out, err := t.programs.narrow.Call(append(append(args, t.embed()), v.norms...)...)
	if err != nil {
		return nil, err
	}
	v.embed, v.head, v.owned = out[0], out[0], out
	for i, n := range out[1:] {
		v.norms[i] = n
	}
	if c.Tied {
		return v, nil
	}
	if v.head, err = t.programs.narrow.Call1(append(args, t.head())...); err != nil {
		v.close()
		return nil, err
	}
	v.owned = append(v.owned, v.head)
	return v, nil
}

func (v *view) close() { free(v.owned...) }

func (v *view) wholeWidth() bool { return int(v.width) == v.teacher.Config.Embd }

func (v *view) isWhole(l slm.LayerSubnet) bool {
	return v.wholeWidth() && l.Shape(v.teacher.Config) == slm.LayerSubnet{Layer: l.Layer}.Shape(v.teacher.Config)
}

// hidden runs tokens, [B, T], through the kept layers: x [B, T, E'], which the caller frees.
func (v *view) hidden(ctx context.Context, tokens *tensors.Tensor) (*tensors.Tensor, error) {
	t := v.teacher
	x, err := t.programs.embed.Call1(v.embed, tokens)
	if err != nil {
		return nil, err
	}
	for _, l := range v.subnet.KeptLayers(t.Config) {
		if err := ctx.Err(); err != nil {
			free(x)
			return nil, err
		}
		program, args := t.programs.part, []any{x}
		if v.isWhole(l) {
			program = t.programs.whole
		} else {
			args = append(args, selectLayer(t.Config, v.subnet, l)...)
		}
		y, err := program.Call1(append(args, t.layer(l.Layer)...)...)
		free(x)
		if err != nil {
			return nil, fmt.Errorf("layer %d: %w", l.Layer, err)
		}
		x = y
	}
	return x, nil
}

// output calls a program of the output head on x with what is special to it.
func (v *view) output(program *graph.Exec, x *tensors.Tensor, special ...any) (*tensors.Tensor, error) {
	return program.Call1(append(append([]any{x, v.width, v.head}, special...), v.norms...)...)
}
