package resident_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

func distill(t *testing.T, client *kernelext.Client, name string) {
	t.Helper()
	if _, err := client.Distill(t.Context(), name, smallRun, nil); err != nil {
		t.Fatal(err)
	}
}

// losses are a run's points without the times.
func losses(c slm.Curve) []string {
	var out []string
	for _, p := range c.Points {
		out = append(out, fmt.Sprintf("%d %.12g", p.Step, p.Loss))
	}
	return out
}

// subnets are a search's candidates and their losses.
func subnets(p slm.Population) []string {
	var out []string
	for _, c := range p.Candidates {
		out = append(out, fmt.Sprintf("%d %s %.12g", c.ID, c.Subnet.Key(), c.Loss))
	}
	return out
}

func TestTeacher(t *testing.T) {
	newHome(t, nil)
	client := connect(t, "one")
	for range 2 {
		info, err := client.Teacher(t.Context(), "tiny", nil)
		if err != nil {
			t.Fatal(err)
		}
		if info.Config.Name != "tiny" || info.Config.Layers != 30 || info.Tokens != 2048 || info.Window != 128 || info.Perplexity <= 1 {
			t.Errorf("info %+v", info)
		}
	}
	text, err := client.Generate(t.Context(), "tiny", "x", slm.Generation{Tokens: 2}, nil)
	if err != nil || text != "la la x" {
		t.Errorf("continued as %q (%v)", text, err)
	}
	text, err = client.GenerateSubnet(t.Context(), "tiny", slm.Subnet{Embd: slm.First(9)}, "x", slm.Generation{Tokens: 2}, nil)
	if err != nil || text != "x with 9 dimensions" {
		t.Errorf("a sub-network continued as %q (%v)", text, err)
	}
	contents, err := client.Contents(t.Context())
	if err != nil || !reflect.DeepEqual(contents.Teachers, []string{"tiny"}) {
		t.Errorf("contents %+v (%v)", contents, err)
	}
}

// A run whose teacher's logits are kept loads it when they end, and says so; what needs the weights loads them at once.
func TestATeacherIsLoadedWhenItIsNeeded(t *testing.T) {
	newHome(t, nil)
	client, ctx := connect(t, "one"), t.Context()
	loaded := func() int {
		s, err := client.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return len(s.Teachers)
	}
	if c, err := client.Architecture(ctx, "tiny", nil); err != nil || c.Name != "tiny" || c.Layers != 30 {
		t.Errorf("architecture %+v, %v", c, err)
	}
	d := smallRun
	d.Loss, d.KeepLogits = slm.ForwardKL(1).Top(8), true
	must(t)(client.Distill(ctx, "run", d, nil))
	var said string
	if must(t)(client.Steps(ctx, "run", fakeKept, notes(&said))); loaded() != 0 || said != "" {
		t.Errorf("a run with kept logits loaded %d teachers, and said %q", loaded(), said)
	}
	if must(t)(client.Steps(ctx, "run", 2, notes(&said))); loaded() != 1 || said != fmt.Sprintf("loaded tiny: its logits are not kept for step %d", fakeKept+1) {
		t.Errorf("after the kept logits %d teachers are loaded, and it said %q", loaded(), said)
	}
	if err := kernelext.StopHost(ctx); err != nil {
		t.Fatal(err)
	}
	client = connect(t, "one")
	if info, err := client.Teacher(ctx, "tiny", nil); err != nil || info.Bytes == 0 || loaded() != 1 {
		t.Errorf("info %+v (%v), %d teachers in memory", info, err, loaded())
	}
}

