package resident

import (
	"fmt"
	"math"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// patience is how many validations after the schedule's end may bring no better one before a perplexity counts as out of reach.
const patience = 10

// goal is the end of an increment.
type goal struct {
	slm.Until
	run   slm.Curve // without points
	first int       // step
	steps int       // of the increment; 0 when that is not known
	peak  float64   // of the accelerator, in operations a second; 0 when that is not known
	began time.Time

	best  float64 // validation
	since int     // validations after it
}

func newGoal(until slm.Until, run slm.Curve, first int, peak float64) *goal {
	return &goal{Until: until, run: run, first: first, steps: until.StepsOf(run.Distillation.StepTokens()), peak: peak,
		began: time.Now(), best: math.Inf(1)}
}

// ends reports whether a step is the last by its number or by the time.
func (g *goal) ends(step int) bool {
	return g.steps > 0 && step-g.first >= g.steps || g.Time > 0 && time.Since(g.began) >= g.Time
}

// judge looks at a validation: said is what there is to say when the increment ends with it.
func (g *goal) judge(p slm.Point) (said string) {
	if p.Validation == 0 || g.Perplexity == 0 {
		return ""
	}
	if g.since++; p.Validation < g.best {
		g.best, g.since = p.Validation, 0
	}
	switch {
	case g.Reached(p.Validation):
		return fmt.Sprintf("perplexity %.2f at step %d", math.Exp(p.Validation), p.Step)
	case g.since >= patience && p.Step > g.run.Distillation.Schedule.Horizon:
		return fmt.Sprintf("perplexity %g is out of reach: the last %d validations brought none below %.2f, and the learning rate has fallen to its end at step %d; "+
			"change the schedule, or take a larger student", g.Perplexity, patience, math.Exp(g.best), g.run.Distillation.Schedule.Horizon)
	}
	return ""
}

// event reports a step.
func (g *goal) event(p slm.Point, pace pace) kernelext.Event {
	e := kernelext.Event{Kind: kernelext.Point, Point: &p, Done: int64(p.Step - g.first), Total: int64(g.steps), Unit: "steps",
		FLOPs: g.run.Distillation.FLOPs(g.run.Teacher, p.Step, g.run.Changes)}
	mean := pace.mean()
	if mean <= 0 {
		return e
	}
	e.Rate = float64(g.run.Distillation.StepTokens()) / mean
	if g.peak > 0 {
		e.MFU = g.computed(p.Step) / mean / g.peak
	}
	if g.steps > 0 {
		e.Left = mean * float64(g.first+g.steps-p.Step)
	}
	if left := (g.Time - time.Since(g.began)).Seconds(); g.Time > 0 && (g.steps == 0 || left < e.Left) {
		e.Left = max(0, left)
	}
	return e
}

// computed are the operations of a step that were certainly done: logits that are kept may have come from the disk.
func (g *goal) computed(step int) float64 {
	d := g.run.Distillation.At(step-1, g.run.Changes)
	if d.KeepLogits {
		d.Loss = slm.CE(1)
	}
	return float64(d.StepFLOPs(g.run.Teacher))
}
