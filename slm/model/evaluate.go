package model

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/slm"
)

// maxBatchTokens bounds the tokens of one pass: their logits are the largest array, 4 bytes for each token and word.
const maxBatchTokens = 1024

// The sizes of a program are rounded up to these parts of the teacher's, so that few programs serve all candidates.
// Finer parts waste less arithmetic on padding, coarser ones compile fewer programs.
const (
	embdParts = 6
	headParts = 2
	ffnParts  = 3
)

// roundUp is the smallest multiple of size/parts that holds n.
func roundUp(n, size, parts int) int {
	unit := (size + parts - 1) / parts
	return min(size, (n+unit-1)/unit*unit)
}

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

// selection is what a sub-network keeps of a layer, padded: index vectors (int32, padding points at 0) and masks.
// In order: embd, embdMask, width (scalar), heads, headMask, groupOf, groups, headSize, ffn, ffnMask.
type selection []*Node

const selectionInputs = 10

func (s selection) width() *Node { return s[2] }

// narrow gathers the kept weights of a layer; the masks ride along.
func (s selection) narrow(w layerWeights) layerWeights {
	embd, heads, groups, headSize, ffn := s[0], s[3], s[6], s[7], s[8]
	in := func(x, rows *Node) *Node { return take(take(take(x, 0, rows), 1, headSize), 2, embd) }
	return layerWeights{
		attentionNorm: take(w.attentionNorm, 0, embd),
		query:         in(w.query, heads),
		key:           in(w.key, groups),
		value:         in(w.value, groups),
		output:        take(take(take(w.output, 0, embd), 1, heads), 2, headSize),
		ffnNorm:       take(w.ffnNorm, 0, embd),
		gate:          take(take(w.gate, 0, ffn), 1, embd),
		up:            take(take(w.up, 0, ffn), 1, embd),
		down:          take(take(w.down, 0, embd), 1, ffn),
		groupOf:       s[5],
		embdMask:      s[1],
		headMask:      s[4],
		ffnMask:       s[9],
	}
}

// padded are indices rounded up to a program's size, and the mask of the real ones.
func padded(indices []int, size int) (index []int32, mask []float32) {
	index, mask = make([]int32, size), make([]float32, size)
	for i, v := range indices {
		index[i], mask[i] = int32(v), 1
	}
	return index, mask
}

// selectLayer builds the inputs of the part program for one kept layer.
func selectLayer(c slm.Config, embd slm.Indices, l slm.LayerSubnet) []any {
	kept := embd.Slice(c.Embd)
	embdIndex, embdMask := padded(kept, roundUp(len(kept), c.Embd, embdParts))
	heads := l.Heads.Slice(c.Heads)
	headIndex, headMask := padded(heads, roundUp(len(heads), c.Heads, headParts))
	groups := l.QueryGroups.Slice(c.QueryGroups)
	groupIndex, _ := padded(groups, c.QueryGroups)
	ffn := l.FFN.Slice(c.FFN)
	ffnIndex, ffnMask := padded(ffn, roundUp(len(ffn), c.FFN, ffnParts))
	sizes := l.HeadSize.Slice(c.HeadSize)
	sizeIndex, _ := padded(sizes, len(sizes))
	return []any{embdIndex, embdMask, float32(len(kept)), headIndex, headMask, groupPositions(c, heads, groups, len(headIndex)),
		groupIndex, sizeIndex, ffnIndex, ffnMask}
}

// groupPositions maps each kept head to the position of its query group among the kept ones, padded with 0.
func groupPositions(c slm.Config, heads, groups []int, size int) []int32 {
	position := make(map[int]int32, len(groups))
	for i, g := range groups {
		position[g] = int32(i)
	}
	out := make([]int32, size)
	for i, h := range heads {
		out[i] = position[h/c.HeadsPerGroup()]
	}
	return out
}

// view is a sub-network of the teacher, ready to run: its embedding narrowed once, its layers selected on the fly.
type view struct {
	teacher           *Teacher
	subnet            slm.Subnet
	embed, head, norm *tensors.Tensor
	width             float32
	owned             []*tensors.Tensor
}

