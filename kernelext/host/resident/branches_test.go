package resident_test

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// must ends a test whose run cannot go on.
func must(t *testing.T) func(slm.Curve, error) slm.Curve {
	return func(c slm.Curve, err error) slm.Curve {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

// notes collects what a call had to say.
func notes(into *string) func(kernelext.Event) {
	return func(e kernelext.Event) {
		if e.Kind == kernelext.Note {
			*into += e.Message
		}
	}
}

func TestIncrementsEnd(t *testing.T) {
	newHome(t, nil)
	client, ctx := connect(t, "one"), t.Context()
	run := must(t)(client.Distill(ctx, "run", slm.Distillation{}, nil))
	if c := must(t)(client.Train(ctx, "run", slm.Until{Tokens: int64(3*run.Distillation.StepTokens() - 1)}, nil)); c.Steps() != 3 {
		t.Errorf("%d steps, want 3", c.Steps())
	}
	if c := must(t)(client.Train(ctx, "run", slm.Until{Time: time.Nanosecond}, nil)); c.Steps() != 4 || math.IsNaN(c.Validation()) {
		t.Errorf("%d steps, validation %g; want one more, measured", c.Steps(), c.Validation())
	}
	wantError(t, func() error { _, err := client.Train(ctx, "run", slm.Until{}, nil); return err }(), kernelext.Invalid, "names no end")
	wantError(t, func() error { _, err := client.TrainOn(ctx, "run", 3, slm.Until{Steps: 1}, nil); return err }(), kernelext.Invalid, "the accelerator has 2")
	if c := must(t)(client.TrainOn(ctx, "run", 2, slm.Until{Steps: 1}, nil)); c.Steps() != 5 {
		t.Errorf("%d steps after one on 2 devices, want 5", c.Steps())
	}
}

// A fake student's validation wanders between 1 and 12 nats: low enough at some multiple of ten steps.
func TestUntilPerplexity(t *testing.T) {
	newHome(t, nil)
	client, ctx := connect(t, "one"), t.Context()
	var said string
	must(t)(client.Distill(ctx, "run", slm.Distillation{}, nil))
	c := must(t)(client.Train(ctx, "run", slm.Until{Perplexity: math.Exp(4), Steps: 400}, notes(&said)))
	if v := c.Validation(); v > 4 || !strings.Contains(said, "perplexity") {
		t.Errorf("it ended at step %d with %g nats, saying %q", c.Steps(), v, said)
	}
	said = ""
	if again := must(t)(client.Train(ctx, "run", slm.Until{Perplexity: math.Exp(4)}, notes(&said))); again.Steps() != c.Steps() || said == "" {
		t.Errorf("reached before, it went on to step %d, saying %q", again.Steps(), said)
	}
	must(t)(client.Distill(ctx, "hopeless", slm.Distillation{Schedule: slm.Schedule{Horizon: 20}}, nil))
	said = ""
	c = must(t)(client.Train(ctx, "hopeless", slm.Until{Perplexity: 2}, notes(&said)))
	if c.Steps() < 20+10*10 || !strings.Contains(said, "out of reach") {
		t.Errorf("a perplexity of 2 ended at step %d, saying %q", c.Steps(), said)
	}
}

func TestChangesAreKept(t *testing.T) {
	newHome(t, nil)
	client, ctx := connect(t, "one"), t.Context()
	must(t)(client.Distill(ctx, "run", slm.Distillation{}, nil))
	must(t)(client.Steps(ctx, "run", 5, nil))
	change := slm.Change{Schedule: slm.Schedule{Peak: 0.5, Warmup: 1, Horizon: 10, Final: 0.1}}
	must(t)(client.Change(ctx, "run", change, nil))
	c := must(t)(client.Change(ctx, "run", change, nil)) // the cell, run again
	if len(c.Changes) != 1 || c.Changes[0].Step != 5 {
		t.Fatalf("changes %+v, want one at step 5", c.Changes)
	}
	pid := status(t).PID
	_, err := client.Steps(ctx, "run", 30, func(e kernelext.Event) {
		if e.Kind == kernelext.Point && e.Point.Step == 8 {
			killHost(t, pid)
		}
	})
	wantError(t, err, "", "the host has gone")
	c = must(t)(client.Steps(ctx, "run", 15, nil))
	for _, p := range c.Points[1:] {
		if want := map[bool]float64{true: 1e-3, false: 0.5}[p.Step <= 5]; p.Rate != want {
			t.Errorf("step %d has peak rate %g, want %g", p.Step, p.Rate, want)
		}
	}
	_, err = client.Change(ctx, "run", slm.Change{}, nil)
	wantError(t, err, kernelext.Invalid, "neither a schedule nor a loss")
	_, err = client.Change(ctx, "walk", change, nil)
	wantError(t, err, kernelext.Unknown, "it holds: run")
}

// Undoing and doing again is as if nothing had been; a branch goes its own way and leaves the other alone.
func TestUndoAndBranch(t *testing.T) {
	newHome(t, nil)
	client, ctx := connect(t, "one"), t.Context()
	must(t)(client.Distill(ctx, "run", slm.Distillation{}, nil))
	whole := must(t)(client.Steps(ctx, "run", 25, nil))
	if !reflect.DeepEqual(whole.Checkpoints, []int{10, 20, 25}) {
		t.Fatalf("checkpoints %v, want 10, 20, 25", whole.Checkpoints)
	}
	var said string
	branch := must(t)(client.Branch(ctx, "run", 24, "other", notes(&said)))
	if branch.Steps() != 20 || *branch.Origin != (slm.Origin{Run: "run", Step: 20}) || !strings.Contains(said, "at step 20") {
		t.Fatalf("the branch is at step %d, of %+v, saying %q", branch.Steps(), branch.Origin, said)
	}
	must(t)(client.Change(ctx, "other", slm.Change{Schedule: slm.Schedule{Peak: 0.5, Warmup: 1, Horizon: 10, Final: 0.1}}, nil))
	branch = must(t)(client.Steps(ctx, "other", 5, nil))
	if reflect.DeepEqual(losses(branch), losses(whole)) || !reflect.DeepEqual(losses(branch)[:21], losses(whole)[:21]) {
		t.Error("the branch has not left the run at step 20")
	}
	must(t)(client.Branch(ctx, "run", 20, "other", nil)) // named again
	_, err := client.Branch(ctx, "run", 10, "other", nil)
	wantError(t, err, kernelext.Differs, "another name")
	_, err = client.Branch(ctx, "run", 9, "third", nil)
	wantError(t, err, kernelext.Invalid, "[10 20 25]")

	must(t)(client.Change(ctx, "run", slm.Change{Loss: slm.CE(0.5)}, nil))
	said = ""
	undone := must(t)(client.Undo(ctx, "run", 12, notes(&said)))
	if undone.Steps() != 10 || len(undone.Changes) != 0 || !reflect.DeepEqual(undone.Checkpoints, []int{10}) || !strings.Contains(said, "step 10") {
		t.Errorf("undone to step %d, changes %v, checkpoints %v, saying %q", undone.Steps(), undone.Changes, undone.Checkpoints, said)
	}
	if again := must(t)(client.Steps(ctx, "run", 15, nil)); !reflect.DeepEqual(losses(again), losses(whole)) {
		t.Errorf("after undoing, points\n%v, want\n%v", losses(again), losses(whole))
	}
	_, err = client.Undo(ctx, "run", 3, nil)
	wantError(t, err, kernelext.Invalid, "no checkpoint of step 3 or before")
}

// A run keeps few checkpoints, closer to each other where they are recent.
func TestFewCheckpointsAreKept(t *testing.T) {
	newHome(t, nil)
	client, ctx := connect(t, "one"), t.Context()
	must(t)(client.Distill(ctx, "run", slm.Distillation{SaveEvery: 1, EvalEvery: 50}, nil))
	c := must(t)(client.Steps(ctx, "run", 64, nil))
	if n := len(c.Checkpoints); n != 4 || c.Checkpoints[0] != 1 || c.Checkpoints[3] != 64 {
		t.Fatalf("checkpoints %v, want four from step 1 to 64", c.Checkpoints)
	}
	gaps := []int{c.Checkpoints[1] - c.Checkpoints[0], c.Checkpoints[2] - c.Checkpoints[1], c.Checkpoints[3] - c.Checkpoints[2]}
	if !slices.IsSortedFunc(gaps, func(a, b int) int { return b - a }) {
		t.Errorf("checkpoints %v: the recent ones are not the closest", c.Checkpoints)
	}
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := client.Undo(ctx, "run", 64, nil); err == nil {
		t.Error(fmt.Errorf("a cancelled undo went through"))
	}
}

// A run whose loss rises goes back to before that, and goes on once it is told how.
func TestDriftEndsAnIncrement(t *testing.T) {
	home := newHome(t, nil)
	putTeacher(t, home, "tiny", `{"Rise": 42}`)
	client, ctx := connect(t, "one"), t.Context()
	must(t)(client.Distill(ctx, "run", slm.Distillation{}, nil))
	for range 2 { // it happens again, if nothing changes
		_, err := client.Steps(ctx, "run", 100, nil)
		wantError(t, err, "", "the training loss has risen from 3.00 at step", "back at its checkpoint of step", "run.SetRate")
	}
	c := must(t)(client.Curve(ctx, "run"))
	if c.Steps() > 41 || c.Steps() < 20 {
		t.Fatalf("the run is at step %d, want a checkpoint before step 42", c.Steps())
	}
	must(t)(client.Change(ctx, "run", slm.Change{Schedule: slm.Schedule{Peak: 1e-4, Warmup: 1, Horizon: 10, Final: 0.1}}, nil))
	if c = must(t)(client.Steps(ctx, "run", 100, nil)); c.Steps() < 120 {
		t.Errorf("with a lower rate it went to step %d", c.Steps())
	}
}
