package model

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/slm"
)

// maxBatchTokens bounds the tokens of one pass: their logits are the largest array, 4 bytes for each token and word.
const maxBatchTokens = 1024

// Passes says how windows are evaluated. The zero value will do.
type Passes struct {
	Batch     int               // windows in a pass; 0 for as many as make 1,024 tokens
	Done      func(windows int) // told after each pass how many windows are done; may be nil
	Separator *int32            // the token that ends a document, where attention stays within documents; nil: a window is read whole
}

// Loss is the mean cross-entropy, in nats per token, of a sub-network on windows of seqLen+1 tokens, row-major:
// each window's first seqLen tokens predict its last seqLen. The zero Subnet evaluates the teacher itself.
// Cancelling the context ends it between two layers, with the context's error.
func (t *Teacher) Loss(ctx context.Context, subnet slm.Subnet, windows []int32, seqLen int) (float64, error) {
	return t.Evaluate(ctx, subnet, windows, seqLen, Passes{})
}

// Evaluate is [Teacher.Loss], in passes of one's choice. Attention stays within documents in a whole model only.
func (t *Teacher) Evaluate(ctx context.Context, subnet slm.Subnet, windows []int32, seqLen int, passes Passes) (float64, error) {
	if err := checkWindows(windows, seqLen); err != nil {
		return 0, fmt.Errorf("loss: %w", err)
	}
	v, err := t.view(subnet)
	if err != nil {
		return 0, err
	}
	defer v.close()
	return meanLoss(ctx, windows, seqLen, passes, func(inputs, targets *tensors.Tensor) ([]float32, error) {
		if err := v.number(inputs, passes.Separator); err != nil {
			return nil, err
		}
		defer func() { free(v.documents) }()
		x, err := v.hidden(ctx, inputs)
		if err != nil {
			return nil, err
		}
		defer free(x)
		return t.programs.losses(ctx, v.output, x, targets)
	})
}

func checkWindows(windows []int32, seqLen int) error {
	if seqLen < 1 || len(windows) == 0 || len(windows)%(seqLen+1) != 0 {
		return fmt.Errorf("%d tokens are not windows of %d", len(windows), seqLen+1)
	}
	return nil
}

// meanLoss averages the losses of windows, which it asks for batch by batch.
func meanLoss(ctx context.Context, windows []int32, seqLen int, passes Passes, losses func(inputs, targets *tensors.Tensor) ([]float32, error)) (float64, error) {
	sum := 0.0
	err := eachPass(ctx, windows, seqLen, passes, func(inputs, targets *tensors.Tensor, real int) error {
		values, err := losses(inputs, targets)
		if err != nil {
			return err
		}
		for _, v := range values[:real*seqLen] {
			sum += float64(v)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return sum / float64(len(windows)/(seqLen+1)*seqLen), nil
}

// eachPass runs over windows in batches of one size, whose inputs and targets are [B, T]. The last one is filled up with its
// first window: only the first real ones of a batch count.
func eachPass(ctx context.Context, windows []int32, seqLen int, passes Passes, run func(inputs, targets *tensors.Tensor, real int) error) error {
	count := len(windows) / (seqLen + 1)
	batch := passes.Batch
	if batch == 0 {
		batch = max(1, maxBatchTokens/seqLen)
	}
	batch = min(batch, count)
	for first := 0; first < count; first += batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		real := min(batch, count-first)
		inputs, targets := splitWindows(windows, first, real, batch, seqLen)
		err := run(inputs, targets, real)
		free(inputs, targets)
		if err != nil {
			return err
		}
		if passes.Done != nil {
			passes.Done(first + real)
		}
	}
	return nil
}

// splitWindows takes real windows from first on, repeats the first up to batch, and splits them into inputs and
// targets, [batch, seqLen].
func splitWindows(windows []int32, first, real, batch, seqLen int) (inputs, targets *tensors.Tensor) {
	in, out := make([]int32, 0, batch*seqLen), make([]int32, 0, batch*seqLen)
	for i := range batch {
		at := first
		if i < real {
			at += i
		}
		window := windows[at*(seqLen+1) : (at+1)*(seqLen+1)]
		in, out = append(in, window[:seqLen]...), append(out, window[1:]...)
	}
	return tensors.FromFlatDataAndDimensions(in, batch, seqLen), tensors.FromFlatDataAndDimensions(out, batch, seqLen)
}

// Logits are the teacher's for tokens, [B, T]: [B·T, V], on the device; the caller frees them.
func (t *Teacher) Logits(ctx context.Context, tokens *tensors.Tensor) (*tensors.Tensor, error) {
	return t.SubnetLogits(ctx, slm.Subnet{}, tokens)
}

// SubnetLogits are a sub-network's, evaluated inside the teacher: see [Teacher.Logits].
func (t *Teacher) SubnetLogits(ctx context.Context, subnet slm.Subnet, tokens *tensors.Tensor) (*tensors.Tensor, error) {
	v, err := t.view(subnet)
	if err != nil {
		return nil, err
	}
	defer v.close()
	x, err := v.hidden(ctx, tokens)
	if err != nil {
		return nil, err
	}
	defer free(x)
	return v.logits(x)
}

// logits are [B·T, V] after the last layer's x, [B, T, E'].
func (v *view) logits(x *tensors.Tensor) (*tensors.Tensor, error) {
	weights, done, err := v.outputWeights()
	if err != nil {
		return nil, err
	}
	defer done()
	return v.programs.logits.Call1(append([]any{x, v.output.width}, weights...)...)
}

// outputWeights are the head, [V, E'], and the last norm's, [E'], until done.
func (v *view) outputWeights() (weights []any, done func(), err error) {
	o := v.output
	if o.kept == nil {
		return append([]any{o.head}, o.norms...), func() {}, nil
	}
	narrowed, err := v.programs.narrow.Call(append([]any{o.kept, o.width, o.head}, o.norms...)...)
	for _, n := range narrowed {
		weights = append(weights, n)
	}
	return weights, func() { free(narrowed...) }, err
}

// SplitWindows splits a batch of windows of seqLen+1 tokens into inputs and targets, [B, seqLen].
func SplitWindows(windows []int32, seqLen int) (inputs, targets *tensors.Tensor) {
	n := len(windows) / (seqLen + 1)
	return splitWindows(windows, 0, n, n, seqLen)
}
