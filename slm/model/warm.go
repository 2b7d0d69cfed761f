package model

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/slm"
)

// Warmer trains sub-networks for a few steps before it evaluates them: the loss before training says little about the loss
// after it. A whole training step would have to be compiled for each candidate, which takes longer than the training; so
// back-propagation, too, goes layer by layer, through programs that all candidates share: the gradients of a layer's attention
// and feed-forward network by their padded shapes, and an AdamW update by the shape of a weight. Padding has gradients of zero.
//
// Its methods are for one goroutine at a time.
type Warmer struct {
	teacher *Teacher
	plan    slm.Warm
	batches []warmBatch

	attention, ffn half     // of a layer
	output         *program // x, width, head, targets, teacher's logits, norms → loss, gradients of x, head and norms, squared norm of the norms'
	input          *program // embedding, tokens, width, gradient of x, gradient of the head (when tied) → gradient of the embedding, its squared norm
	update         *program // weight, gradient, moments, factors → weight, moments
}

// half are the programs of a layer's attention, or of its feed-forward network. Inputs are x and, where residuals are parallel,
// the sum to which a feed-forward network adds; sizes are what the kept weights do not tell.
type half struct {
	gather   *program // selection, weights → what is kept of them
	forward  *program // inputs, sizes, kept weights → output
	backward *program // inputs, gradients, sizes, kept weights → gradients of inputs and weights, squared norm of the weights'
}

// warmBatch is a batch on the device, with what the teacher says of it.
type warmBatch struct{ inputs, targets, logits *tensors.Tensor }

// TokenLoss is the mean loss of logits [N, V] over N targets; teacher is nil where the loss does not need it.
type TokenLoss func(student, teacher, targets *Node) *Node

// NewWarmer prepares the training of sub-networks of a teacher on batches of windows of plan.SeqLen+1 tokens, one for each
// step, row-major. The teacher's logits are computed once, where the loss needs them.
func NewWarmer(ctx context.Context, t *Teacher, plan slm.Warm, loss TokenLoss, batches [][]int32) (w *Warmer, err error) {
	if err := plan.Validate(); err != nil {
		return nil, err
	}
	if len(batches) != plan.Steps {
		return nil, fmt.Errorf("warm: %d batches for %d steps", len(batches), plan.Steps)
	}
	w = &Warmer{teacher: t, plan: plan}
	defer func() {
		if err != nil {
			w.Close()
			w = nil
		}
	}()
	for _, windows := range batches {
		if err := checkWindows(windows, plan.SeqLen); err != nil {
			return w, fmt.Errorf("warm: %w", err)
		}
		var b warmBatch
		b.inputs, b.targets = SplitWindows(windows, plan.SeqLen)
		w.batches = append(w.batches, b)
		if plan.Loss.NeedsTeacher() {
			if w.batches[len(w.batches)-1].logits, err = t.Logits(ctx, b.inputs); err != nil {
				return w, err
			}
		}
	}
	return w, w.build(loss)
}

func (w *Warmer) build(loss TokenLoss) (err error) {
	c := w.teacher.Config
	build := func(exec **program, name string, graph func([]*Node) []*Node) {
		if err == nil {
			*exec, err = newProgram(w.teacher.backend, w.teacher.device, name, w.teacher.programs.compiled, graph)
		}
	}
	build(&w.attention.gather, "weights of a sub-network's attention", func(in []*Node) []*Node {
		return attentionSelection(in).keep(attentionWeights(c), in[attentionInputs:])
	})
	build(&w.ffn.gather, "weights of a sub-network's feed-forward network", func(in []*Node) []*Node {
		return ffnSelection(in).keep(ffnWeights(c), in[ffnInputs:])
	})
	attend := func(in []*Node) *Node { return sizedAttention(c, in[1], in[2], in[3:]).attend(in[0]) }
	feed := func(in []*Node) *Node { return sizedFFN(c, in[1], in[2:]).feed(in[0], in[0]) }
	inputs := 1
	if c.ParallelResidual {
		feed, inputs = func(in []*Node) *Node { return sizedFFN(c, in[2], in[3:]).feed(in[0], in[1]) }, 2
	}
	build(&w.attention.forward, "attention in training", func(in []*Node) []*Node { return []*Node{attend(in)} })
	build(&w.ffn.forward, "feed-forward network in training", func(in []*Node) []*Node { return []*Node{feed(in)} })
	build(&w.attention.backward, "gradient of an attention", func(in []*Node) []*Node { return backward(attend, in, 1, inputs, 2) })
	build(&w.ffn.backward, "gradient of a feed-forward network", func(in []*Node) []*Node { return backward(feed, in, inputs, 1, 1) })
	build(&w.output, "gradient of the output", func(in []*Node) []*Node {
		x, width, head, targets, norms := in[0], in[1], in[2], in[3], in[4:]
		var teacher *Node
		if w.plan.Loss.NeedsTeacher() {
			teacher, norms = in[4], in[5:]
		}
		value := loss(outputLogits(c, x, width, head, norms), teacher, Reshape(targets, -1))
		out := append([]*Node{value}, Gradient(value, append([]*Node{x, head}, norms...)...)...)
		return append(out, squaredNorm(out[3:]), squaredNorm(out[2:3]))
	})
	build(&w.input, "gradient of the embedding", func(in []*Node) []*Node {
		embed, tokens, width, gradient := in[0], in[1], in[2], in[3]
		out := Gradient(ReduceAllSum(Mul(Gather(embed, ExpandAxes(tokens, -1)), gradient)), embed)[0]
		if len(in) > 4 {
			out = Add(out, in[4])
		}
		out = unpadded(out, width) // layers hand a gradient to padding, too, which must stay zero
		return []*Node{out, squaredNorm([]*Node{out})}
	})
	build(&w.update, "AdamW", adamW)
	return err
}

