package resident

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// heldRun is a student's training state in memory: the next cell goes on without loading or compiling.
type heldRun struct {
	lab, name string
	teacher   *heldTeacher
	trainer   Trainer
	d         slm.Distillation
	drift     slm.Drift
	bytes     int64 // of the trainer, as of its last use
	steps     int
	saved     int     // step of the checkpoint on disk; -1 without one
	saving    float64 // seconds that checkpoints took since the last step
}

// distillWork names a run, or checks that its name stands for the same options.
func (h *Host) distillWork(j *job) (any, error) {
	l, err := h.lab(j.whole(), j.Lab)
	if err != nil {
		return nil, err
	}
	ctx := j.whole()
	if j.request.Distillation == nil {
		return nil, kernelext.Errorf(kernelext.Invalid, "run %s: no options were sent", j.Name)
	}
	asked := j.request.Distillation.WithDefaults()
	c, found, err := l.run(ctx, j.Name)
	if err != nil {
		return nil, err
	}
	if asked.Teacher == "" && found {
		asked.Teacher = c.Distillation.Teacher
	} else if asked.Teacher == "" {
		if asked.Teacher, err = h.soleTeacher(ctx, l); err != nil {
			return nil, err
		}
	}
	last, err := h.inLine(j, l, j.Name)
	if err != nil {
		return nil, err
	}
	if err := h.start(j, l, &asked, c, last >= 0); err != nil {
		return nil, err
	}
	if found {
		asked.Subnet = asked.Subnet.Normalize(c.Teacher)
		lines := Differences(c.Distillation, asked)
		if len(lines) == 0 {
			return kernelext.Summary{Done: int64(max(0, last))}, nil
		}
		if last >= 0 {
			return nil, taken("run", j.Name, lines)
		}
	}
	config, err := h.config(j, l, asked.Teacher)
	if err != nil {
		return nil, err
	}
	if err := asked.Validate(config); err != nil {
		return nil, kernelext.Errorf(kernelext.Invalid, "%v", err)
	}
	asked.Subnet = asked.Subnet.Normalize(config)
	c = slm.Curve{Name: j.Name, Teacher: config, Distillation: asked, Parameters: asked.Subnet.Parameters(config).Total()}
	if found { // another run had the name, and never took a step
		if err := j.acquire(); err != nil {
			return nil, err
		}
		h.dropRun(j.Lab, j.Name)
	}
	return kernelext.Summary{}, unwritable(l.folder, l.putRun(ctx, c))
}

// start fills in what the folder of an exported student says of a run that begins with it. One that has begun has its weights,
// whatever became of the folder.
func (h *Host) start(j *job, l *lab, asked *slm.Distillation, there slm.Curve, begun bool) error {
	if asked.Init != slm.FromExport || asked.From == "" {
		return nil
	}
	if begun {
		asked.FromSHA256 = there.Distillation.FromSHA256
		if asked.Subnet.IsZero() {
			asked.Subnet = there.Distillation.Subnet
		}
		return nil
	}
	config, err := h.config(j, l, asked.Teacher)
	if err != nil {
		return err
	}
	s, err := h.engine.Start(j.whole(), asked.From, config, asked.Subnet)
	if err != nil {
		return kernelext.Errorf(kernelext.Invalid, "run %s cannot begin with the student in %s: %v", j.Name, asked.From, err)
	}
	asked.Subnet, asked.FromSHA256 = s.Subnet, s.SHA256
	return nil
}

// stepsWork trains a run for some more steps.
func (h *Host) stepsWork(j *job) (any, error) {
	if j.request.Until == nil {
		return nil, kernelext.Errorf(kernelext.Invalid, "run %s: no end of the training was sent", j.Name)
	}
	if err := j.request.Until.Validate(); err != nil {
		return nil, kernelext.Errorf(kernelext.Invalid, "run %s: %v", j.Name, err)
	}
	l, err := h.lab(j.whole(), j.Lab)
	if err != nil {
		return nil, err
	}
	r, err := h.student(j, l, j.Name)
	if err != nil {
		return nil, err
	}
	if err := r.trainer.Spread(cmp.Or(j.request.Devices, 1)); err != nil {
		return nil, kernelext.Errorf(kernelext.Invalid, "run %s: %v", j.Name, err)
	}
	h.mu.Lock()
	r.bytes = r.trainer.Bytes()
	h.mu.Unlock()
	return h.train(j, l, r)
}

