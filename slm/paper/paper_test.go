package paper

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// Every scale can be planned, searched in each space and trained from each start.
func TestScales(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			s, err := Named(name)
			if err != nil {
				t.Fatal(err)
			}
			teacher, err := s.Architecture()
			if err != nil {
				t.Fatal(err)
			}
			var plan bytes.Buffer
			if err := s.WritePlan(&plan); err != nil {
				t.Error(err)
			}
			names := map[string]bool{}
			if trials := s.Study(slm.Evolution, slm.RandomSearch).Trials(); len(trials) != len(s.Sizes)*len(Spaces)*2*len(s.Repeats) || s.Repeats[0] != s.Seeds[0] {
				t.Errorf("%d searches; the runs' is that of seed %d, the first of %v", len(trials), s.Seeds[0], s.Repeats)
			}
			if strings.Contains(plan.String(), "too much") {
				t.Errorf("it does not fit its device:\n%s", &plan)
			}
			for _, size := range s.Sizes {
				if !strings.Contains(plan.String(), size.Reference) {
					t.Errorf("%s is not in the plan:\n%s", size.Reference, &plan)
				}
				if first, err := s.FirstN(size); err != nil || !size.Bin.Contains(first.Parameters(teacher).Total()) {
					t.Errorf("first n of %s: %d parameters, %v", size.Name, first.Parameters(teacher).Total(), err)
				}
				for _, space := range Spaces {
					name, search := s.SearchOf(size, space, slm.Evolution, 1)
					if err := search.WithDefaults().Validate(teacher); err != nil || names[name] {
						t.Errorf("%s: %v", name, err)
					}
					names[name] = true
				}
				for _, start := range []slm.Start{Random, Subnet, Distilled} {
					for _, tokens := range s.Budgets {
						name, run := s.RunOf(size, "whole", slm.Subnet{}, start, tokens, 1)
						if err := run.WithDefaults().Validate(teacher); err != nil || names[name] {
							t.Errorf("%s: %v", name, err)
						}
						if got := int64(run.Schedule.Horizon * run.WithDefaults().StepTokens()); got > tokens || got < tokens*9/10 {
							t.Errorf("%s takes %d tokens of %d", name, got, tokens)
						}
						names[name] = true
					}
				}
			}
		})
	}
}

// Every scale has a task that can be guessed, and those in a folder are described there.
func TestTasks(t *testing.T) {
	for _, name := range Names() {
		s, err := Named(name)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(s.Tasks, Task.Choice) || s.TaskLimit < 0 {
			t.Errorf("%s: tasks %v, %d documents", name, s.Tasks, s.TaskLimit)
		}
		for i, task := range s.TaskNames() {
			if !s.LocalTasks {
				continue
			}
			about, err := os.ReadFile(filepath.Join("..", "..", "notebooks", "paper", "tasks", task+".yaml"))
			if err != nil || !strings.Contains(string(about), "task: "+task+"\n") || !strings.Contains(string(about), "metric: "+s.Tasks[i].Metric+"\n") {
				t.Errorf("%s: task %s with %s: %v\n%s", name, task, s.Tasks[i].Metric, err, about)
			}
		}
	}
}

// A loss that is that of a start already is not trained under another name.
func TestOn(t *testing.T) {
	for _, c := range []struct {
		loss slm.Loss
		want string
	}{
		{slm.CE(1), "sub-network"},
		{Distilled.Loss.At(1).Top(0), "distilled"},
		{Distilled.Loss.At(2), "asked"},
		{Distilled.Loss.Top(16), "asked"},
		{slm.CE(0.5).Plus(slm.ForwardKL(0.5)), "asked"},
	} {
		got := On("asked", c.loss)
		if got.Name != c.want || got.Loss.String() != c.loss.String() || got.Init != slm.FromTeacher || got.Peak != Distilled.Peak {
			t.Errorf("%s: %+v, want %s", c.loss, got, c.want)
		}
	}
}

func TestOverride(t *testing.T) {
	t.Setenv(Variable, "gpu")
	if got := At("laptop").Name; got != "gpu" {
		t.Errorf("scale %q", got)
	}
	if _, err := Named("desk"); err == nil || !strings.Contains(err.Error(), "there are short, laptop, gpu, paper, paper-12b") {
		t.Error(err)
	}
}

func TestConfirm(t *testing.T) {
	t.Setenv(Confirmation, "")
	paper, _ := Named("paper")
	if err := paper.Confirm(false); err == nil || !strings.Contains(err.Error(), "confirmed = true") {
		t.Error(err)
	}
	if err := paper.Confirm(true); err != nil {
		t.Error(err)
	}
	if err := At("laptop").Confirm(false); err != nil {
		t.Error(err)
	}
	t.Setenv(Confirmation, "yes")
	if err := paper.Confirm(false); err != nil {
		t.Error(err)
	}
}
