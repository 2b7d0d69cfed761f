package model

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/slm"
)

// view is a sub-network of the teacher, ready to run: its embedding narrowed once, its layers selected on the fly.
type view struct {
	teacher           *Teacher
	subnet            slm.Subnet
	embed, head, norm *tensors.Tensor
	width             float32
	owned             []*tensors.Tensor
}

func (t *Teacher) view(subnet slm.Subnet) (*view, error) {
	if err := subnet.Validate(t.Config); err != nil {
		return nil, fmt.Errorf("teacher %s: sub-network: %w", t.Config.Name, err)
	}
	v := &view{teacher: t, subnet: subnet, embed: t.embed, head: t.head, norm: t.norm, width: float32(subnet.Embd.Len(t.Config.Embd))}
	if subnet.Embd.Len(t.Config.Embd) == t.Config.Embd {
		return v, nil
	}
	kept := subnet.Embd.Slice(t.Config.Embd)
	index, mask := padded(kept, roundUp(len(kept), t.Config.Embd, embdParts))
	out, err := t.programs.narrow.Call(t.embed, t.norm, index, mask)
	if err != nil {
		return nil, err
	}
	v.embed, v.head, v.norm, v.owned = out[0], out[0], out[1], out
	if t.Config.Tied {
		return v, nil
	}
	out, err = t.programs.narrow.Call(t.head, t.norm, index, mask)
	if err != nil {
		v.close()
		return nil, err
	}
	v.head, v.owned = out[0], append(v.owned, out...)
	return v, nil
}

func (v *view) close() { free(v.owned...) }

func (v *view) isWhole(l slm.LayerSubnet) bool {
	return l.Shape(v.teacher.Config) == slm.LayerSubnet{Layer: l.Layer}.Shape(v.teacher.Config)
}

// hidden runs tokens, [B, T], through the kept layers: x [B, T, E'], which the caller frees.
func (v *view) hidden(ctx context.Context, tokens *tensors.Tensor) (*tensors.Tensor, error) {
	t := v.teacher
	x, err := t.programs.embed.Call1(v.embed, tokens)
	if err != nil {
		return nil, err
	}
	wholeWidth := v.embed == t.embed
	for _, l := range v.subnet.KeptLayers(t.Config) {
		if err := ctx.Err(); err != nil {
			free(x)
			return nil, err
		}
		program, args := t.programs.part, []any{x}
		if wholeWidth && v.isWhole(l) {
			program = t.programs.whole
		} else {
			args = append(args, selectLayer(t.Config, v.subnet.Embd, l)...)
		}
		for _, w := range t.layers[l.Layer] {
			args = append(args, w)
		}
		y, err := program.Call1(args...)
		free(x)
		if err != nil {
			return nil, fmt.Errorf("layer %d: %w", l.Layer, err)
		}
		x = y
	}
	return x, nil
}
