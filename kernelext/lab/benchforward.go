package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
)

var nan = math.NaN()

func cores() int { return runtime.NumCPU() }

// The forward passes that are compared: windows of 256 tokens, 4 at once, float32.
const (
	forwardSeq         = 256
	forwardBatch       = 4
	forwardRepetitions = 15
)

// forwardBench is the speed of forward passes, in predicted tokens a second, beside that of transformers in the same run.
type forwardBench struct {
	Ours         []ask.Passed `json:"ours"`
	Transformers []ask.Passed `json:"transformers"`
	Ratio        float64      `json:"ratio,omitzero"` // how many times as fast as transformers
}

// rate is the median speed of passes in tokens a second.
func rate(passes []ask.Passed) float64 {
	return forwardBatch * (forwardSeq - 1) / medianSeconds(passes)
}

// compare sets the ratio: the median over the turns of both, since a machine's clock drifts by more than the two differ.
// It is an error if they did not compute the same.
func (f *forwardBench) compare() error {
	ratios := make([]float64, len(f.Transformers))
	for i, theirs := range f.Transformers {
		ratios[i] = theirs.Seconds / f.Ours[i].Seconds
		if a, b := f.Ours[i].Loss, theirs.Loss; !(math.Abs(a-b) < 1e-3) {
			return fmt.Errorf("the loss is %g, that of transformers %g", a, b)
		}
	}
	f.Ratio = medianOf(ratios)
	return nil
}

func (f *forwardBench) print(w io.Writer, skipped string) {
	how := fmt.Sprintf("windows of %d, batch %d, float32, median of %d", forwardSeq, forwardBatch, len(f.Ours))
	fmt.Fprintf(w, "forward, %s\t%.0f tokens/s\t%s\n", benchTeacher, rate(f.Ours), how)
	if skipped != "" {
		fmt.Fprintf(w, "forward, transformers\tskipped\t%s\n", skipped)
		return
	}
	fmt.Fprintf(w, "forward, transformers\t%.0f tokens/s\ttaking turns with the line above, on the same cores\n", rate(f.Transformers))
	fmt.Fprintf(w, "ratio\t%.2f\tours over that of transformers, median over the turns\n", f.Ratio)
}

// referencesPython is the Python that has transformers; "" when there is none.
func (l *lab) referencesPython() string { return referencePrograms().chosen(l, referencesVariable) }

// measureForward lets the two take turns: neither computes while the other does.
func (l *lab) measureForward(ctx context.Context) (f *forwardBench, skipped string, err error) {
	f = &forwardBench{}
	ours, err := l.host("measure", "--model", benchTeacher, "--what", ask.Forward, "--seq", fmt.Sprint(forwardSeq), "--batch", fmt.Sprint(forwardBatch))
	if err != nil {
		return nil, "", err
	}
	racers := []*racer{{name: "ours", cmd: ours, passes: &f.Ours}}
	if python := l.referencesPython(); python == "" {
		skipped = "needs PyTorch: lab setup --references"
	} else {
		script, err := l.script("forward.py")
		if err != nil {
			return nil, "", err
		}
		theirs := exec.Command(python, script, l.benchFile(benchTeacher), fmt.Sprint(forwardSeq), fmt.Sprint(forwardBatch))
		racers = append(racers, &racer{name: "transformers", cmd: theirs, passes: &f.Transformers})
	}
	if err := race(ctx, racers, forwardRepetitions); err != nil {
		return nil, "", err
	}
	if skipped == "" {
		err = f.compare()
	}
	return f, skipped, err
}

// racer is a process that makes a pass when it is given a line, and answers with one.
type racer struct {
	name   string
	cmd    *exec.Cmd
	passes *[]ask.Passed

	turn    io.WriteCloser
	answers *os.File
	lines   *bufio.Scanner // of answers
	ended   chan error
}

// settle is the pause between turns: idle threads of the last pass stop spinning.
const settle = 300 * time.Millisecond

// race starts the processes, lets each warm up, and then gives them turns.
func race(ctx context.Context, racers []*racer, turns int) error {
	return running(ctx, racers, func() error {
		for _, r := range racers {
			for range 2 { // the first pass compiles
				if _, err := r.pass(); err != nil {
					return err
				}
			}
		}
		for range turns {
			for _, r := range racers {
				time.Sleep(settle)
				passed, err := r.pass()
				if err != nil {
					return err
				}
				*r.passes = append(*r.passes, passed)
			}
		}
		return nil
	})
}

// running starts the processes, does something with them, and ends them.
func running(ctx context.Context, racers []*racer, do func() error) (err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer func() {
		for _, r := range racers {
			if stopped := r.end(); err == nil && stopped != nil {
				err = fmt.Errorf("%s: %w", r.name, stopped)
			}
		}
		if ctx.Err() != nil {
			err = ctx.Err()
		}
	}()
	for _, r := range racers {
		if err := r.start(ctx); err != nil {
			return err
		}
	}
	return do()
}

// start waits until the process has loaded its model, and says so by a line.
func (r *racer) start(ctx context.Context) error {
	var err error
	if r.turn, err = r.cmd.StdinPipe(); err != nil {
		return err
	}
	answers, write, err := os.Pipe()
	if err != nil {
		return err
	}
	r.cmd.Stdout, r.answers, r.lines, r.ended = write, answers, bufio.NewScanner(answers), make(chan error, 1)
	go func() {
		err := supervise(ctx, r.cmd, 30*time.Second)
		write.Close() // ends the answers
		r.ended <- err
	}()
	return r.read(new(ask.Loaded))
}

func (r *racer) pass() (p ask.Passed, err error) { return p, r.ask("", &p) }

// ask gives the process a line and reads its answer.
func (r *racer) ask(line string, into any) error {
	if _, err := io.WriteString(r.turn, line+"\n"); err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	return r.read(into)
}

func (r *racer) read(into any) error {
	if !r.lines.Scan() {
		return fmt.Errorf("%s: %w", r.name, errors.Join(errors.New("it ended early"), r.lines.Err()))
	}
	return json.Unmarshal(r.lines.Bytes(), into)
}

// end closes the process's input, which ends it, and waits for that.
func (r *racer) end() error {
	if r.ended == nil {
		return nil
	}
	r.turn.Close()
	defer r.answers.Close()
	return <-r.ended
}
