package slm

import (
	"math"
	"time"
)

// Point is one step of a run.
type Point struct {
	Step       int       `json:"step"`                // steps done, counted from 1; 0 is the student before training
	Tokens     int64     `json:"tokens"`              // predicted so far
	Loss       float64   `json:"loss,omitzero"`       // the training loss with all its terms, in nats per token
	CE         float64   `json:"ce,omitzero"`         // its cross-entropy alone, unweighted
	Validation float64   `json:"validation,omitzero"` // held-out cross-entropy, where it was measured
	Rate       float64   `json:"rate,omitzero"`       // learning rate
	GradNorm   float64   `json:"grad_norm,omitzero"`  // before clipping
	Seconds    float64   `json:"seconds,omitzero"`    // time of this step, validation and saving left out
	Spent      Spent     `json:"spent,omitzero"`      // that time by part, with validation and saving
	Time       time.Time `json:"time,omitzero"`       // when it was recorded
}

// Curve is a run of a distillation: what was asked, and what came out step by step.
type Curve struct {
	Name         string       `json:"name"`
	Teacher      Config       `json:"teacher"`
	Distillation Distillation `json:"distillation"`
	Parameters   int64        `json:"parameters"`
	Changes      []Change     `json:"changes,omitempty"` // in their order
	Origin       *Origin      `json:"origin,omitempty"`  // of a branch
	Points       []Point      `json:"points"`
	Checkpoints  []int        `json:"checkpoints,omitempty"` // steps to which the run can go back, ascending
}

// Origin is where a run branched off another.
type Origin struct {
	Run  string `json:"run"`
	Step int    `json:"step"`
}

// Steps is the number of steps done.
func (c Curve) Steps() int {
	if len(c.Points) == 0 {
		return 0
	}
	return c.Points[len(c.Points)-1].Step
}

// Validation is the last held-out loss, in nats per token; NaN before the first.
func (c Curve) Validation() float64 {
	for i := len(c.Points) - 1; i >= 0; i-- {
		if v := c.Points[i].Validation; v != 0 {
			return v
		}
	}
	return math.NaN()
}

// StepFLOPs counts the operations of a step: the student's training, with the projections of its hidden states where they are
// compared, and the teacher's forward pass where the loss needs it. Validation is not counted, nor is what checkpointing computes
// a second time: these are the operations of model FLOPs utilisation (Chowdhery et al. 2022, arXiv 2204.02311, appendix B).
func (d Distillation) StepFLOPs(teacher Config) int64 {
	each := d.Subnet.TrainingFLOPs(teacher, d.SeqLen)
	if d.Loss.NeedsTeacher() {
		each += Subnet{}.ForwardFLOPs(teacher, d.SeqLen)
	}
	each += 3 * 2 * int64(d.Loss.Pairs()) * int64(d.Subnet.Embd.Len(teacher.Embd)) * int64(teacher.Embd)
	return each * int64(d.StepTokens())
}

// FLOPs counts the operations of the first steps, given all changes of the run in their order.
func (d Distillation) FLOPs(teacher Config, steps int, changes []Change) (sum float64) {
	for from := 0; from < steps; {
		to := steps
		for _, c := range changes {
			if c.Step > from {
				to = min(to, c.Step)
			}
		}
		sum += float64(to-from) * float64(d.At(from, changes).StepFLOPs(teacher))
		from = to
	}
	return sum
}

// FLOPs counts the operations of the run's steps so far, those of the run that it branched off included.
func (c Curve) FLOPs() float64 { return c.Distillation.FLOPs(c.Teacher, c.Steps(), c.Changes) }

// Seconds is the time of the run's steps so far, without validation and saving.
func (c Curve) Seconds() (sum float64) {
	for _, p := range c.Points {
		sum += p.Seconds
	}
	return sum
}
