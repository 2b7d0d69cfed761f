package model

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope
)

// Shapes are written with B sequences, T positions, E embedding dimensions, H heads in G query groups, D the head size,
// F neurons, V tokens. Weights keep Hugging Face's [out, in] order, so a product contracts both last axes.

// layerWeights are one layer's.
type layerWeights struct {
	attentionNorm *Node // [E]
	query         *Node // [H, D, E]
	key, value    *Node // [G, D, E]
	output        *Node // [E, H, D]
	ffnNorm       *Node // [E]
	gate, up      *Node // [F, E]
	down          *Node // [E, F]

	// groupOf maps each head to the position of its key/value head, [H] int32; nil where head h uses group h/(H/G).
	groupOf *Node

	// Where shapes are padded, 1 for what is real and 0 for padding; nil without padding.
	embdMask, headMask, ffnMask *Node // [E], [H], [F]
}

// layer is one transformer block: x + attention(norm(x)), then x + feed-forward(norm(x)). x is [B, T, E]; width is the
// number of embedding dimensions that are not padding, a scalar.
func (w layerWeights) layer(x, width *Node, eps, ropeTheta float64) *Node {
	x = Add(x, masked(w.attention(rmsNorm(x, w.attentionNorm, width, eps), ropeTheta), w.embdMask))
	return Add(x, masked(w.feedForward(rmsNorm(x, w.ffnNorm, width, eps)), w.embdMask))
}

// masked multiplies the last axis of x by a mask, if there is one.
func masked(x, mask *Node) *Node {
	if mask == nil {
		return x
	}
	return Mul(x, broadcastLast(mask, x))
}

// rmsNorm is x / sqrt(mean(x²) + eps) · scale over the last axis (Zhang and Sennrich 2019, arXiv 1910.07467).
// Padding dimensions of x are zero, so the sum is exact and only the divisor must be the true width.
func rmsNorm(x, scale, width *Node, eps float64) *Node {
	mean := Div(ReduceAndKeep(Square(x), ReduceSum, -1), width)
	return Mul(Mul(x, Reciprocal(Sqrt(AddScalar(mean, eps)))), broadcastLast(scale, x))
}

// broadcastLast gives a vector the rank of x, for the last axis.
func broadcastLast(vector, x *Node) *Node {
	dims := make([]int, x.Rank())
	for i := range dims {
		dims[i] = 1
	}
	dims[len(dims)-1] = vector.Shape().Dim(0)
	return Reshape(vector, dims...)
}

// project is x·wᵀ for x [B, T, …in] and w [out…, in…]: both are flattened to a plain matrix product, which every
// backend does best.
func project(x, w *Node, inAxes int) *Node {
	in := 1
	for _, d := range w.Shape().Dimensions[w.Rank()-inAxes:] {
		in *= d
	}
	outDims := w.Shape().Dimensions[:w.Rank()-inAxes]
	lead := x.Shape().Dimensions[:2]
	y := DotGeneral(Reshape(x, -1, in), []int{1}, nil, Reshape(w, -1, in), []int{1}, nil)
	return Reshape(y, append(append([]int{}, lead...), outDims...)...)
}

// attention is causal self-attention with grouped queries (Ainslie et al. 2023, arXiv 2305.13245); x is [B, T, E].
func (w layerWeights) attention(x *Node, ropeTheta float64) *Node {
	g := x.Graph()
	positions := x.Shape().Dim(1)
	headSize := w.query.Shape().Dim(1)
	query := rotary(project(x, w.query, 1), ropeTheta)                        // [B, T, H, D]
	key := w.spread(rotary(project(x, w.key, 1), ropeTheta))                  // [B, T, H, D]
	value := w.spread(project(x, w.value, 1))                                 // [B, T, H, D]
	query, key, value = headsFirst(query), headsFirst(key), headsFirst(value) // [B, H, T, D]

	scores := DotGeneral(query, []int{3}, []int{0, 1}, key, []int{3}, []int{0, 1}) // [B, H, T, T]
	scores = MulScalar(scores, 1/math.Sqrt(float64(headSize)))
	past := Reshape(LowerTriangular(g, positions), 1, 1, positions, positions)
	scores = Where(BroadcastToShape(past, shapes.Make(dtypes.Bool, scores.Shape().Dimensions...)), scores, ConstAs(scores, -1e30))
	mixed := DotGeneral(Softmax(scores, -1), []int{3}, []int{0, 1}, value, []int{2}, []int{0, 1}) // [B, H, T, D]
	if w.headMask != nil {
		mixed = Mul(mixed, Reshape(w.headMask, 1, -1, 1, 1))
	}
	return project(TransposeAllAxes(mixed, 0, 2, 1, 3), w.output, 2)
}