// backward is the graph of a half's gradients. in are so many inputs, the gradients of the output, which are added up, so many
// sizes, and weights. The first of those gradients is the output's, a second one is of the input by another way.
func backward(half func([]*Node) *Node, in []*Node, inputs, gradients, sizes int) []*Node {
	given := in[inputs : inputs+gradients]
	of := slices.Concat(in[:inputs], in[inputs+gradients:])
	out := Gradient(ReduceAllSum(Mul(half(of), given[0])), slices.Concat(of[:inputs], of[inputs+sizes:])...)
	for _, other := range given[1:] {
		out[0] = Add(out[0], other)
	}
	return append(out, squaredNorm(out[inputs:]))
}

func squaredNorm(gradients []*Node) *Node {
	sum := ReduceAllSum(Square(gradients[0]))
	for _, g := range gradients[1:] {
		sum = Add(sum, ReduceAllSum(Square(g)))
	}
	return sum
}

// adamW is one update of a weight (Loshchilov and Hutter 2019, arXiv 1711.05101, algorithm 2), in PyTorch's order. in are
// the weight, its gradient, the two moments, and factors [4]: what scales the gradient, the step size with both bias
// corrections in it, the second moment's bias correction, and what the weight keeps after decay.
func adamW(in []*Node) []*Node {
	weight, gradient, first, second, factors := in[0], in[1], in[2], in[3], in[4]
	factor := func(i int) *Node { return Reshape(Slice(factors, AxisElem(i))) }
	gradient = Mul(gradient, factor(0))
	first = Add(MulScalar(first, warmBeta1), MulScalar(gradient, 1-warmBeta1))
	second = Add(MulScalar(second, warmBeta2), MulScalar(Square(gradient), 1-warmBeta2))
	step := Div(Mul(first, factor(1)), AddScalar(Sqrt(Mul(second, factor(2))), warmEpsilon))
	return []*Node{Sub(Mul(weight, factor(3)), step), first, second}
}

// The optimizer's settings: the defaults of slm.Distillation.
const (
	warmBeta1   = 0.9
	warmBeta2   = 0.95
	warmEpsilon = 1e-8
	warmDecay   = 0.1
	warmClip    = 1.0
)

// Loss trains a sub-network of the teacher, and returns its mean cross-entropy on windows: see [Teacher.Loss].
func (w *Warmer) Loss(ctx context.Context, subnet slm.Subnet, windows []int32, seqLen int) (float64, error) {
	if err := checkWindows(windows, seqLen); err != nil {
		return 0, fmt.Errorf("warm loss: %w", err)
	}
	s, err := w.start(subnet)
	if err != nil {
		return 0, err
	}
	defer s.close()
	for step := range w.batches {
		if err := s.train(ctx, step); err != nil {
			return 0, fmt.Errorf("warm step %d: %w", step+1, err)
		}
	}
	return meanLoss(ctx, windows, seqLen, Passes{}, func(inputs, targets *tensors.Tensor) ([]float32, error) {
		xs, err := s.forward(ctx, inputs)
		defer func() { free(xs...) }()
		if err != nil {
			return nil, err
		}
		head := outputHead{head: s.head().value, norms: values(s.norms), width: s.width}
		return w.teacher.programs.losses(ctx, head, xs[len(xs)-1], targets)
	})
}

