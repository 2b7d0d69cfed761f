package model

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/slm"
)

// Generate continues a prompt greedily by n tokens with the whole teacher, and returns the new tokens.
func (t *Teacher) Generate(ctx context.Context, prompt []int32, n int) ([]int32, error) {
	v, err := t.view(slm.Subnet{})
	if err != nil {
		return nil, err
	}
	defer v.close()
	return generate(ctx, prompt, n, t.Config.Context, func(tokens *tensors.Tensor, last int32) (*tensors.Tensor, error) {
		x, err := v.hidden(ctx, tokens)
		if err != nil {
			return nil, err
		}
		defer free(x)
		return t.programs.next.Call1(x, v.norm, v.width, v.head, last)
	})
}

// generate asks again and again for the likeliest token after the last one. The window is padded to a power of two, at
// least 64 tokens, so that few shapes are compiled: what stands behind the last token cannot change its prediction.
// When the context is full, the oldest half is forgotten.
func generate(ctx context.Context, prompt []int32, n, context int,
	next func(tokens *tensors.Tensor, last int32) (*tensors.Tensor, error)) ([]int32, error) {
	if len(prompt) == 0 {
		return nil, fmt.Errorf("generate: the prompt has no tokens")
	}
	text := append([]int32(nil), prompt...)
	for range n {
		if err := ctx.Err(); err != nil {
			return text[len(prompt):], err
		}
		window := text
		if len(window) > context {
			window = window[len(window)-context/2:]
		}
		size := 64
		for size < len(window) {
			size *= 2
		}
		input := make([]int32, size)
		copy(input, window)
		tokens := tensors.FromFlatDataAndDimensions(input, 1, size)
		out, err := next(tokens, int32(len(window)-1))
		free(tokens)
		if err != nil {
			return text[len(prompt):], err
		}
		token, err := tensors.CopyFlatData[int32](out)
		free(out)
		if err != nil {
			return text[len(prompt):], err
		}
		text = append(text, token[0])
	}
	return text[len(prompt):], nil
}
