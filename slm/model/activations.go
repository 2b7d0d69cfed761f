package model

import (
	"context"
	"fmt"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/slm"
)

// probe is a place in a layer where one sees what its units do.
type probe int

// The probes, in the order of a [watchedLayer]'s outputs.
const (
	headProbe   probe = iota // [B, T, H, D], what heads give the output projection
	neuronProbe              // [B, T, F], what enters the down projection
	normProbe                // [B, T, E], what attention and the feed-forward part read: twice in a layer
	probes                   // how many there are

	attentionProbe // [B, G, R·T, S], the weights of attention, which are no activations of units
)

// show lets the observer see x.
func (b *block) show(at probe, x *Node) *Node {
	if b.observe != nil {
		b.observe(at, x)
	}
	return x
}

// watchedLayer is a layer's output and, of the tokens of the first real windows, the moments [3, U] of its heads, neurons
// and embedding dimensions, and the sum of the cosines between the tokens' inputs and outputs, a scalar.
// The activation of a head is the L2 norm of its output.
func watchedLayer(b *block, x, real *Node) []*Node {
	windows, positions := x.Shape().Dim(0), x.Shape().Dim(1)
	counts := Reshape(BroadcastToDims(Reshape(isReal(real, windows), -1, 1), windows, positions), -1, 1) // [B·T, 1]
	out := make([]*Node, 1+probes, 2+probes)
	b.observe = func(at probe, y *Node) {
		if at == attentionProbe {
			return
		}
		if at == headProbe {
			y = Sqrt(ReduceSum(Square(y), -1))
		}
		m, place := moments(Reshape(y, windows*positions, -1), counts), &out[1+at]
		if *place != nil {
			m = Add(*place, m)
		}
		*place = m
	}
	out[0] = b.layer(x)
	return append(out, ReduceAllSum(Mul(cosines(x, out[0]), Reshape(counts, windows, positions))))
}

// moments are Σa, Σ|a| and Σa² over the tokens that count: a [N, U], counts [N, 1]; [3, U].
func moments(a, counts *Node) *Node {
	sum := func(y *Node) *Node { return ReduceAndKeep(Mul(y, counts), ReduceSum, 0) }
	return Concatenate([]*Node{sum(a), sum(Abs(a)), sum(Square(a))}, 0)
}

// cosines are those of the angles between the last axes of x and y, 0 where one of them is zero: [B, T, E] and the same to
// [B, T].
func cosines(x, y *Node) *Node {
	length := func(a *Node) *Node { return Sqrt(ReduceSum(Square(a), -1)) }
	lengths := Mul(length(x), length(y))
	return Div(ReduceSum(Mul(x, y), -1), Max(lengths, ConstAs(lengths, 1e-8)))
}

// Activations scores the units of the teacher by what they do on windows of seqLen+1 tokens, the same that [Teacher.Loss]
// takes: their first seqLen tokens are read (Muralidharan et al. 2024, "Minitron", arXiv 2407.14679, section 2.2).
// The activation, one for each token,
//   - of a head is the L2 norm of its output, before the output projection;
//   - of a query group scores as the mean of its heads;
//   - of a neuron is what enters the down projection (Minitron writes the up projection's output);
//   - of an embedding dimension is the output of a norm, over both norms of all layers;
//
// and aggregate says how the activations of all tokens make a score. Layers are scored as by [Teacher.BlockImportance],
// which the same pass yields. progress, when not nil, is told how many windows are done. Cancelling the context ends it
// between two layers, with the context's error.
func (t *Teacher) Activations(ctx context.Context, windows []int32, seqLen int, aggregate slm.Aggregate, progress func(done, total int)) (slm.Importance, error) {
	if err := aggregate.Validate(); err != nil {
		return slm.Importance{}, fmt.Errorf("activations: %w", err)
	}
	w, err := t.watch(ctx, windows, seqLen, progress)
	if err != nil {
		return slm.Importance{}, fmt.Errorf("activations: %w", err)
	}
	i := slm.Importance{Method: "activations, " + string(aggregate), Layers: w.blockImportance()}
	for _, l := range w.layers {
		heads := l[headProbe].scores(aggregate, w.tokens)
		i.Heads, i.QueryGroups = append(i.Heads, heads), append(i.QueryGroups, means(heads, t.Config.HeadsPerGroup()))
		i.FFN = append(i.FFN, l[neuronProbe].scores(aggregate, w.tokens))
	}
	i.Embd = w.everywhere(normProbe).scores(aggregate, 2*float64(t.Config.Layers)*w.tokens)
	return i, nil
}

