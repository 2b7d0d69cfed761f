package slm

// Counts are the parameters of a model by part.
type Counts struct {
	Embedding int64 `json:"embedding"` // token embedding
	Attention int64 `json:"attention"` // query, key, value and output projections
	FFN       int64 `json:"ffn"`       // gate, up and down projections
	Norm      int64 `json:"norm"`      // RMSNorm scales
	Head      int64 `json:"head"`      // output head; 0 when it is tied to the embedding
}

// Total is the number of parameters.
func (c Counts) Total() int64 { return c.Embedding + c.Attention + c.FFN + c.Norm + c.Head }

// Parameters counts the parameters of the sub-network of a teacher, in closed form; the zero Subnet gives the teacher's.
//
// With E embedding dimensions, and H heads of size D in G query groups and F neurons in a layer: attention
// 2EHD + 2EGD, feed-forward 3EF, norms 2E, and outside the layers the embedding VE, a norm E, and VE for an untied head.
func (s Subnet) Parameters(teacher Config) Counts {
	embd := int64(s.Embd.Len(teacher.Embd))
	counts := Counts{Embedding: int64(teacher.Vocab) * embd, Norm: embd}
	if !teacher.Tied {
		counts.Head = counts.Embedding
	}
	for _, l := range s.KeptLayers(teacher) {
		shape := l.Shape(teacher)
		counts.Attention += 2 * embd * int64(shape.HeadSize) * int64(shape.Heads+shape.QueryGroups)
		counts.FFN += 3 * embd * int64(shape.FFN)
		counts.Norm += 2 * embd
	}
	return counts
}

// ForwardFLOPs counts the floating-point operations of a forward pass per token in windows of seqLen tokens: two for
// each weight of a matrix product (the head included, the embedding look-up not), and 4·T·H·D a layer for attention's
// two products over the T positions of the window (Kaplan et al. 2020, arXiv 2001.08361, table 1, where causal masking
// is likewise not subtracted).
func (s Subnet) ForwardFLOPs(teacher Config, seqLen int) int64 {
	embd := int64(s.Embd.Len(teacher.Embd))
	flops := 2 * int64(teacher.Vocab) * embd
	for _, l := range s.KeptLayers(teacher) {
		shape := l.Shape(teacher)
		heads, groups, size := int64(shape.Heads), int64(shape.QueryGroups), int64(shape.HeadSize)
		flops += 4*embd*size*(heads+groups) + 6*embd*int64(shape.FFN) + 4*int64(seqLen)*heads*size
	}
	return flops
}

// TrainingFLOPs counts a training step's operations per token: forward, and twice that backward.
func (s Subnet) TrainingFLOPs(teacher Config, seqLen int) int64 {
	return 3 * s.ForwardFLOPs(teacher, seqLen)
}
