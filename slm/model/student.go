package model

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope
	"github.com/gomlx/gomlx/core/tensors"
	gomlx "github.com/gomlx/gomlx/ml/model"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// Student is a dense transformer with the sizes of a sub-network. Its weights are the trainable variables of a GoMLX
// store, under their Hugging Face names, so that an optimizer can update them.
type Student struct {
	Teacher slm.Config
	Subnet  slm.Subnet
	Store   *gomlx.Store

	// Separator is the token that ends a document, where attention stays within documents; nil: a window is read whole. Set it
	// before the first pass. Generating reads a prompt whole.
	Separator *int32

	loss, step, expect, look *gomlx.Exec
}

// NewStudent puts a student's weights, such as [Teacher.Extract] or [RandomWeights] give them, on the device.
func NewStudent(backend compute.Backend, teacher slm.Config, subnet slm.Subnet, weights checkpoint.Source) (*Student, error) {
	s := &Student{Teacher: teacher, Subnet: subnet, Store: gomlx.NewStore()}
	err := s.upload(backend, weights)
	if err == nil {
		s.loss, err = gomlx.NewExec(backend, s.Store, s.lossGraph)
	}
	if err == nil {
		s.step, err = gomlx.NewExec(backend, s.Store, s.stepGraph)
	}
	if err == nil {
		s.expect, err = gomlx.NewExec(backend, s.Store, s.expectGraph)
	}
	if err == nil {
		s.look, err = gomlx.NewExec(backend, s.Store, s.lookGraph)
	}
	if err != nil {
		s.Store.Finalize()
		return nil, fmt.Errorf("student: %w", err)
	}
	return s, nil
}

// upload makes a variable of each weight, with an axis for each of its axes.
func (s *Student) upload(backend compute.Backend, weights checkpoint.Source) error {
	for name, t := range s.Subnet.Tensors(s.Teacher) {
		sizes := s.Subnet.Sizes(s.Teacher, t.Layer, t.Weight)
		w := wanted{name: name, sizes: sizes, kind: t.Weight}
		if err := w.check(weights); err != nil {
			return err
		}
		placed, err := newWeight(backend, 0, sizes, func(dst []float32) error { return weights.Read(name, dst) })
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		if _, err := s.Store.RootScope().CreateVariable(name, placed.tensor); err != nil {
			return err
		}
	}
	return nil
}

// IsMatrix reports whether a variable is a matrix, which weight decay shrinks, and not a norm's scale or a bias.
func (s *Student) IsMatrix(name string) bool {
	for weight, t := range s.Subnet.Tensors(s.Teacher) {
		if weight == name {
			return !t.IsVector()
		}
	}
	return false
}

// Computing says how a forward pass computes. The zero value is float32, and keeps what a backward pass needs.
type Computing struct {
	Type          slm.NumberType // of matrix products: Float32, which none means, or BFloat16
	Checkpointing bool           // keep layers' inputs only, and compute the rest once more in the backward pass

	observe func(at probe, x *Node) // is shown activations of all layers; nil for nobody
}

// LogitsGraph builds the forward pass: tokens [B, T] int32 to logits [B·T, V].
func (s *Student) LogitsGraph(scope *gomlx.Scope, tokens *Node) *Node {
	logits, _ := s.ForwardGraph(scope, tokens, Computing{})
	return logits
}

// ForwardGraph is LogitsGraph, with the hidden states on the way: the embedding's and that after each layer, [B, T, E] each.
func (s *Student) ForwardGraph(scope *gomlx.Scope, tokens *Node, how Computing) (logits *Node, states []*Node) {
	states = s.hiddenGraph(scope, tokens, nil, how)
	return s.outputGraph(scope, states[len(states)-1], how), states
}

func (s *Student) weight(scope *gomlx.Scope, g *Graph, name string) *Node {
	return scope.GetVariable(name).NodeValue(g)
}

// hiddenGraph is the forward pass up to the last norm: x [B, T, E] after no layer, after the first, and so on. pasts are each
// layer's, nil for texts that begin here.
func (s *Student) hiddenGraph(scope *gomlx.Scope, tokens *Node, pasts []*past, how Computing) []*Node {
	g := tokens.Graph()
	x := embedded(s.weight(scope, g, s.Teacher.OuterWeights()[0].Name), tokens)
	states := []*Node{x}
	shared := turns{}
	var documents *Node
	if s.Separator != nil && pasts == nil {
		documents = documentsOf(tokens, Const(g, *s.Separator))
	}
	for i, l := range s.Subnet.KeptLayers(s.Teacher) {
		var weights []*Node
		for _, w := range s.Teacher.LayerWeights() {
			weights = append(weights, s.weight(scope, g, w.In(i)))
		}
		b := denseBlock(s.Teacher, s.Subnet, l, weights).in(how.Type)
		b.documents, b.turns, b.observe = documents, shared, how.observe
		if pasts != nil {
			b.past = pasts[i]
		}
		if how.Checkpointing {
			x = x.Checkpoint()
		}
		x = b.layer(x)
		if how.Checkpointing {
			x = x.StopCheckpoint()
		}
		states = append(states, x)
	}
	return states
}