// student brings a run's training state into memory, and its records in line with it.
func (h *Host) student(j *job, l *lab, name string) (*heldRun, error) {
	ctx := j.whole()
	c, found, err := l.run(ctx, name)
	if err != nil || !found {
		return nil, l.noSuch(ctx, err, "run", name, l.runs)
	}
	t, err := h.openTeacher(j, l, c.Distillation.Teacher) // from here on the job holds the accelerator
	if err != nil {
		return nil, err
	}
	if r := h.heldRun(l.name, name); r != nil {
		return r, nil
	}
	h.makeRoom(h.settings.IdleTrainers - 1)
	j.progress(kernelext.Event{Message: "preparing the student"})
	begin := time.Now()
	trainer, err := t.Trainer(j.whole(), c.Distillation, j.report())
	if err != nil {
		return nil, err
	}
	r := &heldRun{lab: l.name, name: name, teacher: t, trainer: trainer, d: c.Distillation, saved: -1}
	if err := h.restore(j, l, r, c.Changes); err != nil {
		trainer.Close()
		return nil, err
	}
	r.bytes, r.steps = trainer.Bytes(), trainer.Steps()
	h.mu.Lock()
	h.runs = append(h.runs, r)
	h.mu.Unlock()
	h.log.Info("student ready", "lab", l.name, "run", name, "step", r.steps, "bytes", r.bytes, "took", time.Since(begin).Round(time.Millisecond))
	return r, nil
}

// restore goes back to the checkpoint, drops the points whose weights are lost, and says so.
func (h *Host) restore(j *job, l *lab, r *heldRun, changes []slm.Change) error {
	path := l.checkpoint(r.name)
	last, err := l.lastStep(j.whole(), r.name)
	if err != nil {
		return err
	}
	switch err := r.trainer.Load(path); {
	case errors.Is(err, fs.ErrNotExist):
		if err := r.trainer.Begin(j.whole()); err != nil {
			return kernelext.Errorf(kernelext.Invalid, "run %s cannot begin: %v", r.name, err)
		}
		if last > 0 {
			j.note("began again at step 0: the host had stopped at step %d, before the first checkpoint", last)
		}
	case err != nil:
		return kernelext.Errorf(kernelext.Internal, "the checkpoint %s cannot be read: %v; bring a copy back, or begin a run under another name", path, err)
	default:
		r.saved = r.trainer.Steps()
		if last > r.saved {
			j.note("continued from the checkpoint at step %d (the host had stopped at step %d)", r.saved, last)
		} else {
			j.note("continued from the checkpoint at step %d", r.saved)
		}
	}
	if err := r.trainer.Follow(changes); err != nil {
		return err
	}
	if err := l.dropPoints(j.whole(), r.name, r.trainer.Steps()); err != nil {
		return unwritable(l.folder, err)
	}
	return r.remember(j.whole(), l)
}

// remember looks at the points so far, in which a drift may have begun.
func (r *heldRun) remember(ctx context.Context, l *lab) error {
	points, err := l.points(ctx, r.name, 0, 1<<24)
	r.drift = slm.Drift{}
	for _, p := range points {
		r.drift.Add(p)
	}
	return err
}

