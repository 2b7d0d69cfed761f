package model

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
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

	loss, next *gomlx.Exec
}

// NewStudent puts a student's weights, as [Teacher.Extract] or [RandomWeights] give them, on the device.
func NewStudent(backend compute.Backend, teacher slm.Config, subnet slm.Subnet, weights checkpoint.Weights) (*Student, error) {
	s := &Student{Teacher: teacher, Subnet: subnet, Store: gomlx.NewStore()}
	err := s.upload(backend, weights)
	if err == nil {
		s.loss, err = gomlx.NewExec(backend, s.Store, s.lossGraph)
	}
	if err == nil {
		s.next, err = gomlx.NewExec(backend, s.Store, s.nextGraph)
	}
	if err != nil {
		s.Store.Finalize()
		return nil, fmt.Errorf("student: %w", err)
	}
	return s, nil
}

// upload makes a variable of each weight.
func (s *Student) upload(backend compute.Backend, weights checkpoint.Weights) error {
	for name, dims := range s.variables() {
		weight, ok := weights[name]
		if !ok {
			return fmt.Errorf("tensor %s is missing", name)
		}
		tensor, err := upload(backend, name, weight.Data, dims...)
		if err != nil {
			return err
		}
		if _, err := s.Store.RootScope().CreateVariable(name, tensor); err != nil {
			return err
		}
	}
	return nil
}

// variables yields every weight's name and shape, always in the same order.
func (s *Student) variables() func(yield func(string, []int) bool) {
	return func(yield func(string, []int) bool) {
		embd := s.Subnet.Embd.Len(s.Teacher.Embd)
		if !yield(embedName, []int{s.Teacher.Vocab, embd}) {
			return
		}
		for i, l := range s.Subnet.KeptLayers(s.Teacher) {
			for w, dims := range layerDims(embd, l.Shape(s.Teacher)) {
				if !yield(layerName(i, w), dims) {
					return
				}
			}
		}
		if !yield(normName, []int{embd}) {
			return
		}
		if !s.Teacher.Tied {
			yield(headName, []int{s.Teacher.Vocab, embd})
		}
	}
}

// LogitsGraph builds the forward pass: tokens [B, T] int32 to logits [B·T, V].
func (s *Student) LogitsGraph(scope *gomlx.Scope, tokens *Node) *Node {
	x, norm, head := s.hiddenGraph(scope, tokens)
	return outputLogits(x, norm, s.width(x), head, s.Teacher.NormEps)
}

func (s *Student) width(x *Node) *Node { return ConstAs(x, float64(s.Subnet.Embd.Len(s.Teacher.Embd))) }

// hiddenGraph is the forward pass up to the last norm: x [B, T, E], with that norm's scale and the head [V, E].
func (s *Student) hiddenGraph(scope *gomlx.Scope, tokens *Node) (x, norm, head *Node) {
	g := tokens.Graph()
	weight := func(name string) *Node { return scope.GetVariable(name).NodeValue(g) }
	embed := weight(embedName)
	x = Gather(embed, ExpandAxes(tokens, -1))
	for i, l := range s.Subnet.KeptLayers(s.Teacher) {
		in := make([]*Node, len(layerNames))
		for w := range in {
			in[w] = weight(layerName(i, w))
		}
		w := weightsOf(in)
		w.groupOf = s.groupOf(g, l)
		x = w.layer(x, s.width(x), s.Teacher.NormEps, s.Teacher.RopeTheta)
	}
	if s.Teacher.Tied {
		return x, weight(normName), embed
	}
	return x, weight(normName), weight(headName)
}

// groupOf is nil where every kept group has equally many heads.
func (s *Student) groupOf(g *Graph, l slm.LayerSubnet) *Node {
	heads, groups := l.Heads.Slice(s.Teacher.Heads), l.QueryGroups.Slice(s.Teacher.QueryGroups)
	positions := groupPositions(s.Teacher, heads, groups, len(heads))
	if len(heads)%len(groups) == 0 {
		regular := true
		for i, p := range positions {
			regular = regular && int(p) == i/(len(heads)/len(groups))
		}
		if regular {
			return nil
		}
	}
	return Const(g, positions)
}

func (s *Student) lossGraph(scope *gomlx.Scope, inputs, targets *Node) *Node {
	losses := CrossEntropy(s.LogitsGraph(scope, inputs), Reshape(targets, -1))
	return Reshape(losses, targets.Shape().Dimensions...)
}

func (s *Student) nextGraph(scope *gomlx.Scope, tokens, last *Node) *Node {
	x, norm, head := s.hiddenGraph(scope, tokens)
	return ArgMax(outputLogits(take(x, 1, Reshape(last, 1)), norm, s.width(x), head, s.Teacher.NormEps), -1, dtypes.Int32)
}

// Loss is the mean cross-entropy, in nats per token, on windows of seqLen+1 tokens: see [Teacher.Loss].
func (s *Student) Loss(ctx context.Context, windows []int32, seqLen int) (float64, error) {
	if len(windows) == 0 || len(windows)%(seqLen+1) != 0 {
		return 0, fmt.Errorf("loss: %d tokens are not windows of %d", len(windows), seqLen+1)
	}
	return meanLoss(ctx, windows, seqLen, func(inputs, targets *tensors.Tensor) (*tensors.Tensor, error) {
		return s.loss.Call1(inputs, targets)
	})
}

// Generate continues a prompt greedily by n tokens, and returns the new tokens.
func (s *Student) Generate(ctx context.Context, prompt []int32, n int) ([]int32, error) {
	return generate(ctx, prompt, n, s.Teacher.Context, func(tokens *tensors.Tensor, last int32) (*tensors.Tensor, error) {
		return s.next.Call1(tokens, last)
	})
}

// Weights copies the student's weights to the host, in Hugging Face's shapes.
func (s *Student) Weights() (checkpoint.Weights, error) {
	out := checkpoint.Weights{}
	for name, dims := range s.variables() {
		value, err := s.Store.RootScope().GetVariable(name).Value()
		if err != nil {
			return nil, fmt.Errorf("student: tensor %s: %w", name, err)
		}
		data, err := Download(value)
		if err != nil {
			return nil, fmt.Errorf("student: tensor %s: %w", name, err)
		}
		out[name] = checkpoint.Tensor{Shape: matrixShape(name, dims), Data: data}
	}
	return out, nil
}

// Close frees the device's memory.
func (s *Student) Close() {
	s.loss.Finalize()
	s.next.Finalize()
	s.Store.Finalize()
}
