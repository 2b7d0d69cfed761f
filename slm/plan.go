package slm

import (
	"fmt"
	"math"
)

// Planned describes a distillation on one device whose memory, work and time are to be known before it is begun:
// see [Planned.Plan]. It needs no weights.
type Planned struct {
	Teacher       Config     `json:"teacher"`
	Student       Model      `json:"student"`
	Batch         int        `json:"batch"`                  // sequences between two updates of the weights
	SeqLen        int        `json:"seq_len"`                // tokens in a sequence
	Accumulate    int        `json:"accumulate"`             // parts that a batch is computed in, one after the other; 0 means 1
	Type          NumberType `json:"dtype"`                  // of matrix products, as in [Distillation.Type]: their factors, results and gradients
	Checkpointing bool       `json:"checkpointing,omitzero"` // keep only layers' inputs, and recompute the rest for the backward pass
	Fused         bool       `json:"fused,omitzero"`         // attention that never stores its probabilities (Dao et al. 2022, arXiv 2205.14135)
	TopK          int        `json:"top_k,omitzero"`         // the teacher's largest logits of a token, stored beforehand; 0 runs the teacher in each step
	Pairs         int        `json:"pairs,omitzero"`         // of layers whose hidden states are compared: see [HiddenStates]
	Tokens        []int64    `json:"tokens"`                 // token budgets
	Device        Device     `json:"device"`
	Utilization   float64    `json:"utilization"` // share of the device's peak that is reached, 0 to 1 (MFU: Chowdhery et al. 2022, arXiv 2204.02311)
}

// Model is a model by its architecture: a sub-network of Config, which may be all of it.
type Model struct {
	Config Config `json:"config"`
	Subnet Subnet `json:"subnet,omitzero"`
}

// Parameters counts the model's parameters.
func (m Model) Parameters() Counts { return m.Subnet.Parameters(m.Config) }

// NumberType is how numbers are stored.
type NumberType string

// The number types.
const (
	Float32  NumberType = "f32"
	Float16  NumberType = "f16"
	BFloat16 NumberType = "bf16"
)

// Bytes is the size of a number.
func (t NumberType) Bytes() int64 {
	if t == Float32 {
		return 4
	}
	return 2
}

// Plan is what a distillation takes.
type Plan struct {
	Planned           Planned  `json:"planned"`
	TeacherParameters int64    `json:"teacher_parameters"`
	StudentParameters int64    `json:"student_parameters"`
	Memory            Memory   `json:"memory"`            // of a step, on the device
	Caching           Memory   `json:"caching,omitzero"`  // of storing the teacher's logits beforehand, on the device
	RecomputedBytes   int64    `json:"recomputed_bytes"`  // student activations if all layers are recomputed
	StoredBytes       int64    `json:"stored_bytes"`      // student activations if none is
	StudentKVCache    int64    `json:"student_kv_cache"`  // bytes that generating one sequence of SeqLen tokens needs, float32
	TeacherKVCache    int64    `json:"teacher_kv_cache"`  // likewise
	Work              Work     `json:"work"`              // FLOPs of a step
	TeacherFile       int64    `json:"teacher_file"`      // bytes on disk
	StudentFile       int64    `json:"student_file"`      // bytes on disk
	CheckpointFile    int64    `json:"checkpoint_file"`   // bytes on disk: weights and both moments, float32
	Budgets           []Budget `json:"budgets"`           // one for each of Planned.Tokens
	TokensPerSecond   float64  `json:"tokens_per_second"` // at the given device and utilization
	Fits              bool     `json:"fits"`              // in the device's memory; true where that is not known
}

// Work is the floating-point operations of a step by part: see [Subnet.ForwardFLOPs]. The optimizer's and the loss's,
// some tens a parameter or logit, are not counted.
type Work struct {
	TeacherForward  float64 `json:"teacher_forward"`  // with TopK done beforehand, once for each token
	StudentForward  float64 `json:"student_forward"`  // with Pairs, the projections of its hidden states too
	StudentBackward float64 `json:"student_backward"` // twice forward (Kaplan et al. 2020, arXiv 2001.08361, section 2.1)
	Recomputation   float64 `json:"recomputation"`    // with Checkpointing a second forward through the layers
	Total           float64 `json:"total"`
}

// Budget is a number of training tokens and what it takes.
type Budget struct {
	Tokens  int64   `json:"tokens"`
	Steps   int64   `json:"steps"`
	FLOPs   float64 `json:"flops"`
	Seconds float64 `json:"seconds"`
	Shards  int64   `json:"shards"` // bytes on disk of the tokens: 2 each, 4 where the vocabulary exceeds 65,536
	Logits  int64   `json:"logits"` // bytes on disk of the teacher's TopK logits: float16, and an id as in shards
}

