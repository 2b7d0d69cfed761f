package model

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/slm"
)

// Reading says what a student wants to know of its teacher, and how the teacher reads.
type Reading struct {
	Logits    bool
	States    []int          // hidden states after so many layers: ascending, from 0, the embedding, to all
	Separator *int32         // the token that ends a document, where attention stays within documents; nil: a window is read whole
	Type      slm.NumberType // of matrix products: BFloat16, or Float32, which none means; what is read is float32 with either
}

// Read runs tokens, [B, T], through the whole teacher: its logits [B·T, V], nil unless they are wanted, and its hidden states
// before the last norm, [B, T, E] each. They are on the device; the caller frees them. Cancelling the context ends it between
// two layers, with the context's error.
func (t *Teacher) Read(ctx context.Context, tokens *tensors.Tensor, r Reading) (logits *tensors.Tensor, states []*tensors.Tensor, err error) {
	last := -1
	for _, n := range r.States {
		if n <= last || n > t.Config.Layers {
			return nil, nil, fmt.Errorf("teacher %s: hidden states after %v layers: want ascending numbers up to %d", t.Config.Name, r.States, t.Config.Layers)
		}
		last = n
	}
	v, err := t.view(slm.Subnet{})
	if err != nil {
		return nil, nil, err
	}
	defer v.close()
	if r.Type == slm.BFloat16 {
		v.programs = *t.programs.half
	}
	if err := v.number(tokens, r.Separator); err != nil {
		return nil, nil, err
	}
	defer free(v.documents)
	if states, err = v.states(ctx, tokens, r.States); err != nil {
		return nil, nil, err
	}
	x := states[len(states)-1]
	if r.Logits {
		logits, err = v.logits(x)
	}
	if last < t.Config.Layers {
		states = states[:len(states)-1]
		free(x)
	}
	if err != nil {
		free(states...)
		return nil, nil, err
	}
	return logits, states, nil
}
