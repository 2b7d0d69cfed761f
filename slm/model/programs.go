package model

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/slm"
)

// programs are the compiled pieces of a forward pass. Each compiles once for each shape that it meets. Norms are a scale
// and, in families that have one, a bias; weights are a layer's, in the order of [slm.Config.LayerWeights].
type programs struct {
	whole  *program // x, weights → x: a layer that keeps everything
	within *program // x, documents [B, T], weights → x: the same, with attention within documents
	step   *program // x, keys, values [B, C, G, D], length, weights → x, keys, values: a whole layer after a past
	watch  *program // x, windows that count, weights → x, moments of activations: see [watchedLayer]
	number *program // tokens [B, T], separator → documents [B, T]
	embed  *program // embedding [V, E], tokens [B, T] → x [B, T, E]
	logits *program // x, width, head [V, E'], norms → [B·T, V]
	last   *program // x, width, head [V, E'], position, norms → logits after that position [1, V]

	// Of sub-networks: a layer's attention and its feed-forward network are programs of their own, since their shapes then
	// add up instead of multiplying.
	narrow    *program // indices, width, matrix [V, E], norms [E] → [V, E'], [E']
	embedPart *program // embedding [V, E], tokens, indices, width → x [B, T, E']
	attend    *program // x, selection, weights of the attention → x + attention(norm(x))
	feed      *program // x, sum, selection, weights of the feed-forward network → sum + feed-forward(norm(x))

	// Of losses: see [outputLosses].
	targets *program // x, width, head [V, E], targets [B, T], norms [E], indices → norm(x) [N, E'], logits of targets [N]
	words   *program // norm(x), head, first word, words before, largest, sum, indices → largest, sum [N]

	// Of a text to look at, token by token.
	expect   *program // logits [N, V], targets [N] → losses [N], probabilities and ids of the likeliest tokens [N, K]
	look     *program // x, weights → where its heads look [B, H, T, T]
	lookPart *program // x, selection, weights of the attention → the same of a sub-network

	half *programs // the same, with the matrix products on the way to logits in bfloat16

	compiled *atomic.Int64 // counts the graphs built, each of which is compiled once
}

func newPrograms(backend compute.Backend, device compute.DeviceNum, c slm.Config) (p programs, err error) {
	compiled := new(atomic.Int64)
	p, err = newProgramsIn(slm.Float32, backend, device, c, compiled)
	if err == nil {
		p.half = new(programs)
		*p.half, err = newProgramsIn(slm.BFloat16, backend, device, c, compiled)
	}
	if err != nil {
		return p, fmt.Errorf("teacher %s: %w", c.Name, err)
	}
	return p, nil
}

// newProgramsIn are those with a type of matrix products on the way to logits; all others are float32.
func newProgramsIn(numbers slm.NumberType, backend compute.Backend, device compute.DeviceNum, c slm.Config, compiled *atomic.Int64) (p programs, err error) {
	p.compiled = compiled
	build := func(exec **program, name string, graph func([]*Node) []*Node) {
		if err == nil {
			*exec, err = newProgram(backend, device, name, p.compiled, graph)
		}
	}
	one := func(n *Node) []*Node { return []*Node{n} }
	build(&p.whole, "layer", func(in []*Node) []*Node { return one(wholeBlock(c, in[1:]).in(numbers).layer(in[0])) })
	build(&p.within, "layer within documents", func(in []*Node) []*Node {
		b := wholeBlock(c, in[2:]).in(numbers)
		b.documents = in[1]
		return one(b.layer(in[0]))
	})
	build(&p.number, "documents", func(in []*Node) []*Node { return one(documentsOf(in[0], in[1])) })
	build(&p.step, "layer after a past", func(in []*Node) []*Node {
		b := wholeBlock(c, in[4:])
		b.past = &past{keys: in[1], values: in[2], length: in[3]}
		x := b.layer(in[0])
		return []*Node{x, b.past.keys, b.past.values}
	})
	build(&p.watch, "layer under observation", func(in []*Node) []*Node { return watchedLayer(wholeBlock(c, in[2:]), in[0], in[1]) })
	build(&p.embed, "embedding", func(in []*Node) []*Node { return one(embedded(in[0], in[1])) })
	build(&p.logits, "logits", func(in []*Node) []*Node { return one(outputLogits(c, in[0], in[1], matrixIn(numbers, in[2]), in[3:])) })
	build(&p.last, "logits of one position", func(in []*Node) []*Node {
		return one(outputLogits(c, take(in[0], 1, Reshape(in[3], 1)), in[1], in[2], in[4:]))
	})
	build(&p.narrow, "embedding of a sub-network", func(in []*Node) []*Node {
		kept, width := in[0], in[1]
		out := one(unpadded(take(in[2], 1, kept), width))
		for _, norm := range in[3:] {
			out = append(out, unpadded(take(norm, 0, kept), width))
		}
		return out
	})
	build(&p.embedPart, "embedding in a sub-network", func(in []*Node) []*Node {
		return one(unpadded(take(embedded(in[0], in[1]), 2, in[2]), in[3]))
	})
	build(&p.attend, "attention of a sub-network", func(in []*Node) []*Node {
		kept, weights := attentionSelection(in[1:]), in[1+attentionInputs:]
		return one(kept.block(c, kept.keep(attentionWeights(c), weights)).in(numbers).attend(in[0]))
	})
	build(&p.feed, "feed-forward network of a sub-network", func(in []*Node) []*Node {
		kept, weights := ffnSelection(in[2:]), in[2+ffnInputs:]
		return one(kept.block(c, kept.keep(ffnWeights(c), weights)).in(numbers).feed(in[0], in[1]))
	})
	build(&p.targets, "logits of targets", func(in []*Node) []*Node { return targetLogits(c, in) })
	build(&p.words, "logits of some words", someWords)
	build(&p.expect, "expectations", func(in []*Node) []*Node { return expectations(in[0], in[1]) })
	build(&p.look, "attention weights", func(in []*Node) []*Node { return one(wholeBlock(c, in[1:]).attentionWeights(in[0])) })
	build(&p.lookPart, "attention weights of a sub-network", func(in []*Node) []*Node {
		kept, weights := attentionSelection(in[1:]), in[1+attentionInputs:]
		return one(kept.block(c, kept.keep(attentionWeights(c), weights)).attentionWeights(in[0]))
	})
	return p, err
}

