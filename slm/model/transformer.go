package model

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope
	"github.com/gomlx/gomlx/ml/layers/activation"

	"github.com/offshoot-ml/offshoot/slm"
)

// Shapes are written with B sequences, T positions, E embedding dimensions, H heads in G query groups, D the head size,
// R of its dimensions rotated, F neurons, V tokens, C positions of a cache. Weights keep Hugging Face's [out, in] order, so
// a product contracts both last axes.

// block is one transformer layer of any family. What a family does not have, it leaves out: see [slm.Config.LayerWeights].
type block struct {
	config slm.Config
	weight map[slm.Role]*Node // each with an axis for each of its weight's axes, such as the query's [H, D, E]

	frequencies *Node     // [R/2], radians per position
	known       []float32 // the same where they are numbers of the graph; nil where they are an input of it
	turns       turns     // of the graph's blocks so far, shared by them; nil to share nothing
	scale       *Node     // of the attention scores, a scalar

	// groupOf maps each head to the position of its key/value head, [H] int32; nil where head h uses group h/(H/G).
	groupOf *Node

	// Where sizes are padded, how many are real, scalars: padding follows what is real. Nil without padding.
	width, heads, neurons *Node

	past *past // nil for sequences that begin here

	// documents number the document of each token, [B, T] int32: attention stays within one (Zhao et al. 2024, arXiv 2402.13991,
	// "intra-document causal masking"). Positions are the window's: rotary scores depend on their differences, so beginning
	// again at each document would change nothing. Nil where a window is read whole.
	documents *Node

	observe func(at probe, x *Node) // is shown activations on their way; nil for nobody
}

// past are the keys and values of earlier positions, and room for those to come.
type past struct {
	keys, values *Node // [B, C, G, D]
	length       *Node // positions that are filled, a scalar int32
}

// layer is x + attention(norm(x)), then x + feed-forward(norm(x)); with parallel residuals both read the same x
// (Black et al. 2022, arXiv 2204.06745, section 2.1). x is [B, T, E].
func (b *block) layer(x *Node) *Node {
	sum := b.attend(x)
	if !b.config.ParallelResidual {
		x = sum
	}
	return b.feed(x, sum)
}

// attend is x + attention(norm(x)).
func (b *block) attend(x *Node) *Node {
	return Add(x, b.attention(b.norm(x, slm.AttentionNorm, slm.AttentionNormBias)))
}

// feed is sum + feed-forward(norm(x)): sum is x itself, or what attention made of it where residuals are parallel.
func (b *block) feed(x, sum *Node) *Node {
	return Add(sum, b.feedForward(b.norm(x, slm.FFNNorm, slm.FFNNormBias)))
}

func (b *block) norm(x *Node, scale, bias slm.Role) *Node {
	return b.show(normProbe, norm(x, b.weight[scale], b.weight[bias], b.width, b.config.NormEps))
}

// norm normalizes the last axis of x: LayerNorm (Ba et al. 2016, arXiv 1607.06450) with a bias, RMSNorm (Zhang and
// Sennrich 2019, arXiv 1910.07467) without. width is how many dimensions are not padding, nil for all; padding is zero in
// x and in the result.
func norm(x, scale, bias, width *Node, eps float64) *Node {
	if width == nil {
		width = ConstAs(x, float64(x.Shape().Dim(-1)))
	}
	if bias != nil {
		x = unpadded(Sub(x, Div(ReduceAndKeep(x, ReduceSum, -1), width)), width)
	}
	variance := Div(ReduceAndKeep(Square(x), ReduceSum, -1), width)
	x = Mul(Mul(x, Reciprocal(Sqrt(AddScalar(variance, eps)))), broadcastLast(scale, x))
	if bias == nil {
		return x
	}
	return unpadded(Add(x, broadcastLast(bias, x)), width)
}

// unpadded sets the last axis of x to zero from the given number on; nil leaves it.
func unpadded(x, real *Node) *Node {
	if real == nil {
		return x
	}
	return Mul(x, broadcastLast(isReal(real, x.Shape().Dim(-1)), x))
}

