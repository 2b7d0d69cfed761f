package resident

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// keptCheckpoints is how many a run has on disk.
const keptCheckpoints = 4

// keptPath is a checkpoint of an earlier step. The one of the last step is the same file as [lab.checkpoint].
func (l *lab) keptPath(run string, step int) string {
	return filepath.Join(l.folder, "runs", run, fmt.Sprintf("step-%08d.safetensors", step))
}

// kept lists the steps of a run's checkpoints, ascending.
func (l *lab) kept(run string) []int {
	files, _ := filepath.Glob(filepath.Join(l.folder, "runs", run, "step-*.safetensors")) // names have no pattern in them
	var steps []int
	for _, file := range files {
		var step int
		if n, _ := fmt.Sscanf(filepath.Base(file), "step-%d.safetensors", &step); n == 1 {
			steps = append(steps, step)
		}
	}
	slices.Sort(steps)
	return steps
}

// keep gives the checkpoint a second name, under which it outlives the next one, and removes some of those before.
func (l *lab) keep(run string, step int) error {
	if err := link(l.checkpoint(run), l.keptPath(run, step)); err != nil {
		return err
	}
	for _, old := range superfluous(l.kept(run), keptCheckpoints) {
		if err := os.Remove(l.keptPath(run, old)); err != nil {
			return err
		}
	}
	return nil
}

// inLine takes the points of a run back to its checkpoint, where a host that was killed had gone further, and returns the last
// step: whoever names the run counts from it the steps that are still to take.
func (h *Host) inLine(j *job, l *lab, run string) (last int, err error) {
	if last, err = l.lastStep(j.whole(), run); err != nil || !h.ahead(l, run, last) {
		return last, err
	}
	if err := j.acquire(); err != nil {
		return last, err
	}
	if last, err = l.lastStep(j.whole(), run); err != nil || !h.ahead(l, run, last) { // it went on while the job waited
		return last, err
	}
	step, _ := l.checkpointed(run)
	j.note("back at step %d: the steps up to %d came after the last checkpoint, and are lost", step, last)
	return step, unwritable(l.folder, l.dropPoints(j.whole(), run, step))
}

// ahead reports points after the checkpoint of a run that is not in memory.
func (h *Host) ahead(l *lab, run string, last int) bool {
	step, known := l.checkpointed(run)
	return known && last > step && h.heldRun(l.name, run) == nil
}

// checkpointed is the step of a run's checkpoint, 0 without one. It is not known where the checkpoint has no second name: a host
// that was killed between the two has no points after it.
func (l *lab) checkpointed(run string) (step int, known bool) {
	file, err := os.Stat(l.checkpoint(run))
	if err != nil {
		return 0, errors.Is(err, fs.ErrNotExist)
	}
	for _, step := range slices.Backward(l.kept(run)) {
		if kept, err := os.Stat(l.keptPath(run, step)); err == nil && os.SameFile(file, kept) {
			return step, true
		}
	}
	return 0, false
}

// superfluous are those of ascending steps that are not kept, so that at most so many are left: the closer to the last one, the
// closer they may be to each other. The first and the last stay.
func superfluous(steps []int, most int) (drop []int) {
	steps = slices.Clone(steps)
	for len(steps) > max(most, 2) {
		last, at, least := steps[len(steps)-1], 0, 0.0
		for i := 1; i < len(steps)-1; i++ {
			if gap := float64(steps[i+1]-steps[i-1]) / float64(last-steps[i-1]); at == 0 || gap < least {
				at, least = i, gap
			}
		}
		drop = append(drop, steps[at])
		steps = slices.Delete(steps, at, at+1)
	}
	return drop
}

// bring makes a kept checkpoint the one that a run, perhaps another, goes on from.
func (l *lab) bring(from string, step int, to string) error {
	if err := os.MkdirAll(filepath.Dir(l.checkpoint(to)), 0o755); err != nil {
		return err
	}
	return link(l.keptPath(from, step), l.checkpoint(to))
}

// link gives a file another name, in the place of what had it. Checkpoints are replaced, never changed, so two names never
// see each other's future.
func link(file, name string) error {
	fresh := name + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Link(file, fresh); err != nil {
		return err
	}
	return os.Rename(fresh, name)
}

// keptUpTo is the last kept step that is not after another.
func (l *lab) keptUpTo(run string, step int) (int, error) {
	steps := l.kept(run)
	at, exact := slices.BinarySearch(steps, step)
	switch {
	case exact:
		return step, nil
	case at == 0 && len(steps) == 0:
		return 0, fmt.Errorf("run %s has no checkpoint yet", run)
	case at == 0:
		return 0, fmt.Errorf("run %s has no checkpoint of step %d or before; it has those of %v", run, step, steps)
	}
	return steps[at-1], nil
}
