package model

import (
	"fmt"
	"sync/atomic"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope

	"github.com/offshoot-ml/offshoot/slm"
)

// programs are the compiled pieces of a forward pass. Each compiles once for each shape that it meets.
type programs struct {
	whole  *Exec // x, the nine weights → x: a layer that keeps everything
	part   *Exec // x, selection, the nine weights → x: a layer of a sub-network
	narrow *Exec // embedding [V, E], norm [E], indices, mask → [V, E'], [E']
	embed  *Exec // embedding [V, E'], tokens [B, T] → x [B, T, E']
	loss   *Exec // x, norm, width, head [V, E'], targets [B, T] → nats [B, T]
	logits *Exec // x, norm, width, head [V, E'] → [B·T, V]
	next   *Exec // x, norm, width, head [V, E'], position → the likeliest token after it, int32

	compiled *atomic.Int64 // counts the graphs built, each of which is compiled once
}

func newPrograms(backend compute.Backend, c slm.Config) (p programs, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("teacher %s: %w", c.Name, err)
		}
	}()
	p.compiled = new(atomic.Int64)
	build := func(exec **Exec, name string, graph func([]*Node) []*Node) {
		if err == nil {
			*exec, err = NewExec(backend, func(in []*Node) []*Node {
				p.compiled.Add(1)
				return graph(in)
			})
		}
		if err == nil {
			(*exec).WithName(name).SetMaxCache(-1)
		}
	}
	one := func(n *Node) []*Node { return []*Node{n} }
	build(&p.whole, "layer", func(in []*Node) []*Node {
		return one(weightsOf(in[1:]).layer(in[0], ConstAs(in[0], float64(c.Embd)), c.NormEps, c.RopeTheta))
	})
	build(&p.part, "layer of a sub-network", func(in []*Node) []*Node {
		x, s := in[0], selection(in[1:])
		return one(s.narrow(weightsOf(in[1+selectionInputs:])).layer(x, s.width(), c.NormEps, c.RopeTheta))
	})
	build(&p.narrow, "embedding of a sub-network", func(in []*Node) []*Node {
		mask := in[3]
		return []*Node{masked(take(in[0], 1, in[2]), mask), masked(take(in[1], 0, in[2]), mask)}
	})
	build(&p.embed, "embedding", func(in []*Node) []*Node { return one(Gather(in[0], ExpandAxes(in[1], -1))) })
	build(&p.loss, "loss", func(in []*Node) []*Node {
		logits := outputLogits(in[0], in[1], in[2], in[3], c.NormEps)
		return one(Reshape(CrossEntropy(logits, Reshape(in[4], -1)), in[4].Shape().Dimensions...))
	})
	build(&p.logits, "logits", func(in []*Node) []*Node { return one(outputLogits(in[0], in[1], in[2], in[3], c.NormEps)) })
	build(&p.next, "next token", func(in []*Node) []*Node {
		at := take(in[0], 1, Reshape(in[4], 1))
		return one(ArgMax(outputLogits(at, in[1], in[2], in[3], c.NormEps), -1, dtypes.Int32))
	})
	return p, err
}

func (p programs) finalize() {
	for _, e := range []*Exec{p.whole, p.part, p.narrow, p.embed, p.loss, p.logits, p.next} {
		if e != nil {
			e.Finalize()
		}
	}
}

// Compiled is the number of programs compiled so far.
func (t *Teacher) Compiled() int { return int(t.programs.compiled.Load()) }

// outputLogits is the head after the last norm: x [B, T, E] to [B·T, V].
func outputLogits(x, norm, width, head *Node, eps float64) *Node {
	x = rmsNorm(x, norm, width, eps)
	return DotGeneral(Reshape(x, -1, x.Shape().Dim(-1)), []int{1}, nil, head, []int{1}, nil)
}

func weightsOf(in []*Node) layerWeights {
	return layerWeights{attentionNorm: in[0], query: in[1], key: in[2], value: in[3], output: in[4],
		ffnNorm: in[5], gate: in[6], up: in[7], down: in[8]}
}