// isReal is 1 for the first of n and 0 for padding, [n].
func isReal(real *Node, n int) *Node {
	places := Iota(real.Graph(), shapes.Make(dtypes.Float32, n), 0)
	return ConvertDType(LessThan(places, BroadcastToDims(real, n)), dtypes.Float32)
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

// project is x·wᵀ + bias for x [B, T, …in] and w [out…, in…]: both are flattened to a plain matrix product, which every
// backend does best, in the type of w. A nil bias is none.
func project(x, w, bias *Node, inAxes int) *Node {
	in := 1
	for _, d := range w.Shape().Dimensions[w.Rank()-inAxes:] {
		in *= d
	}
	outDims := w.Shape().Dimensions[:w.Rank()-inAxes]
	lead := x.Shape().Dimensions[:2]
	y := product(w.DType(), Reshape(x, -1, in), []int{1}, nil, Reshape(w, -1, in), []int{1}, nil)
	if bias != nil {
		y = Add(y, Reshape(bias, 1, -1))
	}
	return Reshape(y, append(append([]int{}, lead...), outDims...)...)
}

// attention is causal self-attention with grouped queries (Ainslie et al. 2023, arXiv 2305.13245); x is [B, T, E]. The
// queries that share keys are one matrix, [R·T, D] with R = H/G of them, so keys and values are not repeated.
func (b *block) attention(x *Node) *Node {
	query, key, value := b.queryKeyValue(x)      // [B, T, H, D] and twice [B, T, G, D]
	query, key = b.rotate(query), b.rotate(key)  //
	key, value = b.remember(key, value)          // [B, S, G, D], S = T or C
	key, value = b.spread(key), b.spread(value)  // [B, G, S, D]
	query = shareKeys(query, key.Shape().Dim(1)) // [B, G, R·T, D]
	numbers := b.weight[slm.AttentionOutput].DType()
	scores := Mul(product(numbers, query, []int{3}, []int{0, 1}, key, []int{3}, []int{0, 1}), b.scale) // [B, G, R·T, S]
	scores = Where(b.visible(x, scores), scores, ConstAs(scores, -1e30))
	weights := b.show(attentionProbe, Softmax(scores, -1))
	mixed := product(numbers, weights, []int{3}, []int{0, 1}, value, []int{2}, []int{0, 1}) // [B, G, R·T, D]
	mixed = b.show(headProbe, headsLast(mixed, x.Shape().Dim(1)))                           // [B, T, H, D]
	if b.heads != nil {
		mixed = Mul(mixed, Reshape(isReal(b.heads, mixed.Shape().Dim(2)), 1, 1, -1, 1))
	}
	return unpadded(project(mixed, b.weight[slm.AttentionOutput], b.weight[slm.AttentionBias], 2), b.width)
}

// shareKeys puts the queries of a group into one matrix: [B, T, H, D] to [B, G, R·T, D].
func shareKeys(query *Node, groups int) *Node {
	d := query.Shape().Dimensions
	query = TransposeAllAxes(Reshape(query, d[0], d[1], groups, d[2]/groups, d[3]), 0, 2, 3, 1, 4) // [B, G, R, T, D]
	return Reshape(query, d[0], groups, -1, d[3])
}

// headsLast undoes shareKeys: [B, G, R·T, D] to [B, T, H, D].
func headsLast(x *Node, positions int) *Node {
	d := x.Shape().Dimensions
	x = TransposeAllAxes(Reshape(x, d[0], d[1], d[2]/positions, positions, d[3]), 0, 3, 1, 2, 4)
	return Reshape(x, d[0], positions, -1, d[3])
}

// queryKeyValue projects x to queries, [B, T, H, D], keys and values, [B, T, G, D].
func (b *block) queryKeyValue(x *Node) (query, key, value *Node) {
	if fused, ok := b.weight[slm.QueryKeyValue]; ok {
		all := project(x, fused, b.weight[slm.QueryKeyValueBias], 1) // [B, T, H, 3, D]
		part := func(i int) *Node {
			return Squeeze(Slice(all, AxisRange(), AxisRange(), AxisRange(), AxisElem(i), AxisRange()), 3)
		}
		return part(0), part(1), part(2)
	}
	query, key = project(x, b.weight[slm.Query], nil, 1), project(x, b.weight[slm.Key], nil, 1)
	if b.config.Family == slm.Qwen3 {
		query = norm(query, b.weight[slm.QueryNorm], nil, nil, b.config.NormEps)
		key = norm(key, b.weight[slm.KeyNorm], nil, nil, b.config.NormEps)
	}
	return query, key, project(x, b.weight[slm.Value], nil, 1)
}

// spread puts key/value heads first, [B, S, G, D] to [B, G, S, D]. Where the groups have unequally many heads it repeats
// them for each head, so that every head has a group of its own: [B, H, S, D].
func (b *block) spread(x *Node) *Node {
	if b.groupOf == nil {
		return TransposeAllAxes(x, 0, 2, 1, 3)
	}
	x = Gather(TransposeAllAxes(x, 2, 0, 1, 3), Reshape(b.groupOf, -1, 1)) // along the first axis it has a gradient
	return TransposeAllAxes(x, 1, 0, 2, 3)
}

// remember adds new keys and values to those of the past: what the queries attend to.
func (b *block) remember(key, value *Node) (keys, values *Node) {
	if b.past == nil {
		return key, value
	}
	zero := Const(key.Graph(), int32(0))
	at := []*Node{zero, b.past.length, zero, zero}
	b.past.keys = DynamicUpdateSlice(b.past.keys, key, at)
	b.past.values = DynamicUpdateSlice(b.past.values, value, at)
	return b.past.keys, b.past.values
}

// visible says which positions a query may attend to, its own and earlier ones of its document, in the shape of scores:
// [B, G, R·T, S].
func (b *block) visible(x, scores *Node) *Node {
	g, positions := x.Graph(), x.Shape().Dim(1)
	d := scores.Shape().Dimensions
	row := Iota(g, shapes.Make(dtypes.Int32, 1, 1, positions, d[3]), 2)
	if b.past != nil {
		row = Add(row, b.past.length)
	}
	seen := LessOrEqual(Iota(g, shapes.Make(dtypes.Int32, 1, 1, positions, d[3]), 3), row)
	if b.documents != nil {
		seen = LogicalAnd(BroadcastToDims(seen, d[0], 1, positions, positions), sameDocument(b.documents))
	}
	return Reshape(BroadcastToDims(Reshape(seen, -1, 1, 1, positions, d[3]), d[0], d[1], d[2]/positions, positions, d[3]), d...)
}

// documentsOf numbers the document of each token, from 0 in each row: tokens [B, T] and the token that ends a document, itself
// a part of it, a scalar; [B, T] int32.
func documentsOf(tokens, separator *Node) *Node {
	ends := ConvertDType(Equal(tokens, BroadcastToDims(separator, tokens.Shape().Dimensions...)), dtypes.Int32)
	return Sub(CumSum(ends, 1), ends)
}

// sameDocument says of each two tokens whether they are in one document: [B, T] to [B, 1, T, T].
func sameDocument(documents *Node) *Node {
	b, t := documents.Shape().Dim(0), documents.Shape().Dim(1)
	across := func(dims ...int) *Node { return BroadcastToDims(Reshape(documents, dims...), b, 1, t, t) }
	return Equal(across(b, 1, t, 1), across(b, 1, 1, t))
}

// rotate turns the pairs (i, i+R/2) of a head's first R dimensions by position·frequency, in float32: RoPE (Su et al.
// 2021, arXiv 2104.09864) in the "rotate half" layout of Hugging Face. x is [B, T, heads, D].
func (b *block) rotate(x *Node) *Node {
	positions, size, half := x.Shape().Dim(1), x.Shape().Dim(3), b.frequencies.Shape().Dim(0)
	if size < 2*half { // a single dimension cannot turn
		return x
	}
	cos, sin := b.angles(x.Graph(), positions)
	span := func(from, to int) *Node {
		return Slice(x, AxisRange(), AxisRange(), AxisRange(), AxisRange(from, to))
	}
	first, second := span(0, half), span(half, 2*half)
	turned := []*Node{Sub(Mul(first, cos), Mul(second, sin)), Add(Mul(second, cos), Mul(first, sin))}
	if 2*half < size {
		turned = append(turned, span(2*half, size))
	}
	return Concatenate(turned, -1)
}

// angles are cosine and sine of position·frequency, [1, T, 1, R/2] each.
func (b *block) angles(g *Graph, positions int) (cos, sin *Node) {
	if b.known != nil && b.past == nil {
		return b.turns.of(g, positions, b.known)
	}
	half := b.frequencies.Shape().Dim(0)
	at := Iota(g, shapes.Make(dtypes.Int32, positions, 1), 0)
	if b.past != nil {
		at = Add(at, b.past.length)
	}
	angles := Reshape(Mul(ConvertDType(at, dtypes.Float32), Reshape(b.frequencies, 1, half)), 1, positions, 1, half)
	return Cos(angles), Sin(angles)
}

// feedForward is down(silu(gate(x)) · up(x)), SwiGLU (Shazeer 2020, arXiv 2002.05202), or down(gelu(up(x))) with the exact
// GELU (Hendrycks and Gimpel 2016, arXiv 1606.08415) where there is no gate; x is [B, T, E].
func (b *block) feedForward(x *Node) *Node {
	hidden := project(x, b.weight[slm.Up], b.weight[slm.UpBias], 1) // [B, T, F]
	if gate, ok := b.weight[slm.Gate]; ok {
		gate = project(x, gate, nil, 1)
		hidden = Mul(Mul(gate, Sigmoid(gate)), hidden)
	} else {
		hidden = activation.Gelu(hidden)
	}
	hidden = b.show(neuronProbe, hidden)
	out := project(unpadded(hidden, b.neurons), b.weight[slm.Down], b.weight[slm.DownBias], 1)
	return unpadded(out, b.width)
}

// outputLogits is the head after the last norm: x [B, T, E] and a head [V, E] to [B·T, V], in the type of the head. norms are the last norm's scale
// and, where there is one, its bias.
func outputLogits(config slm.Config, x, width, head *Node, norms []*Node) *Node {
	return product(head.DType(), lastNorm(config, x, width, norms), []int{1}, nil, head, []int{1}, nil)
}

// lastNorm is [B·T, E].
func lastNorm(config slm.Config, x, width *Node, norms []*Node) *Node {
	var bias *Node
	if len(norms) > 1 {
		bias = norms[1]
	}
	x = norm(x, norms[0], bias, width, config.NormEps)
	return Reshape(x, -1, x.Shape().Dim(-1))
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