func TestAPerplexityIsMeasuredOnce(t *testing.T) {
	home := newHome(t, nil)
	for range 2 {
		client := connect(t, "one")
		if _, err := client.Teacher(t.Context(), "tiny", nil); err != nil {
			t.Fatal(err)
		}
		if err := kernelext.StopHost(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := evaluations(t, home)[evaluation(slm.Subnet{}, 2048)]; n != 1 {
		t.Errorf("%d measurements, want 1", n)
	}
}

func TestBadRequests(t *testing.T) {
	home := newHome(t, nil)
	putTeacher(t, home, "cut", `{"Wait"`)
	client := connect(t, "one")
	ctx := t.Context()
	_, err := client.Teacher(ctx, "huge", nil)
	wantError(t, err, kernelext.Unknown, `"huge"`, "cut, tiny")
	_, err = client.Teacher(ctx, "../tiny", nil) // a path, from the caller's folder
	wantError(t, err, kernelext.Invalid, "host/tiny cannot be loaded", "no such file")
	_, err = client.Teacher(ctx, "owner/name/more", nil)
	wantError(t, err, kernelext.Invalid, "cannot name a teacher")
	_, err = client.Teacher(ctx, "cut", nil)
	wantError(t, err, kernelext.Invalid, "cut short")
	_, err = client.Search(ctx, "s", slm.Search{Teacher: "tiny", Bin: slm.Around(1e6, 0.05)}, nil)
	wantError(t, err, kernelext.Invalid, "no sub-network of tiny", "they have")
	_, err = connect(t, "two").Search(ctx, "s", smallSearch, nil) // of two teachers none was used: which one?
	wantError(t, err, kernelext.Invalid, "several teachers")
	_, err = client.Search(ctx, "outside", slm.Search{Teacher: "../teachers/tiny", Bin: slm.Around(30e6, 0.05)}, nil)
	wantError(t, err, kernelext.Invalid, "cannot name a teacher")
	_, err = client.Distill(ctx, "r", slm.Distillation{Teacher: "tiny", Batch: -1}, nil)
	wantError(t, err, kernelext.Invalid, "batch -1")
	_, err = client.Steps(ctx, "r", 5, nil)
	wantError(t, err, kernelext.Unknown, `no run named "r"`)
	_, err = client.Curve(ctx, "r")
	wantError(t, err, kernelext.Unknown, `no run named "r"`)
	distillOn := smallRun
	distillOn.Teacher = "tiny"
	if _, err = client.Distill(ctx, "r", distillOn, nil); err != nil {
		t.Fatal(err)
	}
	_, err = client.Steps(ctx, "r", 0, nil)
	wantError(t, err, kernelext.Invalid, "names no end")
	_, err = client.Generate(ctx, "tiny", "", slm.Generation{Tokens: 5}, nil)
	wantError(t, err, kernelext.Invalid, "want a prompt")
	_, err = client.GenerateSubnet(ctx, "tiny", slm.Subnet{Embd: slm.First(1 << 20)}, "x", slm.Generation{Tokens: 5}, nil)
	wantError(t, err, kernelext.Invalid, "generate: ")
}

func TestSearchIsKeptAndReturnsAtOnce(t *testing.T) {
	home := newHome(t, nil)
	client := connect(t, "one")
	var events []kernelext.Event
	first, err := client.Search(t.Context(), "30M", smallSearch, func(e kernelext.Event) { events = append(events, e) })
	if err != nil {
		t.Fatal(err)
	}
	if !first.Done() || first.Search.Teacher != "tiny" || first.Teacher.Name != "tiny" {
		t.Errorf("search %+v with %d candidates", first.Search, len(first.Candidates))
	}
	last := events[len(events)-1]
	if last.Kind != kernelext.Candidate || last.Done != last.Total || last.Rate <= 0 || int(last.Total) != first.Search.Evaluations() {
		t.Errorf("last event %+v", last)
	}
	before := len(evaluations(t, home))
	second, err := client.Search(t.Context(), "30M", smallSearch, nil)
	if err != nil || !reflect.DeepEqual(first, second) {
		t.Errorf("the second call differs (%v)", err)
	}
	if after := len(evaluations(t, home)); after != before {
		t.Errorf("the second call made %d evaluations", after-before)
	}
}

func TestOtherOptionsUnderTheSameName(t *testing.T) {
	newHome(t, nil)
	client := connect(t, "one")
	ctx := t.Context()
	found, err := client.Search(ctx, "30M", smallSearch, nil)
	if err != nil {
		t.Fatal(err)
	}
	other := smallSearch
	other.Bin, other.Seed = slm.Around(33e6, 0.05), 7
	_, err = client.Search(ctx, "30M", other, nil)
	wantError(t, err, kernelext.Differs, `search "30M" exists`, "bin.upper: 31500000 in the lab, 34650000 here", "seed: 1 in the lab, 7 here", "another name")
	if strings.Contains(err.Error(), "population") {
		t.Errorf("error lists what is equal: %v", err)
	}

	distill(t, client, "run")
	changed := smallRun
	changed.Batch = 8
	if _, err := client.Distill(ctx, "run", changed, nil); err != nil { // it has no step yet
		t.Fatal(err)
	}
	distill(t, client, "run")
	if _, err := client.Steps(ctx, "run", 2, nil); err != nil {
		t.Fatal(err)
	}
	changed.Subnet = found.Best().Subnet
	_, err = client.Distill(ctx, "run", changed, nil)
	wantError(t, err, kernelext.Differs, `run "run" exists`, "batch: 4 in the lab, 8 here", "subnet: the whole teacher in the lab, sub-network")
	distill(t, client, "run")
}

func TestKilledHostRepeatsNoEvaluation(t *testing.T) {
	home := newHome(t, nil)
	whole, err := connect(t, "whole").Search(t.Context(), "30M", smallSearch, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(home, "evaluations")); err != nil {
		t.Fatal(err)
	}
	client, pid := connect(t, "killed"), status(t).PID
	var known []string
	_, err = client.Search(t.Context(), "30M", smallSearch, func(e kernelext.Event) {
		if e.Kind != kernelext.Candidate {
			return
		}
		known = append(known, evaluation(e.Candidate.Subnet, 1024))
		if len(known) == 8 {
			killHost(t, pid)
		}
	})
	wantError(t, err, "", "the host has gone", "run the cell again")
	var notes []string
	again, err := client.Search(t.Context(), "30M", smallSearch, func(e kernelext.Event) { // the same client starts a new host
		if e.Kind == kernelext.Note {
			notes = append(notes, e.Message)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(subnets(again), subnets(whole)) {
		t.Errorf("a search that was killed found\n%q, a whole one\n%q", subnets(again), subnets(whole))
	}
	counts := evaluations(t, home)
	for _, key := range known {
		if counts[key] != 1 {
			t.Errorf("sub-network %s was evaluated %d times", key, counts[key])
		}
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "continued after") {
		t.Errorf("notes %q", notes)
	}
}

func TestKilledHostContinuesFromTheCheckpoint(t *testing.T) {
	newHome(t, nil)
	whole := connect(t, "whole")
	distill(t, whole, "run")
	var last kernelext.Event
	want, err := whole.Steps(t.Context(), "run", 30, func(e kernelext.Event) { last = e })
	if err != nil {
		t.Fatal(err)
	}
	reached := last.Rate / float64(want.Distillation.StepTokens()) * float64(want.Distillation.StepFLOPs(want.Teacher))
	if last.FLOPs != want.FLOPs() || last.FLOPs == 0 || math.Abs(last.MFU-reached/fakePeak) > 1e-9*last.MFU {
		t.Errorf("the last event has %g FLOPs and MFU %g, want %g and %g", last.FLOPs, last.MFU, want.FLOPs(), reached/fakePeak)
	}
	client, pid := connect(t, "killed"), status(t).PID
	distill(t, client, "run")
	_, err = client.Steps(t.Context(), "run", 30, func(e kernelext.Event) {
		if e.Kind == kernelext.Point && e.Point.Step == 17 {
			killHost(t, pid)
		}
	})
	wantError(t, err, "", "the host has gone")
	client = connect(t, "killed")
	before, err := client.Curve(t.Context(), "run")
	if err != nil {
		t.Fatal(err)
	}
	var note string
	got, err := client.Steps(t.Context(), "run", 20, func(e kernelext.Event) {
		if e.Kind == kernelext.Note {
			note = e.Message
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if wantNote := fmt.Sprintf("continued from the checkpoint at step 10 (the host had stopped at step %d)", before.Steps()); note != wantNote {
		t.Errorf("note %q, want %q", note, wantNote)
	}
	if !reflect.DeepEqual(losses(got), losses(want)) {
		t.Errorf("points\n%v, want\n%v", losses(got), losses(want))
	}
}

func TestKilledBeforeTheFirstCheckpoint(t *testing.T) {
	newHome(t, nil)
	client := connect(t, "one")
	pid := status(t).PID
	distill(t, client, "run")
	_, err := client.Steps(t.Context(), "run", 30, func(e kernelext.Event) {
		if e.Kind == kernelext.Point && e.Point.Step == 4 {
			killHost(t, pid)
		}
	})
	wantError(t, err, "", "the host has gone")
	var note string
	c, err := client.Steps(t.Context(), "run", 5, func(e kernelext.Event) {
		if e.Kind == kernelext.Note {
			note = e.Message
		}
	})
	if err != nil || c.Steps() != 5 || !strings.Contains(note, "began again at step 0") {
		t.Errorf("%d steps, note %q (%v)", c.Steps(), note, err)
	}
}

// Named again after its host was killed, a run has the steps that its checkpoint has: no caller counts others as done.
func TestKilledRunIsNamedAtItsCheckpoint(t *testing.T) {
	for stop, want := range map[int]int{4: 0, 17: 10} {
		newHome(t, nil)
		client, pid := connect(t, "one"), status(t).PID
		distill(t, client, "run")
		_, err := client.Steps(t.Context(), "run", 30, func(e kernelext.Event) {
			if e.Kind == kernelext.Point && e.Point.Step == stop {
				killHost(t, pid)
			}
		})
		wantError(t, err, "", "the host has gone")
		var note string
		for range 2 {
			c, err := client.Distill(t.Context(), "run", smallRun, notes(&note))
			if err != nil || c.Steps() != want || len(c.Points) != want+1 {
				t.Errorf("killed at step %d, it has %d steps, %d points (%v), want step %d", stop, c.Steps(), len(c.Points), err, want)
			}
		}
		if strings.Count(note, fmt.Sprintf("back at step %d: the steps up to", want)) != 1 {
			t.Errorf("note %q", note)
		}
		if err := kernelext.StopHost(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// A run that begins with an exported student is another with another folder; once it has begun it needs the folder no more.
func TestAStartIsPartOfARun(t *testing.T) {
	newHome(t, nil)
	t.Chdir(t.TempDir())
	client, ctx := connect(t, "one"), t.Context()
	write(t, "a", "weights")
	d := smallRun
	d.From = "a" // from this process's folder
	c := must(t)(client.Distill(ctx, "run", d, nil))
	if from := c.Distillation; !filepath.IsAbs(from.From) || from.FromSHA256 != "weights" || from.Init != slm.FromExport {
		t.Errorf("it begins with %q (%s)", from.From, from.FromSHA256)
	}
	write(t, "a", "others")
	_, err := client.Steps(ctx, "run", 1, nil)
	wantError(t, err, kernelext.Invalid, "run run cannot begin", "changed since")
	must(t)(client.Distill(ctx, "run", d, nil))
	must(t)(client.Steps(ctx, "run", 1, nil))
	if err := os.Rename("a", "b"); err != nil {
		t.Fatal(err)
	}
	if c := must(t)(client.Distill(ctx, "run", d, nil)); c.Steps() != 1 || c.Distillation.FromSHA256 != "others" || !reflect.DeepEqual(c.Checkpoints, []int{0, 1}) {
		t.Errorf("named again: %d steps, checkpoints %v, %s", c.Steps(), c.Checkpoints, c.Distillation.FromSHA256)
	}
	d.From = "b"
	_, err = client.Distill(ctx, "run", d, nil)
	wantError(t, err, kernelext.Differs, "from: ", "/a\" in the lab", "/b\" here")
	d.From = ""
	_, err = client.Distill(ctx, "run", d, nil)
	wantError(t, err, kernelext.Differs, "from: ", "not set here", "init: \"export\" in the lab, \"teacher\" here")
}

// A step's point also tells what its validation took, and the checkpoint before it.
func TestPointsTellTheTimeOfParts(t *testing.T) {
	newHome(t, nil)
	client := connect(t, "one")
	distill(t, client, "run") // validates every 5 steps and saves every 10
	must(t)(client.Steps(t.Context(), "run", 12, nil))
	c := must(t)(client.Steps(t.Context(), "run", 2, nil))
	for _, p := range c.Points[1:] {
		s := p.Spent
		validated, saved := p.Step%5 == 0 || p.Step == 12 || p.Step == 14, p.Step == 11 || p.Step == 13
		if s.Data != 0.25 || s.Student != 0.5 || s.Teacher != 0 || (s.Validation > 0) != validated || (s.Checkpoint > 0) != saved {
			t.Errorf("step %d: %+v", p.Step, s)
		}
	}
}

func TestInterruptKeepsTheStepsAndTheNextCallContinuesInMemory(t *testing.T) {
	newHome(t, nil)
	client := connect(t, "one")
	distill(t, client, "run")
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	_, err := client.Steps(ctx, "run", 500, func(e kernelext.Event) {
		if e.Kind == kernelext.Point && e.Point.Step == 7 {
			interrupt()
		}
	})
	interrupted := (*kernelext.InterruptedError)(nil)
	if !errors.As(err, &interrupted) {
		t.Fatalf("error %v, want an InterruptedError", err)
	}
	kept, err := client.Curve(t.Context(), "run")
	if err != nil || kept.Steps() < 7 || kept.Steps() > 12 {
		t.Fatalf("%d steps are kept (%v), want about 7", kept.Steps(), err)
	}
	if want := fmt.Sprintf("stopped after step %d; run the cell again to continue", kept.Steps()); interrupted.Message != want {
		t.Errorf("message %q, want %q", interrupted.Message, want)
	}
	again, err := client.Steps(t.Context(), "run", 5, func(e kernelext.Event) {
		if e.Kind == kernelext.Note {
			t.Errorf("note %q: nothing was to be loaded", e.Message)
		}
	})
	if err != nil || again.Steps() != kept.Steps()+5 {
		t.Errorf("%d steps after %d and 5 (%v)", again.Steps(), kept.Steps(), err)
	}
	text, err := client.GenerateRun(t.Context(), "run", "x", slm.Generation{Tokens: 3}, nil)
	if want := fmt.Sprintf("x at step %d", again.Steps()); err != nil || text != want {
		t.Errorf("the student wrote %q (%v), want %q", text, err, want)
	}
}

// An importance is measured once, also over a restart of the host, for each aggregate and number of tokens.
func TestAnImportanceIsMeasuredOnce(t *testing.T) {
	home := newHome(t, nil)
	for range 2 {
		client := connect(t, "one")
		for _, tokens := range []int{512, 512, 1024} {
			got, err := client.Importance(t.Context(), "tiny", slm.Norm, tokens, nil)
			if err != nil || got.Method != "activation-norm" || len(got.Layers) == 0 {
				t.Fatalf("%+v, %v", got, err)
			}
		}
		if err := kernelext.StopHost(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(home, "importances"))
	if err != nil || string(text) != "activation-norm 512\nactivation-norm 1024\n" {
		t.Errorf("measured %q (%v)", text, err)
	}
	_, err = connect(t, "one").Importance(t.Context(), "tiny", "loudness", 512, nil)
	wantError(t, err, kernelext.Invalid, "loudness")
}

// A warm search keeps the loss before the steps beside the one after them.
func TestWarmSearchKeepsBothLosses(t *testing.T) {
	newHome(t, nil)
	warm := smallSearch
	warm.Warm = slm.Warm{Steps: 4}
	p, err := connect(t, "one").Search(t.Context(), "warm", warm, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range p.Candidates {
		if c.Loss != 2.25 || !(c.Untrained > 3) {
			t.Fatalf("candidate %d has loss %g, before training %g", c.ID, c.Loss, c.Untrained)
		}
	}
}

func TestInterruptedSearchContinues(t *testing.T) {
	home := newHome(t, nil)
	client := connect(t, "one")
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	_, err := client.Search(ctx, "30M", smallSearch, func(e kernelext.Event) {
		if e.Kind == kernelext.Candidate && e.Done == 3 {
			interrupt()
		}
	})
	wantError(t, err, "", "stopped after", "of 14 evaluations; run the cell again")
	if _, err := client.Search(t.Context(), "30M", smallSearch, nil); err != nil {
		t.Fatal(err)
	}
	for key, n := range evaluations(t, home) {
		if n != 1 {
			t.Errorf("sub-network %s was evaluated %d times", key, n)
		}
	}
}

func TestWorkStopsWhenItsClientIsGone(t *testing.T) {
	newHome(t, nil)
	watcher, client := connect(t, "one"), connect(t, "one")
	distill(t, client, "run")
	_, err := client.Steps(t.Context(), "run", 500, func(e kernelext.Event) {
		if e.Kind == kernelext.Point && e.Point.Step == 3 {
			client.Close()
		}
	})
	wantError(t, err, "", "the host has gone")
	eventually(t, "the job has ended", func() bool { return len(status(t).Jobs) == 0 })
	c, err := watcher.Curve(t.Context(), "run")
	if err != nil || c.Steps() < 3 || c.Steps() > 40 {
		t.Errorf("%d steps (%v), want some", c.Steps(), err)
	}
}

func TestOneJobAtATimeAndTheOthersWait(t *testing.T) {
	newHome(t, nil)
	first, second := connect(t, "one"), connect(t, "two")
	distill(t, first, "run")
	distill(t, second, "other")
	began, ended := make(chan struct{}), make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		_, err := first.Steps(ctx, "run", 500, func(e kernelext.Event) {
			if e.Kind == kernelext.Point && e.Point.Step == 1 {
				close(began)
			}
		})
		ended <- err
	}()
	<-began
	waited := ""
	_, err := second.Steps(t.Context(), "other", 2, func(e kernelext.Event) {
		if e.Kind == kernelext.Waiting {
			waited = e.Message
			if jobs := status(t).Jobs; len(jobs) != 2 || !jobs[0].Running || jobs[1].Running {
				t.Errorf("jobs %+v", jobs)
			}
			stop()
		}
	})
	if err != nil {
		t.Error(err)
	}
	if waited != "waiting for steps run of lab one" {
		t.Errorf("waited with %q", waited)
	}
	wantError(t, <-ended, "", "stopped after step")

	ctx, stop = context.WithTimeout(t.Context(), 0)
	defer stop()
	if _, err := second.Steps(ctx, "other", 2, nil); err == nil {
		t.Error("worked with a context that had ended")
	}
}

func TestFullDisk(t *testing.T) {
	home := newHome(t, nil)
	client := connect(t, "one")
	distill(t, client, "run")
	if _, err := client.Steps(t.Context(), "run", 10, nil); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(home, "full"), "")
	_, err := client.Steps(t.Context(), "run", 5, nil)
	wantError(t, err, kernelext.Unwritable, client.Folder(), "the disk is full", "stays at step 10", "free some space")
	if err := os.Remove(filepath.Join(home, "full")); err != nil {
		t.Fatal(err)
	}
	c, err := client.Steps(t.Context(), "run", 5, nil) // nothing was lost
	if err != nil || c.Steps() != 20 {
		t.Errorf("%d steps (%v), want 20", c.Steps(), err)
	}
}

func TestIdleStudentsLeaveMemory(t *testing.T) {
	newHome(t, map[string]string{"OFFSHOOT_TRAINERS": "2"})
	client := connect(t, "one")
	for _, name := range []string{"a", "b", "c"} {
		distill(t, client, name)
		if _, err := client.Steps(t.Context(), name, 2, nil); err != nil {
			t.Fatal(err)
		}
	}
	var held []string
	for _, r := range status(t).Runs {
		held = append(held, r.Name)
	}
	if !reflect.DeepEqual(held, []string{"b", "c"}) {
		t.Errorf("in memory: %q, want b and c", held)
	}
	c, err := client.Steps(t.Context(), "a", 2, nil)
	if err != nil || c.Steps() != 4 {
		t.Errorf("%d steps (%v), want 4", c.Steps(), err)
	}
}

func TestAPanicEndsTheJobOnly(t *testing.T) {
	home := newHome(t, nil)
	putTeacher(t, home, "tiny", `{"Panic": true}`)
	client := connect(t, "one")
	_, err := client.Teacher(t.Context(), "tiny", nil)
	wantError(t, err, kernelext.Internal, "as the test asked", "lab logs")
	if jobs := status(t).Jobs; len(jobs) != 0 {
		t.Errorf("jobs %+v", jobs)
	}
}

func TestAPanicInAStepGoesBackToTheCheckpoint(t *testing.T) {
	home := newHome(t, nil)
	putTeacher(t, home, "tiny", `{"Break": 13}`)
	client := connect(t, "one")
	distill(t, client, "run")
	_, err := client.Steps(t.Context(), "run", 20, nil)
	wantError(t, err, kernelext.Internal, "halfway")
	var note string
	c, err := client.Steps(t.Context(), "run", 2, func(e kernelext.Event) {
		if e.Kind == kernelext.Note {
			note = e.Message
		}
	})
	if err != nil || c.Steps() != 12 || !strings.Contains(note, "from the checkpoint at step 10") {
		t.Errorf("%d steps, note %q (%v)", c.Steps(), note, err)
	}
}

func TestRecordsComeInPages(t *testing.T) {
	home := newHome(t, nil)
	putTeacher(t, home, "tiny", `{"Wait": 0}`)
	client := connect(t, "one")
	for name, search := range map[string]slm.Search{
		"many":  {Population: 620, Generations: 1, Offspring: 400},
		"large": {Space: slm.FineLayerWise, Population: 500, Generations: slm.InitialOnly}, // 10 MB of index sets
	} {
		search.Bin = slm.Around(30e6, 0.05)
		p, err := client.Search(t.Context(), name, search, nil)
		if err != nil {
			t.Fatal(err)
		}
		if n := search.WithDefaults().Evaluations(); len(p.Candidates) != n || p.Candidates[n-1].ID != n-1 {
			t.Errorf("%s: %d candidates, want %d", name, len(p.Candidates), n)
		}
	}
}

func TestStatusWhileWorking(t *testing.T) {
	newHome(t, nil)
	client := connect(t, "one")
	distill(t, client, "run")
	seen := false
	if _, err := client.Steps(t.Context(), "run", 3, func(e kernelext.Event) {
		if e.Kind == kernelext.Point && e.Point.Step == 2 {
			s := status(t)
			seen = len(s.Jobs) == 1 && s.Jobs[0].Verb == "steps" && s.Jobs[0].Total == 3 && s.Jobs[0].Unit == "steps" && s.Jobs[0].Rate > 0 && len(s.Devices) == 1 && len(s.Teachers) == 0 && len(s.Runs) == 1 // its loss needs no teacher
			if !seen {
				t.Errorf("status %+v", s)
			}
			if time.Since(s.Started) > time.Minute || s.Uptime() < 0 {
				t.Errorf("started %s", s.Started)
			}
		}
	}); err != nil || !seen {
		t.Errorf("seen %t (%v)", seen, err)
	}
}
