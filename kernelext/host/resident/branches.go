package resident

import (
	"context"
	"os"
	"slices"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// changeWork changes a run from its next step on.
func (h *Host) changeWork(j *job) (any, error) {
	if j.request.Change == nil {
		return nil, kernelext.Errorf(kernelext.Invalid, "run %s: no change was sent", j.Name)
	}
	l, c, err := h.idleRun(j)
	if err != nil {
		return nil, err
	}
	last, err := h.inLine(j, l, j.Name)
	if err != nil {
		return nil, err
	}
	change := *j.request.Change
	change.Step = max(0, last)
	if err := c.Distillation.Accepts(change, c.Teacher); err != nil { // before it is recorded
		return nil, kernelext.Errorf(kernelext.Invalid, "run %s: %v", j.Name, err)
	}
	if now := c.Distillation.At(change.Step, c.Changes); len(Differences(now, now.At(0, []slm.Change{{Schedule: change.Schedule, Loss: change.Loss}}))) == 0 {
		return kernelext.Summary{Done: int64(change.Step)}, nil // it is so already: the cell was run again
	}
	changes := append(c.Changes, change)
	if err := l.putChanges(j.whole(), j.Name, changes); err != nil {
		return nil, unwritable(l.folder, err)
	}
	if r := h.heldRun(l.name, j.Name); r != nil {
		if err := r.trainer.Follow(changes); err != nil {
			return nil, err
		}
	}
	return kernelext.Summary{Done: int64(change.Step), New: 1}, nil
}

// undoWork takes a run back to a checkpoint.
func (h *Host) undoWork(j *job) (any, error) {
	l, c, err := h.idleRun(j)
	if err != nil {
		return nil, err
	}
	step, err := l.keptUpTo(j.Name, j.request.Step)
	if err != nil {
		return nil, kernelext.Errorf(kernelext.Invalid, "%v", err)
	}
	h.dropRun(l.name, j.Name)
	changes, err := before(step, c.Changes), l.goBack(j.whole(), j.Name, step)
	if err == nil {
		err = l.putChanges(j.whole(), j.Name, changes)
	}
	if err != nil {
		return nil, unwritable(l.folder, err)
	}
	if step < j.request.Step {
		j.note("went back to step %d, the last checkpoint up to step %d", step, j.request.Step)
	}
	return kernelext.Summary{Done: int64(step)}, nil
}

// goBack makes a kept checkpoint the run's last. The records go back first: a run whose points end before its checkpoint is
// brought in line when it is next used.
func (l *lab) goBack(ctx context.Context, run string, step int) error {
	if err := l.dropPoints(ctx, run, step); err != nil {
		return err
	}
	if err := l.bring(run, step, run); err != nil {
		return err
	}
	for _, later := range l.kept(run) {
		if later > step {
			if err := os.Remove(l.keptPath(run, later)); err != nil {
				return err
			}
		}
	}
	return nil
}

// before are the changes made before a step.
func before(step int, changes []slm.Change) []slm.Change {
	return slices.DeleteFunc(slices.Clone(changes), func(c slm.Change) bool { return c.Step >= step })
}

// branchWork begins a run at a checkpoint of another.
func (h *Host) branchWork(j *job) (any, error) {
	l, c, err := h.runOf(j, j.request.From)
	if err != nil {
		return nil, err
	}
	asked := slm.Origin{Run: j.request.From, Step: j.request.Step}
	switch there, found, err := l.run(j.whole(), j.Name); {
	case err != nil:
		return nil, err
	case found && there.Origin != nil && there.Origin.Run == asked.Run && (asked.Step < 0 || there.Origin.Step == asked.Step):
		return kernelext.Summary{Done: int64(there.Origin.Step)}, nil
	case found:
		return nil, kernelext.Errorf(kernelext.Differs, "lab %s holds another run named %s; give the branch another name", l.name, j.Name)
	}
	if asked.Step < 0 {
		if asked.Step, err = l.lastStep(j.whole(), asked.Run); err != nil {
			return nil, err
		}
	}
	if asked.Step, err = l.keptUpTo(asked.Run, asked.Step); err != nil {
		return nil, kernelext.Errorf(kernelext.Invalid, "%v", err)
	}
	if err := l.bring(asked.Run, asked.Step, j.Name); err != nil {
		return nil, unwritable(l.folder, err)
	}
	if err := l.keep(j.Name, asked.Step); err != nil {
		return nil, unwritable(l.folder, err)
	}
	c.Name, c.Origin, c.Changes = j.Name, &asked, before(asked.Step, c.Changes)
	if err := l.putBranch(j.whole(), c); err != nil {
		return nil, unwritable(l.folder, err)
	}
	if j.request.Step >= 0 && asked.Step < j.request.Step {
		j.note("branches at step %d, the last checkpoint up to step %d", asked.Step, j.request.Step)
	}
	return kernelext.Summary{Done: int64(asked.Step)}, nil
}

// idleRun finds the records of the job's run once nothing trains it.
func (h *Host) idleRun(j *job) (*lab, slm.Curve, error) {
	if l, c, err := h.runOf(j, j.Name); err != nil {
		return l, c, err
	}
	if err := j.acquire(); err != nil {
		return nil, slm.Curve{}, err
	}
	return h.runOf(j, j.Name) // it may have gone on while the job waited
}

// runOf finds the records of a run.
func (h *Host) runOf(j *job, name string) (*lab, slm.Curve, error) {
	l, err := h.lab(j.whole(), j.Lab)
	if err != nil {
		return nil, slm.Curve{}, err
	}
	c, found, err := l.run(j.whole(), name)
	if err != nil || !found {
		return nil, c, l.noSuch(j.whole(), err, "run", name, l.runs)
	}
	return l, c, nil
}

// putChanges records what was changed in a run.
func (s *store) putChanges(ctx context.Context, run string, changes []slm.Change) error {
	_, err := s.db.ExecContext(ctx, "UPDATE runs SET changes = ? WHERE name = ?", text(changes), run)
	return err
}

// putBranch records a run with the points of the one it comes from, up to the step at which it leaves it: both or neither.
func (s *store) putBranch(ctx context.Context, c slm.Curve) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing after a commit
	if _, err := tx.ExecContext(ctx, `INSERT INTO runs (name, teacher, options, parameters, created, changes, origin) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		c.Name, text(c.Teacher), text(c.Distillation), c.Parameters, timeText(time.Now()), text(c.Changes), text(c.Origin)); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO points SELECT ?, step, json FROM points WHERE run = ? AND step <= ?", c.Name, c.Origin.Run, c.Origin.Step); err != nil {
		return err
	}
	return tx.Commit()
}
