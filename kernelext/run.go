package kernelext

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

// Run is a student in training: what was asked, and its curve as of the last call.
type Run struct {
	slm.Curve
	lab      *Lab
	devices  int // that the next steps run on; 0 means 1
	watchers []func(run slm.Curve, last bool)
}

// Steps trains for some more steps, from where the run stopped: same weights, optimizer state, data position and
// learning-rate schedule. Run the cell again for as many more. An interrupt stops at the next step boundary and keeps
// what is done.
func (r *Run) Steps(n int) { r.Until(slm.Until{Steps: n}) }

// Tokens is [Run.Steps] for as many steps as predict so many tokens.
func (r *Run) Tokens(n int64) { r.Until(slm.Until{Tokens: n}) }

// For is [Run.Steps] for as many steps as begin in some time.
func (r *Run) For(d time.Duration) { r.Until(slm.Until{Time: d}) }

// UntilPerplexity is [Run.Steps] until the held-out perplexity is at most p, or is out of reach.
func (r *Run) UntilPerplexity(p float64) { r.Until(slm.Until{Perplexity: p}) }

// On makes the steps that follow in this cell run on so many of the accelerator's devices, such as run.On(2).Steps(50) on two GPUs:
// each takes its part of every batch, whose sequences they must share evenly. The steps are those of one device, up to rounding.
func (r *Run) On(devices int) *Run {
	r.devices = devices
	return r
}

// Watch makes the steps that follow in this cell show the run to watchers, such as run.Watch(plots.LiveCurves(plots.Tokens)).Steps(50):
// after each step that this process hears of, and once more, as the last time, when the steps are done, fail or are interrupted.
// A watcher reads the run's points and does not change them; a slow one delays the next, not the training.
func (r *Run) Watch(watchers ...func(run slm.Curve, last bool)) *Run {
	r.watchers = watchers
	return r
}

// show calls the watchers.
func (r *Run) show(points []slm.Point, last bool) {
	c := r.Curve
	c.Points = slices.Clip(points)
	for _, watcher := range r.watchers {
		watcher(c, last)
	}
}

// Until trains until one of several ends.
func (r *Run) Until(u slm.Until) {
	r.lab.do("run "+r.Name, func(ctx context.Context, d *display) (line string, err error) {
		if err := r.train(ctx, d, u); err != nil {
			return "", err
		}
		return stepsLine(r.Curve, d), nil
	})
}

// train trains before a display and the watchers.
func (r *Run) train(ctx context.Context, d *display, u slm.Until) error {
	d.points = r.Points
	c, err := r.lab.client.TrainOn(ctx, r.Name, r.devices, u, func(e Event) {
		d.watchRun(e)
		if e.Kind == Point {
			r.show(d.points, false)
		}
	})
	if err != nil {
		r.show(d.points, true)
		return err
	}
	r.Curve, d.points = c, c.Points
	r.show(c.Points, true)
	return nil
}

// SetRate changes the peak of the learning rate's schedule from the next step on.
func (r *Run) SetRate(peak float64) {
	schedule := holding(r.Curve).Schedule
	schedule.Peak = peak
	r.SetSchedule(schedule)
}

// SetSchedule changes the learning rate's schedule from the next step on. Steps are still counted from the run's first.
func (r *Run) SetSchedule(s slm.Schedule) { r.change(slm.Change{Schedule: s}) }

// SetLoss changes the loss from the next step on: its weights, its temperature, or its terms.
func (r *Run) SetLoss(loss slm.Loss) { r.change(slm.Change{Loss: loss}) }

// SetTemperature changes the temperature of the loss's divergences from the next step on: see [slm.Loss.At].
func (r *Run) SetTemperature(temperature float64) { r.SetLoss(holding(r.Curve).Loss.At(temperature)) }

