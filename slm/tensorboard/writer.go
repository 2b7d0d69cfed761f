// Package tensorboard writes a run's curve as files of events, which TensorBoard and its like read while they grow:
//
//	tensorboard.Write("tensorboard/from-30M", run.Curve) // in a cell; then, in a terminal: tensorboard --logdir tensorboard
//
// A folder holds one run. What it lacks is added in a new file, as TensorFlow does it after an interruption, so that a record that
// was cut off when a process was killed harms nothing. No step is written twice, unless the run has gone back and taken it anew:
// then an event tells readers to forget the old one and those after it.
package tensorboard

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

// Writer adds the steps of a run to a folder. It is for one goroutine at a time, and for one process.
type Writer struct {
	dir   string
	run   slm.Curve     // without its points
	file  *os.File      // nil until there is something to write
	last  int           // step that is written; -1 before the first
	flops map[int]int64 // up to a step
	now   func() time.Time
}

// Write brings a folder in line with a run: see [Open].
func Write(dir string, run slm.Curve) error {
	w, err := Open(dir, run)
	if err != nil {
		return err
	}
	return w.Close()
}

// Open makes a folder, or goes on with one, and writes what it lacks of the run's points: all that come after the first that differs.
// A run that has gone back behind what is written is brought in line when its next step is.
func Open(dir string, run slm.Curve) (*Writer, error) { return open(dir, run, time.Now) }

func open(dir string, run slm.Curve, now func() time.Time) (*Writer, error) {
	written, err := readFolder(dir)
	if err != nil {
		return nil, fmt.Errorf("tensorboard %s: %w", dir, err)
	}
	w := &Writer{dir: dir, run: run, last: -1, flops: map[int]int64{}, now: now}
	for step := range written {
		w.last = max(w.last, int(step))
	}
	points := run.Points
	w.run.Points = nil
	same := 0
	for same < len(points) && bytes.Equal(written[int64(points[same].Step)], w.summary(points[same])) {
		same++
	}
	at := moments(points, now())
	for i, p := range points[same:] {
		p.Time = at[same+i]
		if err := w.Add(p); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	return w, nil
}

// moments are the times of points. Older labs have none: they are counted back from the next by what the steps took.
func moments(points []slm.Point, next time.Time) []time.Time {
	out := make([]time.Time, len(points))
	for i, p := range slices.Backward(points) {
		if out[i] = p.Time; p.Time.IsZero() {
			out[i] = next
		}
		next = out[i].Add(-time.Duration(p.Seconds * float64(time.Second)))
	}
	return out
}

// Add writes a point; it is in the file when Add returns.
func (w *Writer) Add(p slm.Point) error {
	if p.Time.IsZero() {
		p.Time = w.now()
	}
	var records []byte
	if w.file == nil {
		if err := w.create(p.Time); err != nil {
			return fmt.Errorf("tensorboard %s: %w", w.dir, err)
		}
		records = appendRecord(records, versionEvent(p.Time))
	}
	if p.Step <= w.last {
		records = appendRecord(records, startEvent(p.Time, p.Step))
	}
	records = appendRecord(records, summaryEvent(p.Time, p.Step, w.summary(p)))
	if _, err := w.file.Write(records); err != nil {
		return fmt.Errorf("tensorboard %s: %w", w.dir, err)
	}
	w.last = p.Step
	return nil
}

// Close closes the file.
func (w *Writer) Close() error {
	if w.file == nil {
		return nil
	}
	return w.file.Close()
}

// summary is a point's scalars. What was not measured is left out.
func (w *Writer) summary(p slm.Point) (b []byte) {
	var flops, perplexity, rate float64
	if d := w.run.Distillation.At(p.Step-1, w.run.Changes); p.Step > 0 {
		w.flops[p.Step] = w.flops[p.Step-1] + d.StepFLOPs(w.run.Teacher)
		flops = float64(w.flops[p.Step])
		if p.Seconds > 0 {
			rate = float64(d.StepTokens()) / p.Seconds
		}
	}
	if p.Validation != 0 {
		perplexity = math.Exp(p.Validation)
	}
	type scalar struct {
		tag   string
		value float64
	}
	scalars := []scalar{
		{"loss/train", p.Loss}, {"loss/cross_entropy", p.CE}, {"loss/validation", p.Validation}, {"perplexity/validation", perplexity},
		{"training/learning_rate", p.Rate}, {"training/gradient_norm", p.GradNorm},
		{"cost/tokens", float64(p.Tokens)}, {"cost/flops", flops}, {"cost/tokens_per_second", rate},
	}
	for _, part := range p.Spent.Parts() {
		scalars = append(scalars, scalar{"seconds/" + part.Name, part.Seconds})
	}
	for _, scalar := range scalars {
		if scalar.value != 0 {
			b = appendScalar(b, scalar.tag, scalar.value)
		}
	}
	return b
}
