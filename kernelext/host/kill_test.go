package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

const (
	kills       = 20
	killedSteps = 320
	changedAt   = 120 // the step after which the run has another loss and schedule
)

// killedRun keeps its teacher's logits, gathers the gradients of two batches in a step, and has a checkpoint every few steps.
var (
	killedRun = slm.Distillation{Teacher: "tiny", Subnet: slm.Subnet{Embd: slm.First(48), Layers: []slm.LayerSubnet{{Layer: 0, FFN: slm.First(96)}}},
		Loss: slm.CE(0.3).Plus(slm.ForwardKL(0.7).Top(8)), KeepLogits: true, Batch: 2, SeqLen: 16, Accumulate: 2,
		Schedule: slm.Schedule{Peak: 3e-3, Warmup: 10, Horizon: killedSteps, Final: 0.1}, EvalEvery: 1000, EvalTokens: 64, SaveEvery: 4}
	killedChange = slm.Change{Loss: slm.CE(0.6).Plus(slm.ForwardKL(0.4).Top(8)), Schedule: slm.Schedule{Peak: 1e-3, Warmup: 10, Horizon: killedSteps, Final: 0.5}}
)

// A run whose host is killed twenty times, at any moment and while it writes checkpoints, ends in the weights, the optimizer's
// state and the curve of a run that nobody disturbed, bit for bit.
func TestKilledRunEndsInTheSameWeights(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a host 22 times; -short")
	}
	text := storiesFile(t)
	killed := trainKilled(t, text, kills, killedSteps)
	whole := trainKilled(t, text, 0, killed.ends...)
	t.Logf("killed %d times in %d steps: %d while it started, %d while it wrote a checkpoint", killed.kills, killed.curve.Steps(), killed.starting, killed.writing)
	if killed.kills != kills {
		t.Errorf("killed %d times, want %d", killed.kills, kills)
	}
	if killed.starting == 0 || killed.writing == 0 {
		t.Error("no kill hit one of them")
	}
	for _, file := range []string{"student/model.safetensors", "labs/lab/runs/run/checkpoint.safetensors"} {
		if !bytes.Equal(fileOf(t, killed.home, file), fileOf(t, whole.home, file)) {
			t.Errorf("%s differs", file)
		}
	}
	if got, want := losses(killed.curve), losses(whole.curve); got != want {
		t.Errorf("the killed run's curve is\n%s\nwant\n%s", got, want)
	}
}

// losses are a curve's points without the times.
func losses(c slm.Curve) string {
	var out strings.Builder
	for _, p := range c.Points {
		p.Seconds, p.Spent, p.Time = 0, slm.Spent{}, time.Time{}
		fmt.Fprintf(&out, "%+v\n", p)
	}
	return out.String()
}

// killedLab is a lab of its own whose host is killed.
type killedLab struct {
	home              string
	client            *kernelext.Client
	curve             slm.Curve
	random            *rand.Rand
	ends              []int // steps that it went on to, one after the other
	most              int   // kills to come
	kills             int
	starting, writing int // of them, before the first step of an increment, and in the midst of a checkpoint
}

// trainKilled trains the run in a new home, to one step after the other, and exports its student. On a machine so busy that the
// kills come late, the run goes on until all have come.
func trainKilled(t *testing.T, text string, most int, ends ...int) *killedLab {
	t.Helper()
	l := &killedLab{random: rand.New(rand.NewPCG(1, 0)), most: most}
	l.home, l.client = newLab(t)
	var err error
	d := killedRun
	d.Data = slm.Data{Paths: []string{text}}
	l.reach(t, d, changedAt)
	if l.curve, err = l.client.Change(t.Context(), "run", killedChange, nil); err != nil {
		t.Fatal(err)
	}
	for l.ends = ends; ; l.ends = append(l.ends, l.curve.Steps()+40) {
		for _, end := range l.ends {
			l.reach(t, d, end)
		}
		if l.kills == l.most || len(l.ends) == 50 {
			break
		}
	}
	if _, err := l.client.ExportRun(t.Context(), "run", kernelext.Export{Dir: filepath.Join(l.home, "student")}, nil); err != nil {
		t.Fatal(err)
	}
	return l
}

// reach trains the run up to a step, as a cell does that is run again after each kill.
func (l *killedLab) reach(t *testing.T, d slm.Distillation, step int) {
	t.Helper()
	for {
		var err error
		if l.curve, err = l.client.Distill(t.Context(), "run", d, nil); err != nil {
			t.Fatal(err)
		}
		if l.curve.Steps() >= step {
			return
		}
		if err := l.train(t.Context(), step-l.curve.Steps()); err != nil {
			t.Fatalf("at step %d, after %d kills: %v", l.curve.Steps(), l.kills, err)
		}
	}
}

// train takes some more steps, or fewer when the host is killed.
func (l *killedLab) train(ctx context.Context, steps int) error {
	status, err := l.client.Status(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	taken, struck, first, before := make(chan int, steps), make(chan bool, 1), true, l.temporaries()
	go func() { struck <- l.kills < l.most && l.strike(ctx, status.PID, taken, before) }()
	_, err = l.client.Steps(context.WithoutCancel(ctx), "run", steps, func(e kernelext.Event) {
		if e.Kind == kernelext.Point && e.Point.Step > 0 {
			first = false
			taken <- e.Point.Step
		}
	})
	cancel()
	if !<-struck {
		return err
	}
	l.kills++
	if first {
		l.starting++
	}
	if l.writes(before) {
		l.writing++
	}
	l.client.Close() // the next call finds that the host has gone, and starts another
	for !errors.Is(err, kernelext.ErrNoHost) {
		_, err = kernelext.HostStatus(context.WithoutCancel(ctx))
	}
	return nil
}

// temporaries are the checkpoints that are being written, or were when their host was killed.
func (l *killedLab) temporaries() []string {
	found, _ := filepath.Glob(filepath.Join(l.home, "labs", "lab", "runs", "run", ".checkpoint.safetensors.*.tmp"))
	return found
}

// writes reports a checkpoint in writing that was not before.
func (l *killedLab) writes(before []string) bool {
	return slices.ContainsFunc(l.temporaries(), func(name string) bool { return !slices.Contains(before, name) })
}

// strike kills the host: every fourth time within two seconds of the increment's beginning, in which it loads and compiles; else
// after some steps, at any moment of the next or as soon as a checkpoint is being written. It reports whether it did before ctx
// ended.
func (l *killedLab) strike(ctx context.Context, pid int, taken <-chan int, before []string) bool {
	if l.kills%4 == 0 {
		return l.sleep(ctx, 2*time.Second) && syscall.Kill(pid, syscall.SIGKILL) == nil
	}
	for range 1 + l.random.IntN(24) {
		select {
		case <-taken:
		case <-ctx.Done():
			return false
		}
	}
	if l.kills%4 == 1 {
		return l.sleep(ctx, 20*time.Millisecond) && syscall.Kill(pid, syscall.SIGKILL) == nil
	}
	for !l.writes(before) {
		time.Sleep(50 * time.Microsecond)
		if ctx.Err() != nil {
			return false
		}
	}
	return syscall.Kill(pid, syscall.SIGKILL) == nil
}

// sleep waits for a random time, or until ctx ends.
func (l *killedLab) sleep(ctx context.Context, most time.Duration) bool {
	select {
	case <-time.After(time.Duration(l.random.Int64N(int64(most)))):
		return true
	case <-ctx.Done():
		return false
	}
}