// train does the steps of one increment.
func (h *Host) train(j *job, l *lab, r *heldRun) (any, error) {
	first := r.trainer.Steps()
	_, c, err := h.runOf(j, r.name)
	if err != nil {
		return nil, err
	}
	peak, err := h.engine.Peak(j.whole(), c.Distillation.Type, cmp.Or(j.request.Devices, 1))
	if err != nil {
		h.log.Warn("no model FLOPs utilisation", "error", err)
	}
	g := newGoal(*j.request.Until, c, first, peak)
	last, err := h.pointZero(j, l, r)
	if err != nil {
		return nil, err
	}
	if g.Reached(last.Validation) {
		j.note("%s", g.judge(last))
		return kernelext.Summary{Done: int64(first)}, nil
	}
	var pace pace
	for done := false; !done; {
		if j.boundary() {
			return nil, h.stopRun(l, r)
		}
		clock := time.Now()
		var p slm.Point
		if p, done, err = h.step(j, l, r, g); err != nil {
			return nil, err
		}
		pace.add(time.Since(clock).Seconds())
		j.progress(g.event(p, pace))
	}
	if err := h.save(l, r); err != nil {
		return nil, err
	}
	steps := r.trainer.Steps()
	return kernelext.Summary{Done: int64(steps), New: int64(steps - first), Seconds: time.Since(g.began).Seconds()}, nil
}

// pointZero records the student before training, and returns the last point that there is.
func (h *Host) pointZero(j *job, l *lab, r *heldRun) (p slm.Point, err error) {
	last, err := l.lastStep(j.whole(), r.name)
	if err != nil {
		return p, err
	}
	if last >= 0 {
		points, err := l.points(j.whole(), r.name, last, 1)
		if err == nil && len(points) > 0 {
			p = points[0]
		}
		return p, err
	}
	j.progress(kernelext.Event{Message: "measuring the student before training"})
	loss, err := r.trainer.Validate(j.whole())
	if err != nil {
		return p, err
	}
	if !finite(loss) {
		return p, fmt.Errorf("the student's loss before training is %g, not a finite number", loss)
	}
	if r.d.Init == slm.FromExport { // from here on the folder is not needed
		if err := h.save(l, r); err != nil {
			return p, err
		}
	}
	p = slm.Point{Validation: loss, Time: pointTime()}
	if err := l.addPoint(j.whole(), r.name, p); err != nil {
		return p, unwritable(l.folder, err)
	}
	j.publish(kernelext.Event{Kind: kernelext.Point, Point: &p})
	return p, nil
}

// step does one step, validates and saves when that is due, and records the point. done says that the increment ends with it.
func (h *Host) step(j *job, l *lab, r *heldRun, g *goal) (p slm.Point, done bool, err error) {
	whole := false
	defer func() {
		if !whole { // a panic: what is in memory is half a step further
			h.dropRun(l.name, r.name)
		}
	}()
	loaded := r.teacher.Bytes() > 0
	p, err = r.trainer.Step(j.whole(), j.report())
	whole = true
	if err != nil {
		return p, false, h.lost(l, r, err)
	}
	if !loaded && r.teacher.Bytes() > 0 {
		j.note("loaded %s: its logits are not kept for step %d", r.teacher.info.Config.Name, p.Step)
	}
	p.Spent.Checkpoint, r.saving = r.saving, 0
	done = g.ends(p.Step)
	if p.Step%r.d.EvalEvery == 0 || done {
		begin := time.Now()
		if p.Validation, err = r.trainer.Validate(j.whole()); err != nil {
			return p, false, h.lost(l, r, err)
		}
		p.Spent.Validation = time.Since(begin).Seconds()
	}
	if !finite(p.Loss, p.CE, p.Validation, p.GradNorm) {
		return p, false, h.lost(l, r, fmt.Errorf("the loss of step %d is not a finite number (%g): undo to an earlier step, and try a lower learning rate", p.Step, p.Loss))
	}
	if r.drift.Add(p) {
		return p, false, h.drifted(l, r, p)
	}
	if said := g.judge(p); said != "" {
		j.note("%s", said)
		done = true
	}
	p.Time = pointTime()
	if err := l.addPoint(j.whole(), r.name, p); err != nil {
		return p, false, h.kept(l, r, err)
	}
	h.mu.Lock()
	r.steps = p.Step
	h.mu.Unlock()
	if p.Step%r.d.SaveEvery == 0 && !done {
		return p, false, h.save(l, r)
	}
	return p, done, nil
}

// pointTime is the time of a point that is recorded now.
func pointTime() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

