package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// efficiencyLab holds the searches and runs of `lab bench distill`, so that it goes on where it was stopped, and so that a
// notebook can show them.
const efficiencyLab = "distill-efficiency"

// efficiencyTeacher is what `lab pretrain` makes.
const efficiencyTeacher = "gpt-neox-9m"

// benchDistill runs the study of [slm.Efficiency] in the resident host, as far as the lab does not hold it already, and prints
// what it says.
func benchDistill(ctx context.Context, l *lab, teacher string, quick, asJSON bool) error {
	if err := l.prepare(ctx); err != nil {
		return err
	}
	if teacher == efficiencyTeacher && !exists(l.path("teachers", teacher)) {
		return fmt.Errorf("there is no teacher %s yet; make it with `go run ./kernelext/lab pretrain --out %s`, or name another with --teacher",
			teacher, l.path("teachers", teacher))
	}
	defer l.useHome()()
	client, err := kernelext.Connect(ctx, efficiencyLab)
	if err != nil {
		return err
	}
	defer client.Close()
	info, err := client.Teacher(ctx, teacher, nil)
	if err != nil {
		return err
	}
	pretrained, err := pretrainingTokens(l.path("teachers", teacher))
	if err != nil {
		return err
	}
	study := &efficiencyStudy{Efficiency: slm.EfficiencyAt(info.Config, quick), client: client, out: l.stderr}
	found, err := study.run(ctx)
	if err != nil {
		return err
	}
	savings := study.Savings(info.Config, pretrained, found)
	if asJSON {
		return printJSON(l.stdout, savings)
	}
	if len(study.Peaks) > 0 {
		fmt.Fprintf(l.stdout, "learning rates, each the best of %v by the held-out loss: ", study.Peaks)
		for _, s := range append([]slm.Start{study.Baseline}, study.Starts...) {
			fmt.Fprintf(l.stdout, " %s %g", s.Name, s.Peak)
		}
		fmt.Fprintln(l.stdout)
	}
	return savings.Write(l.stdout)
}

// pretrainingTokens reads on how many tokens a teacher that `lab pretrain` made was trained; 0 of another teacher.
func pretrainingTokens(folder string) (int64, error) {
	text, err := os.ReadFile(folder + "/offshoot.json")
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	var record struct {
		Provenance struct {
			Training struct {
				Tokens int64 `json:"tokens"`
			} `json:"training"`
		} `json:"provenance"`
	}
	if err == nil {
		err = json.Unmarshal(text, &record)
	}
	return record.Provenance.Training.Tokens, err
}

// student is what the study needs of a [kernelext.Client].
type student interface {
	searcher
	Distill(ctx context.Context, name string, d slm.Distillation, watch func(kernelext.Event)) (slm.Curve, error)
	Train(ctx context.Context, run string, until slm.Until, watch func(kernelext.Event)) (slm.Curve, error)
}

// efficiencyStudy runs an [slm.Efficiency].
type efficiencyStudy struct {
	slm.Efficiency
	client student
	out    io.Writer
}

// run finds everything for each seed. What the lab holds is not done again.
func (e *efficiencyStudy) run(ctx context.Context) ([]slm.Seeded, error) {
	if err := e.tune(ctx); err != nil {
		return nil, err
	}
	var found []slm.Seeded
	for _, seed := range e.Seeds {
		f, err := e.seeded(ctx, seed)
		if err != nil {
			return found, err
		}
		found = append(found, f)
	}
	return found, nil
}

func (e *efficiencyStudy) search(ctx context.Context, seed uint64) (slm.Population, error) {
	name, search := e.SearchOf(seed)
	watch := &trialWatch{out: e.out, label: "search " + name, pace: newStudyPace([]slm.Trial{{Search: search}}), trial: slm.Trial{Search: search}}
	p, err := e.client.Search(ctx, name, search, watch.event)
	watch.end(p, err)
	return p, err
}

// tune finds each start's learning rate, on the first seed's architecture: of the peaks, the one with the lowest held-out loss
// after as many steps as the start's guess.
func (e *efficiencyStudy) tune(ctx context.Context) error {
	if len(e.Peaks) == 0 {
		return nil
	}
	p, err := e.search(ctx, e.Seeds[0])
	if err != nil {
		return err
	}
	starts := []*slm.Start{&e.Baseline}
	for i := range e.Starts {
		starts = append(starts, &e.Starts[i])
	}
	for _, s := range starts {
		best, least := s.Peak, math.Inf(1)
		for _, peak := range e.Peaks {
			try := *s
			try.Peak = peak
			c, err := e.train(ctx, try, p.Best().Subnet, s.Guess, e.Seeds[0])
			if err != nil {
				return err
			}
			if loss := c.Validation(); loss < least {
				best, least = peak, loss
			}
		}
		s.Peak = best
	}
	return nil
}

// seeded searches, trains the baseline, and then each start until its shortest training is known.
func (e *efficiencyStudy) seeded(ctx context.Context, seed uint64) (slm.Seeded, error) {
	p, err := e.search(ctx, seed)
	if err != nil {
		return slm.Seeded{}, err
	}
	f := slm.Seeded{Seed: seed, Search: p, Runs: map[string][]slm.Curve{}}
	if f.Baseline, err = e.train(ctx, e.Baseline, p.Best().Subnet, e.Budget, seed); err != nil {
		return f, err
	}
	for _, s := range e.Starts {
		reach := e.ReachOf(s, f.Target())
		for steps := reach.Next(); steps > 0; steps = reach.Next() {
			c, err := e.train(ctx, s, p.Best().Subnet, steps, seed)
			if err != nil {
				return f, err
			}
			f.Runs[s.Name] = append(f.Runs[s.Name], c)
			reach.Tried = f.Tried(s.Name)
		}
	}
	return f, nil
}

// train trains what a run lacks of its steps.
func (e *efficiencyStudy) train(ctx context.Context, s slm.Start, subnet slm.Subnet, steps int, seed uint64) (slm.Curve, error) {
	name, d := e.RunOf(s, subnet, steps, seed)
	c, err := e.client.Distill(ctx, name, d, nil)
	if err != nil || c.Steps() >= steps {
		return c, err
	}
	line := startProgress(e.out, name)
	if c, err = e.client.Train(ctx, name, slm.Until{Steps: steps - c.Steps()}, func(event kernelext.Event) { noteStep(line, event) }); err != nil {
		line.End("stopped; the same command goes on")
		return c, err
	}
	line.End(fmt.Sprintf("held-out loss %.4f", c.Validation()))
	return c, nil
}