func (t *Teacher) view(subnet slm.Subnet) (*view, error) {
	if err := subnet.Validate(t.Config); err != nil {
		return nil, fmt.Errorf("teacher %s: sub-network: %w", t.Config.Name, err)
	}
	v := &view{teacher: t, subnet: subnet, embed: t.embed, head: t.head, norm: t.norm, width: float32(subnet.Embd.Len(t.Config.Embd))}
	if subnet.Embd.Len(t.Config.Embd) == t.Config.Embd {
		return v, nil
	}
	kept := subnet.Embd.Slice(t.Config.Embd)
	index, mask := padded(kept, roundUp(len(kept), t.Config.Embd, embdParts))
	out, err := t.programs.narrow.Call(t.embed, t.norm, index, mask)
	if err != nil {
		return nil, err
	}
	v.embed, v.head, v.norm, v.owned = out[0], out[0], out[1], out
	if t.Config.Tied {
		return v, nil
	}
	out, err = t.programs.narrow.Call(t.head, t.norm, index, mask)
	if err != nil {
		v.close()
		return nil, err
	}
	v.head, v.owned = out[0], append(v.owned, out...)
	return v, nil
}

func (v *view) close() { free(v.owned...) }

func (v *view) isWhole(l slm.LayerSubnet) bool {
	return l.Shape(v.teacher.Config) == slm.LayerSubnet{Layer: l.Layer}.Shape(v.teacher.Config)
}

// hidden runs tokens, [B, T], through the kept layers: x [B, T, E'], which the caller frees.
func (v *view) hidden(ctx context.Context, tokens *tensors.Tensor) (*tensors.Tensor, error) {
	t := v.teacher
	x, err := t.programs.embed.Call1(v.embed, tokens)
	if err != nil {
		return nil, err
	}
	wholeWidth := v.embed == t.embed
	for _, l := range v.subnet.KeptLayers(t.Config) {
		if err := ctx.Err(); err != nil {
			free(x)
			return nil, err
		}
		program, args := t.programs.part, []any{x}
		if wholeWidth && v.isWhole(l) {
			program = t.programs.whole
		} else {
			args = append(args, selectLayer(t.Config, v.subnet.Embd, l)...)
		}
		for _, w := range t.layers[l.Layer] {
			args = append(args, w)
		}
		y, err := program.Call1(args...)
		free(x)
		if err != nil {
			return nil, fmt.Errorf("layer %d: %w", l.Layer, err)
		}
		x = y
	}
	return x, nil
}

// Loss is the mean cross-entropy, in nats per token, of a sub-network on windows of seqLen+1 tokens, row-major:
// each window's first seqLen tokens predict its last seqLen. The zero Subnet evaluates the teacher itself.
// Cancelling the context ends it between two layers, with the context's error.
func (t *Teacher) Loss(ctx context.Context, subnet slm.Subnet, windows []int32, seqLen int) (float64, error) {
	if len(windows) == 0 || len(windows)%(seqLen+1) != 0 {
		return 0, fmt.Errorf("loss: %d tokens are not windows of %d", len(windows), seqLen+1)
	}
	v, err := t.view(subnet)
	if err != nil {
		return 0, err
	}
	defer v.close()
	return meanLoss(ctx, windows, seqLen, func(inputs, targets *tensors.Tensor) (*tensors.Tensor, error) {
		x, err := v.hidden(ctx, inputs)
		if err != nil {
			return nil, err
		}
		defer free(x)
		return t.programs.loss.Call1(x, v.norm, v.width, v.head, targets)
	})
}

// meanLoss averages the losses, [B, T], of windows in batches of one size: the last one is filled up with its first
// window, whose extra losses do not count.
func meanLoss(ctx context.Context, windows []int32, seqLen int, losses func(inputs, targets *tensors.Tensor) (*tensors.Tensor, error)) (float64, error) {
	count := len(windows) / (seqLen + 1)
	batch := max(1, min(count, maxBatchTokens/seqLen))
	sum := 0.0
	for first := 0; first < count; first += batch {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		real := min(batch, count-first)
		inputs, targets := splitWindows(windows, first, real, batch, seqLen)
		out, err := losses(inputs, targets)
		free(inputs, targets)
		if err != nil {
			return 0, err
		}
		values, err := tensors.CopyFlatData[float32](out)
		free(out)
		if err != nil {
			return 0, err
		}
		for _, v := range values[:real*seqLen] {
			sum += float64(v)
		}
	}
	return sum / float64(count*seqLen), nil
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
	v, err := t.view(slm.Subnet{})
	if err != nil {
		return nil, err
	}
	defer v.close()
	x, err := v.hidden(ctx, tokens)
	if err != nil {
		return nil, err
	}
	defer free(x)
	return t.programs.logits.Call1(x, v.norm, v.width, v.head)
}

// SplitWindows splits a batch of windows of seqLen+1 tokens into inputs and targets, [B, seqLen].
func SplitWindows(windows []int32, seqLen int) (inputs, targets *tensors.Tensor) {
	n := len(windows) / (seqLen + 1)
	return splitWindows(windows, 0, n, n, seqLen)
}
