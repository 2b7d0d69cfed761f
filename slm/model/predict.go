package model

import (
	"context"
	"fmt"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope
	"github.com/gomlx/gomlx/core/tensors"
	gomlx "github.com/gomlx/gomlx/ml/model"

	"github.com/offshoot-ml/offshoot/slm"
)

// Predict is what a sub-network, evaluated in place, expects of a text: the loss of each token but the first, the likeliest ones in
// its place, and after the text. The zero Subnet is the teacher itself. Tokens have their ids, and no text. A text may have
// [slm.MostPredicted] tokens and as many as the context, and one more, the first, of which nothing is predicted.
func (t *Teacher) Predict(ctx context.Context, subnet slm.Subnet, tokens []int32) (p slm.Predicted, err error) {
	v, err := t.view(subnet)
	if err != nil {
		return p, err
	}
	defer v.close()
	return predicted(tokens, t.Config.Context, func(inputs, targets *tensors.Tensor) ([]*tensors.Tensor, error) {
		x, err := v.hidden(ctx, inputs)
		if err != nil {
			return nil, err
		}
		defer free(x)
		logits, err := v.logits(x)
		if err != nil {
			return nil, err
		}
		defer free(logits)
		return t.programs.expect.Call(logits, targets)
	})
}

// Predict is what the student expects of a text: see [Teacher.Predict].
func (s *Student) Predict(_ context.Context, tokens []int32) (slm.Predicted, error) {
	return predicted(tokens, s.Teacher.Context, func(inputs, targets *tensors.Tensor) ([]*tensors.Tensor, error) {
		return s.expect.Call(inputs, targets)
	})
}

func (s *Student) expectGraph(scope *gomlx.Scope, inputs, targets *Node) []*Node {
	return expectations(s.LogitsGraph(scope, inputs), targets)
}

// expectations are, of logits [N, V] and targets [N], the losses of the targets [N], and probability and id of the likeliest tokens,
// [N, K] each.
func expectations(logits, targets *Node) []*Node {
	total := LogSumExp(logits)
	values, ids := TopK(logits, min(slm.MostLikely, logits.Shape().Dim(-1)), -1)
	return []*Node{Sub(total, pick(logits, targets)), Exp(Sub(values, ExpandAxes(total, -1))), ConvertDType(ids, dtypes.Int32)}
}

// predicted runs the padded text, inputs [1, T] and targets [T], and takes the expectations apart.
func predicted(tokens []int32, context int, run func(inputs, targets *tensors.Tensor) ([]*tensors.Tensor, error)) (p slm.Predicted, err error) {
	inputs, err := paddedText(tokens, min(slm.MostPredicted+1, context))
	if err != nil {
		return p, err
	}
	defer free(inputs)
	size := inputs.Shape().Dim(1)
	shifted := make([]int32, size)
	copy(shifted, tokens[1:])
	targets := tensors.FromFlatDataAndDimensions(shifted, size)
	defer free(targets)
	out, err := run(inputs, targets)
	if err != nil {
		return p, err
	}
	defer free(out...)
	losses, err := tensors.CopyFlatData[float32](out[0])
	if err != nil {
		return p, err
	}
	chances, err := tensors.CopyFlatData[float32](out[1])
	if err != nil {
		return p, err
	}
	ids, err := tensors.CopyFlatData[int32](out[2])
	if err != nil {
		return p, err
	}
	likeliest := func(at int) (list []slm.Likely) {
		k := len(ids) / size
		for i := at * k; i < (at+1)*k; i++ {
			list = append(list, slm.Likely{ID: ids[i], Probability: float64(chances[i])})
		}
		return list
	}
	p.Tokens = []slm.PredictedToken{{ID: tokens[0]}}
	for i, token := range tokens[1:] {
		p.Tokens = append(p.Tokens, slm.PredictedToken{ID: token, Loss: float64(losses[i]), Expected: likeliest(i)})
	}
	p.Next = likeliest(len(tokens) - 1)
	return p, nil
}

// paddedText is a text of at most so many tokens as [1, T], with T a power of two, so that few programs are compiled: what stands
// behind a token cannot change what is expected before it.
func paddedText(tokens []int32, most int) (*tensors.Tensor, error) {
	if len(tokens) == 0 || len(tokens) > most {
		return nil, fmt.Errorf("a text of %d tokens: want 1 to %d", len(tokens), most)
	}
	padded := make([]int32, powerOfTwo(len(tokens), min(leastPrompt, most), most))
	copy(padded, tokens)
	return tensors.FromFlatDataAndDimensions(padded, 1, len(padded)), nil
}
