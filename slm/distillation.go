package slm

import (
	"cmp"
	"fmt"
)

// Init says where a student's first weights come from.
type Init string

// The starts of a student.
const (
	FromTeacher Init = "teacher" // the weights that the sub-network keeps
	FromRandom  Init = "random"  // normal weights with deviation 0.02, norms at 1: the same architecture from scratch
	FromExport  Init = "export"  // those of an exported student: see the field From
)

// Distillation describes how a student is pretrained. Zero fields take the defaults of [Distillation.WithDefaults].
type Distillation struct {
	Teacher     string   `json:"teacher"` // a teacher's name in the lab; the lab fills it when it holds only one
	Subnet      Subnet   `json:"subnet"`  // the student's architecture
	Init        Init     `json:"init"`
	From        string   `json:"from,omitzero"`        // the folder of a student, as an export writes it, of this architecture; makes Init FromExport
	FromSHA256  string   `json:"from_sha256,omitzero"` // of its weights; the lab fills it
	Loss        Loss     `json:"loss"`
	KeepLogits  bool     `json:"keep_logits,omitzero"` // of the teacher's likeliest tokens, on the disk, for all runs on the same batches: see [Loss.Kept]
	Data        Data     `json:"data,omitzero"`        // the text; none is the Go installation's
	Batch       int      `json:"batch"`                // sequences in a batch
	SeqLen      int      `json:"seq_len"`              // tokens in a sequence that are predicted
	Accumulate  int      `json:"accumulate,omitzero"`  // batches in a step, one after the other, whose gradients are averaged; 0 means 1
	Schedule    Schedule `json:"schedule"`
	WeightDecay float64  `json:"weight_decay"` // decoupled (AdamW), on matrices only
	Beta1       float64  `json:"beta1"`
	Beta2       float64  `json:"beta2"`
	Clip        float64  `json:"clip"`         // largest global gradient norm
	EvalEvery   int      `json:"eval_every"`   // steps between validations; one also ends every increment
	EvalTokens  int      `json:"eval_tokens"`  // held-out tokens of a validation
	SaveEvery   int      `json:"save_every"`   // steps between checkpoints; one also ends every increment
	ShuffleSeed uint64   `json:"shuffle_seed"` // order of the training documents
	WeightsSeed uint64   `json:"weights_seed"` // of FromRandom

	// DocumentMask keeps attention within a document, where a sequence is of several: the student's, in training and on held-out
	// text, and the teacher's (Zhao et al. 2024, arXiv 2402.13991). A held-out loss is then not comparable with that of a run
	// without it, whose student also reads what stands before a document.
	DocumentMask bool `json:"document_mask,omitzero"`

	// Type is that of the factors and results of matrix products in training, the student's and the teacher's: BFloat16, or Float32,
	// which none means. Weights, AdamW's moments, checkpoints and validations are float32 with either.
	Type NumberType `json:"dtype,omitzero"`
	// Checkpointing keeps only the layers' inputs of a forward pass, and computes the rest once more in the backward pass (Chen et
	// al. 2016, arXiv 1604.06174): less memory, for a third more of the student's work at most. It changes no result.
	Checkpointing bool `json:"checkpointing,omitzero"`
}

// WithDefaults fills zero fields: 4 sequences of 128 tokens a step, AdamW with (0.9, 0.95) and decay 0.1, gradients
// clipped at 1, a peak learning rate of 1e-3, plain cross-entropy, from the teacher's weights, or those in From where it is set.
func (d Distillation) WithDefaults() Distillation {
	if d.Init == "" && d.From != "" {
		d.Init = FromExport
	}
	d.Init = cmp.Or(d.Init, FromTeacher)
	if len(d.Loss.Terms) == 0 {
		d.Loss = CE(1)
	}
	d.Batch = cmp.Or(d.Batch, 4)
	d.SeqLen = cmp.Or(d.SeqLen, 128)
	if d.Type == Float32 {
		d.Type = "" // as in the records of runs that had no choice
	}
	d.Schedule = d.Schedule.withDefaults()
	d.WeightDecay = cmp.Or(d.WeightDecay, 0.1)
	d.Beta1 = cmp.Or(d.Beta1, 0.9)
	d.Beta2 = cmp.Or(d.Beta2, 0.95)
	d.Clip = cmp.Or(d.Clip, 1)
	d.EvalEvery = cmp.Or(d.EvalEvery, 10)
	d.EvalTokens = cmp.Or(d.EvalTokens, 2048)
	d.SaveEvery = cmp.Or(d.SaveEvery, 10)
	d.ShuffleSeed = cmp.Or(d.ShuffleSeed, 1)
	d.WeightsSeed = cmp.Or(d.WeightsSeed, 1)
	return d
}

