package slm

// Memory is the device memory of a step by part, in bytes. The student's weights are its own and, with Pairs, those of the
// projection of its hidden states, which are float32 in any case.
type Memory struct {
	TeacherWeights     int64 `json:"teacher_weights"`     // float32; beside them a product has a copy in its type, which is not counted
	StudentWeights     int64 `json:"student_weights"`     // in the type of products
	MasterWeights      int64 `json:"master_weights"`      // float32 beside weights of two bytes (Micikevicius et al. 2018, arXiv 1710.03740)
	Gradients          int64 `json:"gradients"`           // in the weights' type; float32 when they are accumulated
	Moments            int64 `json:"moments"`             // AdamW's two, float32
	StudentActivations int64 `json:"student_activations"` // what the backward pass needs
	TeacherActivations int64 `json:"teacher_activations"` // of one layer at a time
	StudentLogits      int64 `json:"student_logits"`      // float32, and their gradient
	TeacherLogits      int64 `json:"teacher_logits"`      // float32; with TopK so many, and their ids
	HiddenStates       int64 `json:"hidden_states"`       // that are compared: the teacher's, and the student's in its width, float32
	Total              int64 `json:"total"`
}

func (m Memory) summed() Memory {
	m.Total = m.TeacherWeights + m.StudentWeights + m.MasterWeights + m.Gradients + m.Moments +
		m.StudentActivations + m.TeacherActivations + m.StudentLogits + m.TeacherLogits + m.HiddenStates
	return m
}

// stepMemory is that of training. A student's weights, gradients and AdamW state come to 16 bytes a parameter, with
// numbers of two bytes (2 + 4 + 2 + 8) as with float32 (4 + 4 + 8): the model states of Rajbhandari et al. 2020 (ZeRO,
// arXiv 1910.02054), section 3.1, on a single device.
func (p Planned) stepMemory() Memory {
	n, projection, each := p.Student.Parameters().Total(), p.projection(), p.Type.Bytes()
	m := Memory{StudentWeights: n * each, MasterWeights: 4 * (n + projection), Gradients: n*each + 4*projection, Moments: 2 * 4 * (n + projection)}
	if p.Type == Float32 {
		m.StudentWeights, m.MasterWeights = m.MasterWeights, 0
	}
	if p.Accumulate > 1 {
		m.Gradients = 4 * (n + projection)
	}
	m.HiddenStates = 2 * 4 * p.tokens() * int64(p.Pairs) * int64(p.Teacher.Embd)
	m.StudentActivations = p.studentActivations(p.Checkpointing)
	m.StudentLogits = 2 * 4 * p.tokens() * int64(p.Student.Config.Vocab)
	if p.TopK > 0 {
		m.TeacherLogits = p.tokens() * int64(p.TopK) * (4 + 4)
		return m.summed()
	}
	teacher := p.cachingMemory()
	m.TeacherWeights, m.TeacherActivations, m.TeacherLogits = teacher.TeacherWeights, teacher.TeacherActivations, teacher.TeacherLogits
	return m.summed()
}

// cachingMemory is that of the teacher's forward pass.
func (p Planned) cachingMemory() Memory {
	return Memory{
		TeacherWeights:     Subnet{}.Parameters(p.Teacher).Total() * Float32.Bytes(),
		TeacherActivations: p.tokens() * p.inferenceBytes(),
		TeacherLogits:      4 * p.tokens() * int64(p.Teacher.Vocab),
	}.summed()
}

// projection is the parameters of the matrix from the student's hidden states to the teacher's: see [HiddenStates].
func (p Planned) projection() int64 {
	if p.Pairs == 0 {
		return 0
	}
	return int64(p.Student.Subnet.Embd.Len(p.Student.Config.Embd)) * int64(p.Teacher.Embd)
}

// tokens are those that are on the device at once.
func (p Planned) tokens() int64 { return int64(p.Batch/max(1, p.Accumulate)) * int64(p.SeqLen) }

// studentActivations is what the forward pass leaves for the backward pass, counted tensor by tensor as in Korthikanti et
// al. 2022, arXiv 2205.05198, section 4.1. With recomputation (ibid., section 5) that is every layer's input, E values a
// token, and all of one layer at a time. The last norm's input and output come to 2E. What is between layers, and so in front of
// norms, is float32 with every type of products.
func (p Planned) studentActivations(recomputed bool) int64 {
	c, s := p.Student.Config, p.Student.Subnet
	embd, each := int64(s.Embd.Len(c.Embd)), p.Type.Bytes()
	all, largest := int64(0), int64(0)
	for shape := range s.shapes(c) {
		n := p.layerBytes(c, shape, embd)
		all, largest = all+n, max(largest, n)
	}
	if recomputed {
		all = int64(s.Depth(c))*embd*4 + largest
	}
	return p.tokens() * (all + embd*(4+each))
}

// layerBytes is what a layer's backward pass needs of each token. In values, with Q = H·D query and K = G·D key
// dimensions:
//
//	E, E           the inputs of the two norms, float32: one and the same with parallel residuals
//	E, E           the inputs of the projections, which the norms put out
//	Q + 2K         rotated queries and keys, and values
//	Q + K          the inputs of Qwen3's norms of queries and keys
//	H·T            attention's probabilities over T positions; fused, one float32 a head instead
//	Q              the input of the output projection
//	2F             the inputs of GELU and of the down projection
//	4F             where the feed-forward part is gated: gate, up, silu(gate), and their product
//
// For E = Q = K and F = 4E without a gate that is 16E + H·T values: the 34sbh + 5as²b bytes of the paper, without the
// dropout that the models here do not have (2sbh + 3as²b), and with 4sbh more for the norms' inputs in float32.
func (p Planned) layerBytes(c Config, z Shape, embd int64) int64 {
	queries, keys := int64(z.Heads)*int64(z.HeadSize), int64(z.QueryGroups)*int64(z.HeadSize)
	residuals, values := 2*embd, 2*embd+2*queries+2*keys
	if c.ParallelResidual {
		residuals = embd
	}
	if c.Family == Qwen3 {
		values += queries + keys
	}
	if c.Gated() {
		values += 4 * int64(z.FFN)
	} else {
		values += 2 * int64(z.FFN)
	}
	return residuals*4 + values*p.Type.Bytes() + p.probabilityBytes(z)
}

// probabilityBytes is what attention keeps of each token's probabilities.
func (p Planned) probabilityBytes(z Shape) int64 {
	if p.Fused {
		return 4 * int64(z.Heads)
	}
	return int64(z.Heads) * int64(p.SeqLen) * p.Type.Bytes()
}

// inferenceBytes is the most that the teacher's forward pass holds of each token at once: a layer's input, float32, and its norm's
// output, and beside them either attention (queries, keys, values, probabilities, output) or the feed-forward part (up and
// its activation; gate, up and product where it is gated).
func (p Planned) inferenceBytes() int64 {
	c, z := p.Teacher, LayerSubnet{}.Shape(p.Teacher)
	queries, keys, each := int64(z.Heads)*int64(z.HeadSize), int64(z.QueryGroups)*int64(z.HeadSize), p.Type.Bytes()
	attention := (2*queries+2*keys)*each + p.probabilityBytes(z)
	ffn := 2 * int64(z.FFN) * each
	if c.Gated() {
		ffn = 3 * int64(z.FFN) * each
	}
	return int64(c.Embd)*(4+each) + max(attention, ffn)
}