// means are those of each n consecutive values.
func means(values []float64, n int) []float64 {
	out := make([]float64, len(values)/n)
	for i, v := range values {
		out[i/n] += v / float64(n)
	}
	return out
}

// watched are sums over the tokens that were seen.
type watched struct {
	tokens  float64
	layers  [][probes]sums
	cosines []float64 // Σ cos(input, output) of each layer
}

// sums are Σa of U units, then Σ|a|, then Σa².
type sums []float64

func (s *sums) add(values []float64) {
	if *s == nil {
		*s = make(sums, len(values))
	}
	for i, v := range values {
		(*s)[i] += v
	}
}

func (s sums) scores(aggregate slm.Aggregate, tokens float64) []float64 {
	units := len(s) / 3
	out := make([]float64, units)
	for u := range out {
		out[u] = aggregate.Score(slm.Moments{Tokens: tokens, Sum: s[u], Absolute: s[units+u], Squares: s[2*units+u]})
	}
	return out
}

// everywhere adds up the sums of all layers.
func (w *watched) everywhere(at probe) (all sums) {
	for _, l := range w.layers {
		all.add(l[at])
	}
	return all
}

// watch runs windows through all layers. A batch is summed in float32 on the device, the batches in float64 here.
func (t *Teacher) watch(ctx context.Context, windows []int32, seqLen int, progress func(done, total int)) (*watched, error) {
	if err := checkWindows(windows, seqLen); err != nil {
		return nil, err
	}
	w := &watched{layers: make([][probes]sums, t.Config.Layers), cosines: make([]float64, t.Config.Layers)}
	passes := Passes{Done: func(done int) {
		if progress != nil {
			progress(done, len(windows)/(seqLen+1))
		}
	}}
	return w, eachPass(ctx, windows, seqLen, passes, func(inputs, _ *tensors.Tensor, real int) error {
		w.tokens += float64(real * seqLen)
		return t.watchPass(ctx, inputs, real, w)
	})
}

// watchPass adds one batch of windows, [B, T], to w.
func (t *Teacher) watchPass(ctx context.Context, inputs *tensors.Tensor, real int, w *watched) error {
	x, err := t.programs.embed.Call1(t.embed(), inputs)
	if err != nil {
		return err
	}
	defer func() { free(x) }()
	for l := range t.layers {
		if err := ctx.Err(); err != nil {
			return err
		}
		out, err := t.programs.watch.Call(append([]any{x, float32(real)}, t.layer(l, all)...)...)
		if err != nil {
			return fmt.Errorf("layer %d: %w", l, err)
		}
		free(x)
		x = out[0]
		if err := w.add(l, out[1:]); err != nil {
			return fmt.Errorf("layer %d: %w", l, err)
		}
	}
	return nil
}

// add takes the statistics of a [watchedLayer], and frees them.
func (w *watched) add(layer int, statistics []*tensors.Tensor) error {
	defer free(statistics...)
	for i, s := range statistics {
		values, err := tensors.CopyFlatData[float32](s)
		if err != nil {
			return err
		}
		if i == int(probes) {
			w.cosines[layer] += float64(values[0])
			break
		}
		wide := make([]float64, len(values))
		for j, v := range values {
			wide[j] = float64(v)
		}
		w.layers[layer][i].add(wide)
	}
	return nil
}