// StepTokens is the number of predicted tokens in a step.
func (d Distillation) StepTokens() int { return d.Batches() * d.Batch * d.SeqLen }

// Batches is the number of batches in a step.
func (d Distillation) Batches() int { return max(1, d.Accumulate) }

// HeldOut is the number of tokens that a validation predicts: EvalTokens, in whole sequences.
func (d Distillation) HeldOut() int { return ((d.EvalTokens-1)/d.SeqLen + 1) * d.SeqLen }

// Validate reports the first field that cannot work with the teacher.
func (d Distillation) Validate(teacher Config) error {
	if err := d.Subnet.Validate(teacher); err != nil {
		return fmt.Errorf("distillation: subnet: %w", err)
	}
	if d.Init != FromTeacher && d.Init != FromRandom && d.Init != FromExport {
		return fmt.Errorf("distillation: init is %q, want %q, %q or %q", d.Init, FromTeacher, FromRandom, FromExport)
	}
	if (d.Init == FromExport) != (d.From != "") {
		return fmt.Errorf("distillation: init %q from the folder %q: want a folder with %q, and with nothing else", d.Init, d.From, FromExport)
	}
	if err := d.Loss.Validate(); err != nil {
		return fmt.Errorf("distillation: %w", err)
	}
	if k, _, err := d.Loss.Kept(); d.KeepLogits && (err != nil || k == 0) {
		return fmt.Errorf("distillation: its logits cannot be kept: %w", cmp.Or(err, fmt.Errorf("loss %s needs no teacher", d.Loss)))
	}
	if pairs := d.Loss.Pairs(); pairs > d.Subnet.Depth(teacher) {
		return fmt.Errorf("distillation: loss %s: the student has only %d layers", d.Loss, d.Subnet.Depth(teacher))
	}
	if err := d.Data.Validate(); err != nil {
		return fmt.Errorf("distillation: %w", err)
	}
	if d.Batch < 1 || d.SeqLen < 2 || d.SeqLen > teacher.Context {
		return fmt.Errorf("distillation: batch %d of %d tokens: want at least 1 of 2 to the teacher's context of %d", d.Batch, d.SeqLen, teacher.Context)
	}
	if d.Accumulate < 0 || d.Accumulate > 1<<16 {
		return fmt.Errorf("distillation: accumulate is %d, want 1 to %d batches in a step", d.Accumulate, 1<<16)
	}
	if d.Type != "" && d.Type != Float32 && d.Type != BFloat16 {
		return fmt.Errorf("distillation: dtype is %q, want %s or %s", d.Type, Float32, BFloat16)
	}
	if d.EvalEvery < 1 || d.SaveEvery < 1 || d.EvalTokens < d.SeqLen {
		return fmt.Errorf("distillation: eval_every %d, save_every %d, eval_tokens %d: want at least 1, 1 and seq_len (%d)",
			d.EvalEvery, d.SaveEvery, d.EvalTokens, d.SeqLen)
	}
	if d.Beta1 < 0 || d.Beta1 >= 1 || d.Beta2 < 0 || d.Beta2 >= 1 || d.WeightDecay < 0 || d.Clip <= 0 {
		return fmt.Errorf("distillation: beta1 %g, beta2 %g, weight_decay %g, clip %g are out of range", d.Beta1, d.Beta2, d.WeightDecay, d.Clip)
	}
	return d.Schedule.Validate()
}