func headsFirst(x *Node) *Node { return TransposeAllAxes(x, 0, 2, 1, 3) }

// spread repeats key/value heads [B, T, G, D] for the heads that share them: [B, T, H, D].
func (w layerWeights) spread(x *Node) *Node {
	heads, groups := w.query.Shape().Dim(0), x.Shape().Dim(2)
	if w.groupOf != nil {
		return take(x, 2, w.groupOf)
	}
	if heads == groups {
		return x
	}
	d := x.Shape().Dimensions
	x = Reshape(x, d[0], d[1], groups, 1, d[3])
	x = BroadcastToDims(x, d[0], d[1], groups, heads/groups, d[3])
	return Reshape(x, d[0], d[1], heads, d[3])
}

// rotary turns each pair (i, i+D/2) of a head by position·theta^(-2i/D), in float32: RoPE (Su et al. 2021, arXiv
// 2104.09864) in the "rotate half" layout of Hugging Face's Llama. x is [B, T, heads, D]; the first position is 0.
func rotary(x *Node, theta float64) *Node {
	g := x.Graph()
	positions, size := x.Shape().Dim(1), x.Shape().Dim(3)
	half := size / 2
	tables := func(f func(float64) float64) *Node {
		table := make([][]float32, positions)
		for t := range table {
			table[t] = make([]float32, half)
			for i := range half {
				frequency := float32(1 / math.Pow(theta, float64(2*i)/float64(size)))
				table[t][i] = float32(f(float64(float32(t) * frequency)))
			}
		}
		return Reshape(Const(g, table), 1, positions, 1, half)
	}
	cos, sin := tables(math.Cos), tables(math.Sin)
	first := Slice(x, AxisRange(), AxisRange(), AxisRange(), AxisRange(0, half))
	second := Slice(x, AxisRange(), AxisRange(), AxisRange(), AxisRange(half, size))
	return Concatenate([]*Node{
		Sub(Mul(first, cos), Mul(second, sin)),
		Add(Mul(second, cos), Mul(first, sin)),
	}, -1)
}

// feedForward is down(silu(gate(x)) · up(x)), SwiGLU (Shazeer 2020, arXiv 2002.05202); x is [B, T, E].
func (w layerWeights) feedForward(x *Node) *Node {
	gate := project(x, w.gate, 1)
	hidden := Mul(Mul(gate, Sigmoid(gate)), project(x, w.up, 1)) // [B, T, F]
	return project(masked(hidden, w.ffnMask), w.down, 1)
}

// take keeps the given indices, [n] int32, of one axis of x.
func take(x *Node, axis int, indices *Node) *Node {
	sizes := append([]int(nil), x.Shape().Dimensions...)
	sizes[axis] = 1
	var offset []int
	for i := range x.Rank() {
		if i != axis {
			offset = append(offset, i)
		}
	}
	return BackendGather(x, Reshape(indices, -1, 1), 1, offset, []int{axis}, []int{axis}, sizes, false)
}

// CrossEntropy is the negative log-likelihood of each target, in nats: logits [N, V], targets [N] int32; [N].
func CrossEntropy(logits, targets *Node) *Node {
	return Sub(LogSumExp(logits), pick(logits, targets))
}

// LogSumExp is log Σ exp over the last axis, kept from overflow by the largest logit: [N, V] to [N].
func LogSumExp(logits *Node) *Node {
	largest := StopGradient(ReduceAndKeep(logits, ReduceMax, -1))
	return Add(Log(ReduceSum(Exp(Sub(logits, largest)), -1)), Squeeze(largest, -1))
}

// pick is the logit of each row's target. It compares instead of gathering: the compiler fuses that, and its gradient,
// into the passes over the logits.
func pick(logits, targets *Node) *Node {
	g := logits.Graph()
	columns := Iota(g, shapes.Make(dtypes.Int32, logits.Shape().Dimensions...), 1)
	isTarget := Equal(columns, BroadcastToDims(Reshape(targets, -1, 1), logits.Shape().Dimensions...))
	return ReduceSum(Where(isTarget, logits, ZerosLike(logits)), -1)
}