// Close frees the device's memory.
func (w *Warmer) Close() {
	for _, b := range w.batches {
		free(b.inputs, b.targets, b.logits)
	}
	for _, e := range []*program{w.attention.gather, w.attention.forward, w.attention.backward, w.ffn.gather, w.ffn.forward, w.ffn.backward,
		w.output, w.input, w.update} {
		if e != nil {
			e.Finalize()
		}
	}
}

// inTraining is a sub-network with weights of its own, and the optimizer's state.
type inTraining struct {
	*Warmer
	width  float32
	halves []trainedHalf // the attention and the feed-forward network of each layer, in turns
	outer  []*parameter  // embedding, and the head unless it is tied
	norms  []*parameter  // the last norm's scale and bias
}

// trainedHalf is an attention or a feed-forward network: its sizes, as inputs of the programs, and its weights.
type trainedHalf struct {
	half
	sizes   []any
	weights []*parameter
}

// parameter is a weight in training.
type parameter struct {
	value, first, second *tensors.Tensor
	decays               bool
}

func values(parameters []*parameter) (out []any) {
	for _, p := range parameters {
		out = append(out, p.value)
	}
	return out
}

// newParameter owns a weight; the moments begin at zero.
func newParameter(value *tensors.Tensor, decays bool) *parameter {
	shape := shapes.Make(dtypes.Float32, value.Shape().Dimensions...)
	return &parameter{value: value, first: tensors.FromShape(shape), second: tensors.FromShape(shape), decays: decays}
}

func (p *parameter) close() { free(p.value, p.first, p.second) }

func (s *inTraining) close() {
	for _, h := range s.halves {
		for _, p := range h.weights {
			p.close()
		}
	}
	for _, p := range append(s.outer, s.norms...) {
		p.close()
	}
}

func (s *inTraining) head() *parameter { return s.outer[len(s.outer)-1] }

// start gathers the weights that a sub-network keeps.
func (w *Warmer) start(subnet slm.Subnet) (s *inTraining, err error) {
	t := w.teacher
	if err := subnet.Validate(t.Config); err != nil {
		return nil, fmt.Errorf("teacher %s: sub-network: %w", t.Config.Name, err)
	}
	s = &inTraining{Warmer: w, width: float32(subnet.Embd.Len(t.Config.Embd))}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	args := []any{padded(t.Config, subnet, slm.LayerSubnet{}, slm.EmbdAxis, t.sizes(subnet, slm.LayerSubnet{}).embd), s.width, t.embed()}
	for _, n := range t.norms() {
		args = append(args, n)
	}
	out, err := t.programs.narrow.Call(args...)
	if err != nil {
		return s, err
	}
	s.outer = append(s.outer, newParameter(out[0], true))
	for _, n := range out[1:] {
		s.norms = append(s.norms, newParameter(n, false))
	}
	if !t.Config.Tied {
		head, err := t.programs.narrow.Call1(append(args[:2:2], t.head())...)
		if err != nil {
			return s, err
		}
		s.outer = append(s.outer, newParameter(head, true))
	}
	for _, l := range subnet.KeptLayers(t.Config) {
		z := t.sizes(subnet, l)
		attention, ffn := selectAttention(t.Config, subnet, l, z), selectFFN(t.Config, subnet, l, z)
		if err := s.add(w.attention, attention, attention[4:], attentionWeights(t.Config), t.layer(l.Layer, inAttention)); err != nil {
			return s, fmt.Errorf("layer %d: %w", l.Layer, err)
		}
		if err := s.add(w.ffn, ffn, ffn[2:], ffnWeights(t.Config), t.layer(l.Layer, inFFN)); err != nil {
			return s, fmt.Errorf("layer %d: %w", l.Layer, err)
		}
	}
	return s, nil
}

// add gathers the weights of half a layer.
func (s *inTraining) add(h half, selection, sizes []any, weights []slm.Weight, of []any) error {
	kept, err := h.gather.Call(slices.Concat(selection, of)...)
	if err != nil {
		return err
	}
	trained := trainedHalf{half: h, sizes: sizes}
	for i, w := range weights {
		trained.weights = append(trained.weights, newParameter(kept[i], !w.IsVector()))
	}
	s.halves = append(s.halves, trained)
	return nil
}

// inputs are those of the i-th half, from the input of each half so far: a feed-forward network reads what attention read where
// residuals are parallel.
func (s *inTraining) inputs(xs []*tensors.Tensor, i int) []any {
	if i%2 == 1 && s.teacher.Config.ParallelResidual {
		return []any{xs[i-1], xs[i]}
	}
	return []any{xs[i]}
}

