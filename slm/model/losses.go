package model

import (
	"context"
	"math"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/slm"
)

// pieceWords is about how many words of the vocabulary are predicted at once. Their logits, for 1,024 tokens, then stay in a
// processor's cache; all of them together would go through main memory several times.
const pieceWords = 3072

// pieceSize is how many words a piece of a vocabulary has: the vocabulary's divisor next to pieceWords where there is one not
// far above, and else a size whose last piece begins inside the one before.
func pieceSize(vocab int) int {
	pieces := (vocab + pieceWords - 1) / pieceWords
	size := (vocab + pieces - 1) / pieces
	for larger := size; larger < 2*size; larger++ {
		if vocab%larger == 0 {
			return larger
		}
	}
	return size
}

// outputHead is what a program of the output needs of a model: a head [V, E] and the last norm's scale and bias, [E]. kept are
// the indices of the embedding dimensions, padded, or nil where head and norms hold only them; tight are the same with less
// padding.
type outputHead struct {
	head        *tensors.Tensor
	norms       []any
	width       float32
	kept, tight *tensors.Tensor
}

// optional appends a tensor unless it is nil.
func optional(args []any, t *tensors.Tensor) []any {
	if t == nil {
		return args
	}
	return append(args, t)
}

// losses are the nats of targets, [B, T], after the last layer's x, [B, T, E']. The logarithm of the sum over the vocabulary is
// taken piece by piece, relative to the largest logit so far (Milakov and Gimelshein 2018, arXiv 1805.02867).
func (p programs) losses(ctx context.Context, o outputHead, x, targets *tensors.Tensor) ([]float32, error) {
	args := append([]any{x, o.width, o.head, targets}, o.norms...)
	out, err := p.targets.Call(optional(args, o.kept)...)
	if err != nil {
		return nil, err
	}
	normed, logits := out[0], out[1]
	defer free(normed, logits)
	largest, sum, err := p.overWords(ctx, o, normed)
	defer free(largest, sum)
	if err != nil {
		return nil, err
	}
	var values [3][]float32
	for i, t := range []*tensors.Tensor{largest, sum, logits} {
		if values[i], err = tensors.CopyFlatData[float32](t); err != nil {
			return nil, err
		}
	}
	losses := make([]float32, len(values[0]))
	for i := range losses {
		losses[i] = float32(float64(values[0][i]) + math.Log(float64(values[1][i])) - float64(values[2][i]))
	}
	return losses, nil
}

// overWords are, for each of N tokens, the largest logit and the sum of the exponentials of the logits relative to it.
func (p programs) overWords(ctx context.Context, o outputHead, normed *tensors.Tensor) (largest, sum *tensors.Tensor, err error) {
	tokens, vocab := normed.Shape().Dim(0), o.head.Shape().Dim(0)
	least := make([]float32, tokens)
	for i := range least {
		least[i] = -1e30
	}
	largest, sum = tensors.FromValue(least), tensors.FromValue(make([]float32, tokens))
	for size, done := pieceSize(vocab), 0; done < vocab; done += size {
		if err := ctx.Err(); err != nil {
			return largest, sum, err
		}
		first := min(done, vocab-size)
		out, err := p.words.Call(optional([]any{normed, o.head, int32(first), int32(done - first), largest, sum}, o.tight)...)
		if err != nil {
			return largest, sum, err
		}
		free(largest, sum)
		largest, sum = out[0], out[1]
	}
	return largest, sum, nil
}

// targetLogits is the graph of programs.targets.
func targetLogits(c slm.Config, in []*Node) []*Node {
	x, width, head, targets, norms := in[0], in[1], in[2], in[3], in[4:]
	rows := embedded(head, Reshape(targets, -1)) // [N, E]
	if count := len(norms); count > lastNorms(c) {
		kept := norms[count-1]
		norms = append([]*Node(nil), norms[:count-1]...)
		for i := range norms {
			norms[i] = take(norms[i], 0, kept)
		}
		rows = take(rows, 1, kept)
	}
	x = lastNorm(c, x, width, norms)
	return []*Node{x, ReduceSum(Mul(x, rows), -1)}
}

// lastNorms is how many weights the last norm has.
func lastNorms(c slm.Config) (n int) {
	for _, w := range c.OuterWeights() {
		if w.Role == slm.FinalNorm || w.Role == slm.FinalNormBias {
			n++
		}
	}
	return n
}

// someWords is the graph of programs.words: it takes the logits of a piece of the vocabulary into account. The first words of
// the last piece may have been so before.
func someWords(in []*Node) []*Node {
	x, head, first, before, largest, sum := in[0], in[1], in[2], in[3], in[4], in[5]
	vocab, size := head.Shape().Dim(0), pieceSize(head.Shape().Dim(0))
	zero := Const(x.Graph(), int32(0))
	rows := DynamicSlice(head, []*Node{first, zero}, []int{size, head.Shape().Dim(1)})
	if len(in) > 6 {
		rows = take(rows, 1, in[6])
		x = SliceAxis(x, 1, AxisRange(0, in[6].Shape().Dim(0))) // what is beyond is zero
	}
	logits := DotGeneral(x, []int{1}, nil, rows, []int{1}, nil) // [N, size]
	if vocab%size != 0 {
		isNew := GreaterOrEqual(Iota(x.Graph(), logits.Shape().Clone(), 1), ConvertDType(before, dtypes.Float32))
		logits = Where(isNew, logits, ConstAs(logits, -1e30))
	}
	top := Max(largest, ReduceMax(logits, -1))
	return []*Node{top, Add(Mul(sum, Exp(Sub(largest, top))), ReduceSum(Exp(Sub(logits, ExpandAxes(top, -1))), -1))}
}
