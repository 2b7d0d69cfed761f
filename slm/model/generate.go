package model

import (
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/slm"
)

// reader reads tokens, [1, T], at the end of a text that it has read before, and returns the logits after the one at the
// given place among them.
type reader interface {
	read(ctx context.Context, tokens *tensors.Tensor, last int) ([]float32, error)
	// forget begins a new text, for which there is room.
	forget(room int) error
	close()
}

// leastRoom keeps the number of compiled shapes small: room for a text, and the length of a prompt, are powers of two.
const (
	leastRoom   = 64
	leastPrompt = 16
)

// powerOfTwo is the smallest one that is at least n and the least, but not above the most.
func powerOfTwo(n, least, most int) int {
	size := least
	for size < n {
		size *= 2
	}
	return min(size, most)
}

// generate reads the prompt, and then each token that it chooses. When the context is full, the oldest half is forgotten.
func generate(ctx context.Context, prompt []int32, g slm.Generation, context int, r reader) ([]int32, error) {
	if err := g.Validate(); err != nil {
		return nil, err
	}
	if len(prompt) == 0 {
		return nil, fmt.Errorf("generate: the prompt has no tokens")
	}
	text, unread, random := slices.Clone(prompt), prompt, g.Rand()
	held := context // so that the first prompt begins a text
	for len(text) < len(prompt)+g.Tokens {
		if held+len(unread) > context {
			unread = text[max(0, len(text)-max(1, context/2)):]
			if len(text) <= context {
				unread = text
			}
			if err := r.forget(powerOfTwo(len(unread)+g.Tokens, leastRoom, context)); err != nil {
				return text[len(prompt):], err
			}
			held = 0
		}
		logits, err := readUnread(ctx, r, unread, context)
		if err != nil {
			return text[len(prompt):], err
		}
		held += len(unread)
		token := g.Choose(logits, random)
		if slices.Contains(g.Stop, token) {
			break
		}
		text = append(text, token)
		unread = text[len(text)-1:]
	}
	return text[len(prompt):], nil
}

// readUnread pads what is longer than one token: what stands behind the last token cannot change its prediction, and is
// written over later.
func readUnread(ctx context.Context, r reader, unread []int32, context int) ([]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	size := 1
	if len(unread) > 1 {
		size = powerOfTwo(len(unread), min(leastPrompt, context), context)
	}
	padded := make([]int32, size)
	copy(padded, unread)
	tokens := tensors.FromFlatDataAndDimensions(padded, 1, size)
	defer free(tokens)
	return r.read(ctx, tokens, len(unread)-1)
}

// Generate continues a prompt with the whole teacher, and returns the new tokens. Keys and values of what was read are
// kept, so a token costs one position's arithmetic. When the context is full, the oldest half of the text is forgotten.
// Cancelling ctx returns what there is with the context's error.
func (t *Teacher) Generate(ctx context.Context, prompt []int32, g slm.Generation) ([]int32, error) {
	v, err := t.view(slm.Subnet{})
	if err != nil {
		return nil, err
	}
	defer v.close()
	r := &teacherReader{view: v}
	defer r.close()
	return generate(ctx, prompt, g, t.Config.Context, r)
}

// teacherReader runs layer by layer.
type teacherReader struct {
	view   *view
	caches []cache
	length int32
}

// cache is a layer's keys and values, [1, C, G, D].
type cache struct{ keys, values *tensors.Tensor }

func (c cache) close() { free(c.keys, c.values) }

func newCache(room, groups, headSize int) cache {
	shape := shapes.Make(dtypes.Float32, 1, room, groups, headSize)
	return cache{tensors.FromShape(shape), tensors.FromShape(shape)}
}

func (r *teacherReader) forget(room int) error {
	r.close()
	c := r.view.teacher.Config
	for range c.Layers {
		r.caches = append(r.caches, newCache(room, c.QueryGroups, c.HeadSize))
	}
	return nil
}

func (r *teacherReader) read(ctx context.Context, tokens *tensors.Tensor, last int) ([]float32, error) {
	t := r.view.teacher
	x, err := r.view.embedded(tokens)
	if err != nil {
		return nil, err
	}
	for l := range r.caches {
		if err = ctx.Err(); err != nil {
			break
		}
		var out []*tensors.Tensor
		args := append([]any{x, r.caches[l].keys, r.caches[l].values, r.length}, t.layer(l, all)...)
		if out, err = t.programs.step.Call(args...); err != nil {
			err = fmt.Errorf("layer %d: %w", l, err)
			break
		}
		free(x)
		r.caches[l].close()
		x, r.caches[l] = out[0], cache{out[1], out[2]}
	}
	defer free(x)
	if err != nil {
		return nil, err
	}
	r.length += int32(last + 1)
	o := r.view.output
	logits, err := t.programs.last.Call1(append([]any{x, o.width, o.head, int32(last)}, o.norms...)...)
	if err != nil {
		return nil, err
	}
	defer free(logits)
	return tensors.CopyFlatData[float32](logits)
}

func (r *teacherReader) close() {
	for _, c := range r.caches {
		c.close()
	}
	r.caches, r.length = nil, 0
}

// GenerateSubnet is [Teacher.Generate] with a sub-network in place, untrained. Each token reads the whole text again: a program that
// keeps keys and values would have to be compiled for every shape of a layer.
func (t *Teacher) GenerateSubnet(ctx context.Context, subnet slm.Subnet, prompt []int32, g slm.Generation) ([]int32, error) {
	if subnet.IsZero() {
		return t.Generate(ctx, prompt, g)
	}
	v, err := t.view(subnet)
	if err != nil {
		return nil, err
	}
	defer v.close()
	weights, done, err := v.outputWeights()
	if err != nil {
		return nil, err
	}
	defer done()
	return generate(ctx, prompt, g, t.Config.Context, &viewReader{view: v, weights: weights})
}

// viewReader reads from the beginning each time.
type viewReader struct {
	view    *view
	weights []any // of the output
	text    []int32
	room    int
}

func (r *viewReader) forget(room int) error {
	r.text, r.room = nil, room
	return nil
}

// read pads to all of the room, so that the layers have one shape.
func (r *viewReader) read(ctx context.Context, tokens *tensors.Tensor, last int) ([]float32, error) {
	unread, err := tensors.CopyFlatData[int32](tokens)
	if err != nil {
		return nil, err
	}
	r.text = append(r.text, unread[:last+1]...)
	whole := tensors.FromFlatDataAndDimensions(append(slices.Clone(r.text), make([]int32, r.room-len(r.text))...), 1, r.room)
	defer free(whole)
	x, err := r.view.hidden(ctx, whole)
	if err != nil {
		return nil, err
	}
	defer free(x)
	args := append([]any{x, r.view.output.width, r.weights[0], int32(len(r.text) - 1)}, r.weights[1:]...)
	logits, err := r.view.programs.last.Call1(args...)
	if err != nil {
		return nil, err
	}
	defer free(logits)
	return tensors.CopyFlatData[float32](logits)
}

func (r *viewReader) close() {}