// forward runs tokens through the layers; it returns the input of each half and, last, the output, also those before an error.
func (s *inTraining) forward(ctx context.Context, tokens *tensors.Tensor) (xs []*tensors.Tensor, err error) {
	x, err := s.teacher.programs.embed.Call1(s.outer[0].value, tokens)
	if err != nil {
		return nil, err
	}
	xs = append(xs, x)
	for i, h := range s.halves {
		if err := ctx.Err(); err != nil {
			return xs, err
		}
		if x, err = h.forward.Call1(slices.Concat(s.inputs(xs, i), h.sizes, values(h.weights))...); err != nil {
			return xs, err
		}
		xs = append(xs, x)
	}
	return xs, nil
}

// train takes one step.
func (s *inTraining) train(ctx context.Context, step int) error {
	batch := s.batches[step]
	xs, err := s.forward(ctx, batch.inputs)
	gradients := map[*parameter]*tensors.Tensor{}
	defer func() {
		free(xs...)
		for _, g := range gradients {
			free(g)
		}
	}()
	if err != nil {
		return err
	}
	squared, err := s.backward(ctx, batch, xs, gradients)
	if err != nil {
		return err
	}
	return s.apply(step, squared, gradients)
}

// backward fills in the gradient of every weight, and returns the squared norm of them all.
func (s *inTraining) backward(ctx context.Context, batch warmBatch, xs []*tensors.Tensor, gradients map[*parameter]*tensors.Tensor) (squared float64, err error) {
	args := []any{xs[len(xs)-1], s.width, s.head().value, batch.targets}
	if batch.logits != nil {
		args = append(args, batch.logits)
	}
	out, err := s.output.Call(append(args, values(s.norms)...)...)
	if err != nil {
		return 0, err
	}
	last := len(out) - 1
	headGradient, headSquared := out[2], scalar(out[last])
	squared = scalar(out[last-1])
	dx := out[1:2:2] // the gradient of what a half gives, and that of its input by another way
	defer func() { free(dx...) }()
	for i, p := range s.norms {
		gradients[p] = out[3+i]
	}
	free(out[0])
	for i := len(s.halves) - 1; i >= 0; i-- {
		if err := ctx.Err(); err != nil {
			free(headGradient)
			return 0, err
		}
		h, args := s.halves[i], s.inputs(xs, i)
		inputs := len(args)
		for _, g := range dx {
			args = append(args, g)
		}
		out, err := h.backward.Call(slices.Concat(args, h.sizes, values(h.weights))...)
		if err != nil {
			free(headGradient)
			return 0, err
		}
		free(dx...)
		dx = out[:inputs:inputs]
		slices.Reverse(dx)
		for k, p := range h.weights {
			gradients[p] = out[inputs+k]
		}
		squared += scalar(out[len(out)-1])
	}
	args = []any{s.outer[0].value, batch.inputs, s.width, dx[0]}
	if len(s.outer) == 1 {
		args = append(args, headGradient)
	}
	out, err = s.input.Call(args...)
	if err != nil {
		free(headGradient)
		return 0, err
	}
	gradients[s.outer[0]] = out[0]
	squared += scalar(out[1])
	if len(s.outer) == 1 {
		free(headGradient)
		return squared, nil
	}
	gradients[s.head()] = headGradient
	return squared + headSquared, nil
}

// scalar reads a number and frees its tensor.
func scalar(t *tensors.Tensor) float64 {
	defer free(t)
	return float64(tensors.ToScalar[float32](t))
}

// apply updates every weight.
func (s *inTraining) apply(step int, squared float64, gradients map[*parameter]*tensors.Tensor) error {
	for p, g := range gradients {
		out, err := s.update.Call(p.value, g, p.first, p.second, s.factors(step, squared, p.decays))
		if err != nil {
			return err
		}
		p.close()
		p.value, p.first, p.second = out[0], out[1], out[2]
	}
	return nil
}

// factors are those of [adamW] at a step, counted from 0, for gradients of so great a squared norm.
func (w *Warmer) factors(step int, squared float64, decays bool) []float32 {
	rate, n := w.plan.Schedule.Rate(step), float64(step+1)
	keep := 1.0
	if decays {
		keep -= rate * warmDecay
	}
	return []float32{float32(min(1, warmClip/(math.Sqrt(squared)+1e-6))), float32(rate / (1 - math.Pow(warmBeta1, n))),
		float32(1 / (1 - math.Pow(warmBeta2, n))), float32(keep)}
}