// program is a graph that compiles once for each shape of its inputs, and runs on one of the accelerator's devices.
type program struct {
	*Exec
	device compute.DeviceNum
}

// newProgram counts in compiled how often the graph is built.
func newProgram(backend compute.Backend, device compute.DeviceNum, name string, compiled *atomic.Int64, graph func([]*Node) []*Node) (*program, error) {
	exec, err := NewExec(backend, func(in []*Node) []*Node {
		compiled.Add(1)
		return graph(in)
	})
	if err != nil {
		return nil, err
	}
	return &program{exec.WithName(name).SetMaxCache(-1), device}, nil
}

// Call runs the program. Its inputs are numbers of the host, or tensors there or on the program's device.
func (p *program) Call(args ...any) ([]*tensors.Tensor, error) {
	out, _, err := p.CallWithGraphOnDevice(p.device, args...) // GoMLX 0.28.2's CallOnDevice ignores its device
	return out, err
}

// Call1 is Call of a program with one output.
func (p *program) Call1(args ...any) (*tensors.Tensor, error) {
	out, err := p.Call(args...)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

func (p programs) finalize() {
	if p.half != nil {
		p.half.finalize()
	}
	for _, e := range []*program{p.whole, p.within, p.number, p.step, p.watch, p.embed, p.logits, p.last, p.narrow, p.embedPart, p.attend, p.feed, p.targets, p.words, p.expect, p.look, p.lookPart} {
		if e != nil {
			e.Finalize()
		}
	}
}

// Compiled is the number of programs compiled so far.
func (t *Teacher) Compiled() int { return int(t.programs.compiled.Load()) }

// byRole names weights.
func byRole(weights []slm.Weight, in []*Node) map[slm.Role]*Node {
	out := make(map[slm.Role]*Node, len(weights))
	for i, w := range weights {
		out[w.Role] = in[i]
	}
	return out
}

// inFFN says whether a layer's weight is the feed-forward network's, and not the attention's.
func inFFN(w slm.Weight) bool {
	switch w.Role {
	case slm.FFNNorm, slm.FFNNormBias, slm.Gate, slm.Up, slm.UpBias, slm.Down, slm.DownBias:
		return true
	}
	return false
}

func inAttention(w slm.Weight) bool { return !inFFN(w) }
func all(slm.Weight) bool           { return true }

// attentionWeights are a layer's, in the order of [slm.Config.LayerWeights].
func attentionWeights(c slm.Config) []slm.Weight {
	return slices.DeleteFunc(slices.Clone(c.LayerWeights()), inFFN)
}

// ffnWeights are the others.
func ffnWeights(c slm.Config) []slm.Weight {
	return slices.DeleteFunc(slices.Clone(c.LayerWeights()), inAttention)
}

// embedded are the rows of an embedding for tokens, [B, T].
func embedded(embedding, tokens *Node) *Node { return Gather(embedding, ExpandAxes(tokens, -1)) }

// wholeBlock is a layer of the teacher in full.
func wholeBlock(c slm.Config, weights []*Node) *block {
	return denseBlock(c, slm.Subnet{}, slm.LayerSubnet{}, weights)
}

// denseBlock is a layer of a sub-network whose weights hold only what it keeps.
func denseBlock(c slm.Config, s slm.Subnet, l slm.LayerSubnet, weights []*Node) *block {
	g := weights[0].Graph()
	known := frequencies(c, s, l)
	return &block{config: c, weight: byRole(c.LayerWeights(), weights), frequencies: Const(g, known), known: known,
		scale: Const(g, float32(s.AttentionScale(c, l))), groupOf: irregularGroups(g, c, s, l)}
}

// irregularGroups is nil where every kept group has equally many heads.
func irregularGroups(g *Graph, c slm.Config, s slm.Subnet, l slm.LayerSubnet) *Node {
	positions := groupPositions(c, s, l, s.Size(c, l, slm.HeadAxis))
	each := len(positions) / s.Size(c, l, slm.GroupAxis)
	for i, p := range positions {
		if each == 0 || int(p) != i/each {
			return Const(g, positions)
		}
	}
	return nil
}

// frequencies are those of a kept layer's rotated pairs. Where no pair is kept, one that turns by nothing stands for them:
// an input cannot be empty.
func frequencies(c slm.Config, s slm.Subnet, l slm.LayerSubnet) []float32 {
	var out []float32
	for _, v := range s.Frequencies(c, l) {
		out = append(out, float32(v))
	}
	if out == nil {
		return []float32{0}
	}
	return out
}