func finite(values ...float64) bool {
	return !slices.ContainsFunc(values, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
}

// save replaces the checkpoint.
func (h *Host) save(l *lab, r *heldRun) error {
	if r.saved == r.trainer.Steps() {
		return nil
	}
	begin, path := time.Now(), l.checkpoint(r.name)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = r.trainer.Save(path)
	}
	if err != nil {
		return h.kept(l, r, err)
	}
	took := time.Since(begin)
	r.saved, r.saving = r.trainer.Steps(), r.saving+took.Seconds()
	if err := l.keep(r.name, r.saved); err != nil { // the run is safe; only going back to this step is not possible
		h.log.Warn("checkpoint not kept", "lab", l.name, "run", r.name, "step", r.saved, "error", err)
	}
	h.log.Info("checkpoint", "lab", l.name, "run", r.name, "step", r.saved, "took", took.Round(time.Millisecond))
	return nil
}

// kept is the error of a disk that takes no more: memory still has all steps.
func (h *Host) kept(l *lab, r *heldRun, err error) error {
	return fmt.Errorf("run %s: the checkpoint on disk stays at step %d: %w", r.name, max(0, r.saved), unwritable(l.folder, err))
}

// drifted takes a run whose loss has risen back to the last checkpoint before that, and says what to try.
func (h *Host) drifted(l *lab, r *heldRun, p slm.Point) error {
	h.dropRun(l.name, r.name)
	best, loss := r.drift.Good()
	step, err := l.keptUpTo(r.name, best)
	if err == nil {
		err = l.goBack(context.Background(), r.name, step)
	}
	said := fmt.Sprintf("run %s: the training loss has risen from %.2f at step %d to %.2f at step %d", r.name, loss, best, r.drift.Smoothed(), p.Step)
	if err != nil {
		return fmt.Errorf("%s, and there is no going back: %w; try a lower learning rate under another name", said, err)
	}
	return fmt.Errorf("%s; it is back at its checkpoint of step %d: go on with a lower learning rate (run.SetRate; now %.2g), more batches in a step, or other data", said, step, p.Rate)
}

// lost is the error of a trainer that cannot go on: the next call goes back to the checkpoint.
func (h *Host) lost(l *lab, r *heldRun, err error) error {
	h.dropRun(l.name, r.name)
	return fmt.Errorf("run %s stays at its checkpoint of step %d: %w", r.name, max(0, r.saved), err)
}

// stopRun ends an increment early.
func (h *Host) stopRun(l *lab, r *heldRun) error {
	if err := h.save(l, r); err != nil {
		return err
	}
	return &kernelext.InterruptedError{Message: fmt.Sprintf("stopped after step %d; run the cell again to continue", r.trainer.Steps())}
}

// heldRun finds a run in memory, and marks it as used.
func (h *Host) heldRun(lab, name string) *heldRun {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, r := range h.runs {
		if r.lab == lab && r.name == name {
			h.runs = append(append(h.runs[:i:i], h.runs[i+1:]...), r)
			return r
		}
	}
	return nil
}

// dropRun takes a run out of memory. What it has not saved is lost.
func (h *Host) dropRun(lab, name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.runs = slices.DeleteFunc(h.runs, func(r *heldRun) bool {
		drop := r.lab == lab && r.name == name
		if drop {
			r.trainer.Close()
		}
		return drop
	})
}

// makeRoom takes the least recently used students out of memory until at most keep are left, and further ones while
// the process is above its limit. All of them are on disk, save those that a full disk kept in memory: these stay.
func (h *Host) makeRoom(keep int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	over := residentBytes() - h.settings.MemoryLimit
	left := len(h.runs)
	h.runs = slices.DeleteFunc(h.runs, func(r *heldRun) bool {
		if (left <= keep && over <= 0) || r.saved != r.trainer.Steps() {
			return false
		}
		r.trainer.Close()
		h.log.Info("student leaves memory", "lab", r.lab, "run", r.name, "step", r.saved, "bytes", r.bytes)
		left--
		over -= r.bytes
		return true
	})
}