// Validate reports the first field that cannot be planned.
func (p Planned) Validate() error {
	for _, c := range []Config{p.Teacher, p.Student.Config} {
		if err := c.Validate(); err != nil {
			return fmt.Errorf("plan: %w", err)
		}
		if p.SeqLen > c.Context {
			return fmt.Errorf("plan: sequences of %d tokens are longer than the context of %s, %d", p.SeqLen, c.Name, c.Context)
		}
	}
	if err := p.Student.Subnet.Validate(p.Student.Config); err != nil {
		return fmt.Errorf("plan: student: %w", err)
	}
	switch {
	case p.Batch < 1 || p.SeqLen < 2 || p.Batch > 1<<24:
		return fmt.Errorf("plan: a batch of %d sequences of %d tokens: want at least 1 of 2", p.Batch, p.SeqLen)
	case p.Accumulate < 0 || p.Batch%max(1, p.Accumulate) != 0:
		return fmt.Errorf("plan: a batch of %d sequences does not divide into %d parts", p.Batch, p.Accumulate)
	case p.Type != Float32 && p.Type != Float16 && p.Type != BFloat16:
		return fmt.Errorf("plan: dtype is %q, want %s, %s or %s", p.Type, BFloat16, Float16, Float32)
	case p.TopK < 0 || p.TopK > p.Teacher.Vocab:
		return fmt.Errorf("plan: the top %d logits of a vocabulary of %d", p.TopK, p.Teacher.Vocab)
	case p.Pairs < 0 || p.Pairs > p.Student.Subnet.Depth(p.Student.Config):
		return fmt.Errorf("plan: %d pairs of layers: the student has %d layers", p.Pairs, p.Student.Subnet.Depth(p.Student.Config))
	case p.Pairs > 0 && p.TopK > 0:
		return fmt.Errorf("plan: hidden states of %d pairs of layers beside the top %d logits: hidden states are not stored beforehand", p.Pairs, p.TopK)
	case !(p.Utilization > 0) || p.Utilization > 1:
		return fmt.Errorf("plan: a utilization of %g, want more than 0 and at most 1", p.Utilization)
	case !(p.Device.FLOPS(p.Type) > 0) || math.IsInf(p.Device.FLOPS(p.Type), 1):
		return fmt.Errorf("plan: device %q computes %g FLOPs a second", p.Device.Name, p.Device.FLOPS(p.Type))
	}
	for _, n := range p.Tokens {
		if n < 1 {
			return fmt.Errorf("plan: a budget of %d tokens", n)
		}
	}
	return nil
}

// Plan computes what the distillation takes, in closed form.
func (p Planned) Plan() (Plan, error) {
	if err := p.Validate(); err != nil {
		return Plan{}, err
	}
	p.Accumulate = max(1, p.Accumulate)
	student, teacher := p.Student.Parameters().Total(), Subnet{}.Parameters(p.Teacher).Total()
	out := Plan{
		Planned: p, TeacherParameters: teacher, StudentParameters: student,
		Memory: p.stepMemory(), RecomputedBytes: p.studentActivations(true), StoredBytes: p.studentActivations(false),
		StudentKVCache: p.Student.Subnet.KVCacheBytes(p.Student.Config, p.SeqLen, int(Float32.Bytes())),
		TeacherKVCache: Subnet{}.KVCacheBytes(p.Teacher, p.SeqLen, int(Float32.Bytes())),
		Work:           p.work(),
		TeacherFile:    teacher * p.Type.Bytes(), StudentFile: student * p.Type.Bytes(), CheckpointFile: 3 * 4 * (student + p.projection()),
	}
	if p.TopK > 0 {
		out.Caching = p.cachingMemory()
	}
	out.TokensPerSecond = float64(p.Batch*p.SeqLen) / p.seconds(out.Work.Total)
	out.Fits = p.Device.Memory == 0 || max(out.Memory.Total, out.Caching.Total) <= p.Device.Memory
	for _, n := range p.Tokens {
		out.Budgets = append(out.Budgets, p.budget(n, out.Work))
	}
	return out, nil
}

// work is that of a step.
func (p Planned) work() Work {
	tokens := float64(p.Batch * p.SeqLen)
	forward := float64(p.Student.Subnet.ForwardFLOPs(p.Student.Config, p.SeqLen))
	projected := forward + 2*float64(p.Pairs)*float64(p.projection())
	w := Work{TeacherForward: tokens * float64(Subnet{}.ForwardFLOPs(p.Teacher, p.SeqLen)),
		StudentForward: tokens * projected, StudentBackward: 2 * tokens * projected}
	if p.Checkpointing {
		head := 2 * float64(p.Student.Config.Vocab) * float64(p.Student.Subnet.Embd.Len(p.Student.Config.Embd))
		w.Recomputation = tokens * (forward - head)
	}
	w.Total = w.TeacherForward + w.StudentForward + w.StudentBackward + w.Recomputation
	return w
}

func (p Planned) seconds(flops float64) float64 {
	return flops / (p.Device.FLOPS(p.Type) * p.Utilization)
}

func (p Planned) budget(tokens int64, step Work) Budget {
	perStep := int64(p.Batch) * int64(p.SeqLen)
	id := int64(2)
	if p.Teacher.Vocab > 1<<16 {
		id = 4
	}
	flops := step.Total / float64(perStep) * float64(tokens)
	return Budget{Tokens: tokens, Steps: (tokens + perStep - 1) / perStep, FLOPs: flops, Seconds: p.seconds(flops),
		Shards: id * tokens, Logits: tokens * int64(p.TopK) * (2 + id)}
}