// SetAlpha changes the share of the cross-entropy in the loss from the next step on: see [slm.Loss.Mixed].
func (r *Run) SetAlpha(alpha float64) {
	loss, err := holding(r.Curve).Loss.Mixed(alpha)
	if err != nil {
		fail(err)
	}
	r.SetLoss(loss)
}

// holding is what holds in a run's next step.
func holding(c slm.Curve) slm.Distillation { return c.Distillation.At(c.Steps(), c.Changes) }

func (r *Run) change(c slm.Change) {
	r.doRun(r.Name, func(ctx context.Context, watch func(Event)) (slm.Curve, error) {
		return r.lab.client.Change(ctx, r.Name, c, watch)
	}, r.changed)
}

// changed says what holds from now on.
func (r *Run) changed() string {
	now := holding(r.Curve)
	return fmt.Sprintf("from step %d on: %s, peak learning rate %.3g", r.Curve.Steps()+1, now.Loss, now.Schedule.Peak)
}

// Undo goes back to the last checkpoint up to a step: see Checkpoints. The steps after it, and the changes made since, are lost;
// to keep them, branch.
func (r *Run) Undo(step int) {
	r.doRun(r.Name, func(ctx context.Context, watch func(Event)) (slm.Curve, error) {
		return r.lab.client.Undo(ctx, r.Name, step, watch)
	}, func() string { return fmt.Sprintf("back at step %d", r.Curve.Steps()) })
}

// Branch begins a new run, under a name of its own, at the run's last step, or at its last checkpoint up to another. Named
// again it is the branch as the lab has it.
func (r *Run) Branch(name string, step ...int) *Run {
	at := -1
	if len(step) > 0 {
		at = step[0]
	}
	b := &Run{lab: r.lab}
	b.doRun(name, func(ctx context.Context, watch func(Event)) (slm.Curve, error) {
		return r.lab.client.Branch(ctx, r.Name, at, name, watch)
	}, func() string { return fmt.Sprintf("branches off %s at step %d", r.Name, b.Origin.Step) })
	return b
}

// doRun makes a call that ends with the run's records.
func (r *Run) doRun(name string, call func(context.Context, func(Event)) (slm.Curve, error), line func() string) {
	r.lab.do("run "+name, func(ctx context.Context, d *display) (string, error) {
		c, err := call(ctx, d.watch)
		if err != nil {
			return "", err
		}
		r.Curve = c
		return fmt.Sprintf("run %s: %s", name, line()), nil
	})
}

// watchRun is watch, except that a run which goes back to its checkpoint loses the points after it.
func (d *display) watchRun(e Event) {
	if e.Kind == Point {
		for n := len(d.points); n > 0 && d.points[n-1].Step >= e.Point.Step; n-- {
			d.points = d.points[: n-1 : n-1]
		}
	}
	d.watch(e)
}

// Continue continues a prompt by the student's likeliest tokens.
func (r *Run) Continue(prompt string, tokens int) string {
	return r.Generate(prompt, slm.Generation{Tokens: tokens})
}

// Generate continues a prompt with the student, for example by tokens drawn with a temperature.
func (r *Run) Generate(prompt string, g slm.Generation) string {
	var text string
	r.lab.do("run "+r.Name, func(ctx context.Context, d *display) (line string, err error) {
		text, err = r.lab.client.GenerateRun(ctx, r.Name, prompt, g, quiet(d))
		return "", err
	})
	return text
}

func stepsLine(c slm.Curve, d *display) string {
	last := c.Points[len(c.Points)-1]
	line := fmt.Sprintf("run %s: %s", c.Name, pointText(last, c.Points))
	took := time.Since(d.began).Seconds()
	tokens := float64(d.steps * c.Distillation.StepTokens())
	speed := Event{Unit: "steps", Rate: tokens / took, FLOPs: c.FLOPs(), MFU: d.mfu}.Speed(" · ")
	return fmt.Sprintf("%s · %s · %s", line, speed, duration(took))
}
