package slm

// Counts are the parameters of a model by part.
type Counts struct {
	Embedding int64 `json:"embedding"` // token embedding
	Attention int64 `json:"attention"` // query, key, value and output projections, their biases, and norms of queries and keys
	FFN       int64 `json:"ffn"`       // gate, up and down projections, and their biases
	Norm      int64 `json:"norm"`      // norms before the parts and after the last layer
	Head      int64 `json:"head"`      // output head; 0 when it is tied to the embedding
}

// Total is the number of parameters.
func (c Counts) Total() int64 { return c.Embedding + c.Attention + c.FFN + c.Norm + c.Head }

// shapes yields the sizes of the kept layers, without allocating: a search counts millions of candidates.
func (s Subnet) shapes(teacher Config) func(yield func(Shape) bool) {
	return func(yield func(Shape) bool) {
		for i := range s.Layers {
			if !yield(s.Layers[i].shape(&teacher)) {
				return
			}
		}
		if len(s.Layers) > 0 {
			return
		}
		for i := range teacher.Layers {
			if !yield((&LayerSubnet{Layer: i}).shape(&teacher)) {
				return
			}
		}
	}
}

// Depth is the number of kept layers.
func (s Subnet) Depth(teacher Config) int {
	if len(s.Layers) > 0 {
		return len(s.Layers)
	}
	return teacher.Layers
}

// Parameters counts the parameters of the sub-network of a teacher, in closed form; the zero Subnet gives the teacher's.
//
// With E embedding dimensions, and H heads of size D in G query groups and F neurons in a layer: attention
// 2EHD + 2EGD, feed-forward 3EF (2EF where it is not gated), norms 2E, and outside the layers the embedding VE, a norm E,
// and VE for an untied head. GPT-NeoX adds biases: 3HD + E for attention, F + E for the feed-forward part, and as many for
// norms as they have scales. Qwen3 adds 2D for the norms of queries and keys.
func (s Subnet) Parameters(teacher Config) Counts {
	embd := int64(s.Embd.Len(teacher.Embd))
	biased, norms := teacher.Biased(), embd
	if biased {
		norms *= 2
	}
	projections := int64(2)
	if teacher.Gated() {
		projections = 3
	}
	counts := Counts{Embedding: int64(teacher.Vocab) * embd, Norm: norms}
	if !teacher.Tied {
		counts.Head = counts.Embedding
	}
	for shape := range s.shapes(teacher) {
		size, ffn := int64(shape.HeadSize), int64(shape.FFN)
		counts.Attention += 2 * embd * size * int64(shape.Heads+shape.QueryGroups)
		counts.FFN += projections * embd * ffn
		counts.Norm += 2 * norms
		if biased {
			counts.Attention += 3*int64(shape.Heads)*size + embd
			counts.FFN += ffn + embd
		}
		if teacher.Family == Qwen3 {
			counts.Attention += 2 * size
		}
	}
	return counts
}

// ForwardFLOPs counts the floating-point operations of a forward pass per token in windows of seqLen tokens: two for
// each weight of a matrix product (the head included, the embedding look-up not), and 4·T·H·D a layer for attention's
// two products over the T positions of the window (Kaplan et al. 2020, arXiv 2001.08361, table 1, where causal masking
// is likewise not subtracted). Norms, biases, activations and rotations are not counted, as there.
func (s Subnet) ForwardFLOPs(teacher Config, seqLen int) int64 {
	embd := int64(s.Embd.Len(teacher.Embd))
	flops := 2 * int64(teacher.Vocab) * embd
	projections := int64(2)
	if teacher.Gated() {
		projections = 3
	}
	for shape := range s.shapes(teacher) {
		heads, groups, size := int64(shape.Heads), int64(shape.QueryGroups), int64(shape.HeadSize)
		flops += 4*embd*size*(heads+groups) + 2*projections*embd*int64(shape.FFN) + 4*int64(seqLen)*heads*size
	}
	return flops
}

// TrainingFLOPs counts a training step's operations per token: forward, and twice that backward.
func (s Subnet) TrainingFLOPs(teacher Config, seqLen int) int64 {
	return 3 * s.ForwardFLOPs(teacher, seqLen)
}

// KVCacheBytes is the memory that generating needs for the keys and values of so many tokens, with values of so many
// bytes: 2·G·D values a token and layer.
func (s Subnet) KVCacheBytes(teacher Config, tokens, bytesPerValue int) int64 {
	values := int64(0)
	for shape := range s.shapes(teacher) {
		values += 2 * int64(shape.QueryGroups) * int64(shape.HeadSize)
	}
	return values * int64(tokens) * int64(bytesPerValue)
}
