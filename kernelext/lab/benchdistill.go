package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// efficiencyLab holds the searches and runs of `lab bench distill`, so that it goes on where it was stopped, and so that a
// notebook can show them.
const efficiencyLab = "distill-efficiency"

// efficiencyTeacher is what `lab pretrain` makes.
const efficiencyTeacher = "gpt-neox-9m"

// benchDistill runs the study of [slm.Efficiency] in the resident host, as far as the lab does not hold it already, and prints
// what it says; when it is interrupted, what the seeds say that are finished.
func benchDistill(ctx context.Context, l *lab, teacher string, bin slm.Bin, quick, asJSON bool) error {
	folder := l.path("teachers", teacher)
	if teacher == efficiencyTeacher && !exists(folder) {
		return fmt.Errorf("there is no teacher %s yet; make it with `go run ./kernelext/lab pretrain --out %s`, or name another with --teacher", teacher, folder)
	}
	return l.withTeacher(ctx, efficiencyLab, teacher, func(client *kernelext.Client, info kernelext.TeacherInfo) error {
		study := slm.EfficiencyOf(info.Config, bin, quick)
		done, err := runEfficiency(ctx, client, l.stderr, study)
		if _, found := study.Found(done); err != nil && len(found) == 0 {
			return err
		}
		return errors.Join(err, printEfficiency(l.stdout, study, done, info.Config, info.Pretrained, asJSON)) // of an interrupted study, the seeds that are finished
	})
}

// printEfficiency prints what a study's records say. pretrained is on how many tokens its teacher was trained, 0 where that is not known.
func printEfficiency(w io.Writer, study slm.Efficiency, done slm.EfficiencyRecords, teacher slm.Config, pretrained int64, asJSON bool) error {
	kept := study.KeptLosses(done)
	study, found := study.Found(done)
	savings := study.Savings(teacher, pretrained, found)
	if asJSON {
		return printJSON(w, struct {
			slm.Savings
			Peaks map[string]float64 `json:"peaks"` // learning rates
			Kept  []slm.KeptLoss     `json:"kept"`
		}{savings, study.PeaksOf(), kept})
	}
	if err := savings.Write(w); err != nil {
		return err
	}
	fmt.Fprintf(w, "peak learning rates, the best of %v: %v\n", study.Peaks, study.PeaksOf())
	for _, k := range kept {
		fmt.Fprintf(w, "distilled on the teacher's %s: held-out loss %.4f (%+.4f)\n", k, k.Loss, k.Worse)
	}
	return nil
}

// student is what the study needs of a [kernelext.Client].
type student interface {
	searcher
	Distill(ctx context.Context, name string, d slm.Distillation, watch func(kernelext.Event)) (slm.Curve, error)
	Train(ctx context.Context, run string, until slm.Until, watch func(kernelext.Event)) (slm.Curve, error)
}

// runEfficiency does what the study lacks. What the lab holds is not done again.
func runEfficiency(ctx context.Context, client student, out io.Writer, study slm.Efficiency) (slm.EfficiencyRecords, error) {
	done := slm.EfficiencyRecords{Searches: map[string]slm.Population{}, Runs: map[string]slm.Curve{}}
	for {
		task, ok := study.Next(done)
		if !ok {
			return done, nil
		}
		var err error
		if task.Search != nil {
			trial := slm.Trial{Search: *task.Search}
			watch := &trialWatch{out: out, label: "search " + task.Name, pace: newStudyPace([]slm.Trial{trial}), trial: trial}
			var p slm.Population
			p, err = client.Search(ctx, task.Name, *task.Search, watch.event)
			if watch.end(p, err); err == nil {
				done.Searches[task.Name] = p
			}
		} else {
			done.Runs[task.Name], err = trainTask(ctx, client, out, task)
		}
		if err != nil {
			return done, fmt.Errorf("%s: %w", task.Name, err)
		}
	}
}

// trainTask trains what a run lacks of its steps.
func trainTask(ctx context.Context, client student, out io.Writer, task slm.Task) (slm.Curve, error) {
	c, err := client.Distill(ctx, task.Name, *task.Run, nil)
	if err != nil || c.Steps() >= task.Steps {
		return c, err
	}
	line := startProgress(out, task.Name)
	c, err = client.Train(ctx, task.Name, slm.Until{Steps: task.Steps - c.Steps()}, func(e kernelext.Event) { noteStep(line, e) })
	if err != nil {
		line.End("stopped; the same command goes on")
		return c, err
	}
	line.End(fmt.Sprintf("held-out loss %.4f", c.Validation()))
	return c, nil
}