// outputGraph is x [B, T, E] to logits [B·T, V].
func (s *Student) outputGraph(scope *gomlx.Scope, x *Node, how Computing) *Node {
	var head *Node
	var norms []*Node
	for _, w := range s.Teacher.OuterWeights() {
		node := s.weight(scope, x.Graph(), w.Name)
		switch w.Role {
		case slm.TokenEmbedding:
			head = node // serves as the head, unless one follows
		case slm.OutputHead:
			head = node
		default:
			norms = append(norms, node)
		}
	}
	return outputLogits(s.Teacher, x, nil, matrixIn(how.Type, head), norms)
}

func (s *Student) lossGraph(scope *gomlx.Scope, inputs, targets *Node) *Node {
	losses := CrossEntropy(s.LogitsGraph(scope, inputs), Reshape(targets, -1))
	return Reshape(losses, targets.Shape().Dimensions...)
}

// stepGraph reads tokens [1, T] after a past. in are the tokens, the position among them whose logits are wanted, the
// past's length, and each layer's keys and values; out are the logits [1, V], and each layer's keys and values.
func (s *Student) stepGraph(scope *gomlx.Scope, in []*Node) []*Node {
	tokens, last, length := in[0], in[1], in[2]
	var pasts []*past
	for i := 3; i < len(in); i += 2 {
		pasts = append(pasts, &past{keys: in[i], values: in[i+1], length: length})
	}
	states := s.hiddenGraph(scope, tokens, pasts, Computing{})
	out := []*Node{s.outputGraph(scope, take(states[len(states)-1], 1, Reshape(last, 1)), Computing{})}
	for _, p := range pasts {
		out = append(out, p.keys, p.values)
	}
	return out
}

// Loss is the mean cross-entropy, in nats per token, on windows of seqLen+1 tokens: see [Teacher.Loss].
func (s *Student) Loss(ctx context.Context, windows []int32, seqLen int) (float64, error) {
	if err := checkWindows(windows, seqLen); err != nil {
		return 0, fmt.Errorf("loss: %w", err)
	}
	return meanLoss(ctx, windows, seqLen, Passes{}, func(inputs, targets *tensors.Tensor) ([]float32, error) {
		out, err := s.loss.Call1(inputs, targets)
		if err != nil {
			return nil, err
		}
		defer free(out)
		return tensors.CopyFlatData[float32](out)
	})
}

// Generate continues a prompt, and returns the new tokens: see [Teacher.Generate].
func (s *Student) Generate(ctx context.Context, prompt []int32, g slm.Generation) ([]int32, error) {
	r := &studentReader{student: s}
	defer r.close()
	return generate(ctx, prompt, g, s.Teacher.Context, r)
}

// studentReader runs all layers in one program.
type studentReader struct {
	student *Student
	caches  []cache
	length  int32
}

func (r *studentReader) forget(room int) error {
	r.close()
	for _, l := range r.student.Subnet.KeptLayers(r.student.Teacher) {
		shape := l.Shape(r.student.Teacher)
		r.caches = append(r.caches, newCache(room, shape.QueryGroups, shape.HeadSize))
	}
	return nil
}

func (r *studentReader) read(_ context.Context, tokens *tensors.Tensor, last int) ([]float32, error) {
	args := []any{tokens, int32(last), r.length}
	for _, c := range r.caches {
		args = append(args, c.keys, c.values)
	}
	out, err := r.student.step.Call(args...)
	if err != nil {
		return nil, err
	}
	defer free(out[0])
	for i := range r.caches {
		r.caches[i].close()
		r.caches[i] = cache{out[1+2*i], out[2+2*i]}
	}
	r.length += int32(last + 1)
	return tensors.CopyFlatData[float32](out[0])
}

func (r *studentReader) close() {
	for _, c := range r.caches {
		c.close()
	}
	r.caches, r.length = nil, 0
}

// Weights copies the student's weights to the host, in Hugging Face's shapes.
func (s *Student) Weights() (checkpoint.Weights, error) {
	out := checkpoint.Weights{}
	for name, t := range s.Subnet.Tensors(s.Teacher) {
		value, err := s.Store.RootScope().GetVariable(name).Value()
		if err != nil {
			return nil, fmt.Errorf("student: tensor %s: %w", name, err)
		}
		data, err := Download(value)
		if err != nil {
			return nil, fmt.Errorf("student: tensor %s: %w", name, err)
		}
		out[name] = checkpoint.Tensor{Shape: t.MatrixShape(s.Subnet.Sizes(s.Teacher, t.Layer, t.Weight)), Data: data}
	}
	return out, nil
}

// Close frees the device's memory.
func (s *Student) Close() {
	for _, e := range []*gomlx.Exec{s.loss, s.step, s.expect, s.look} {
		e.Finalize()
	}
	s.Store.Finalize()
}
