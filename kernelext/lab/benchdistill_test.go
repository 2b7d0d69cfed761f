package main

import (
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// fakeStudents learn: a student's held-out loss falls by one each time its steps grow tenfold, from where its start puts it. With
// the best learning rate it falls furthest.
type fakeStudents struct {
	fakeSearcher
	runs    map[string]slm.Distillation
	trained []string
	fails   int // trainings until one fails; 0 never does
}

func (f *fakeStudents) Search(ctx context.Context, name string, s slm.Search, watch func(kernelext.Event)) (slm.Population, error) {
	p, err := f.fakeSearcher.Search(ctx, name, s, watch)
	p.Teacher, p.Held.Window = tinyNeoX(), 128
	return p, err
}

func (f *fakeStudents) Distill(_ context.Context, name string, d slm.Distillation, _ func(kernelext.Event)) (slm.Curve, error) {
	f.runs[name] = d
	return slm.Curve{Name: name, Teacher: tinyNeoX(), Distillation: d}, nil
}

func (f *fakeStudents) Train(_ context.Context, run string, until slm.Until, _ func(kernelext.Event)) (slm.Curve, error) {
	if f.trained = append(f.trained, run); len(f.trained) == f.fails {
		return slm.Curve{}, errors.New("the host has gone")
	}
	d := f.runs[run]
	c := slm.Curve{Name: run, Teacher: tinyNeoX(), Distillation: d, Parameters: 1000}
	ahead := 1.0 // times fewer steps than from random weights
	if d.Init == slm.FromTeacher {
		ahead = 8
	}
	if d.Loss.NeedsTeacher() {
		ahead *= 2
	}
	for step := 1; step <= until.Steps; step++ {
		p := slm.Point{Step: step, Tokens: int64(step * d.StepTokens()), Seconds: 1}
		if step == until.Steps {
			p.Validation = 8 - math.Log10(ahead*float64(step)) + math.Abs(math.Log(d.Schedule.Peak/2e-3))
		}
		c.Points = append(c.Points, p)
	}
	return c, nil
}

func tinyNeoX() slm.Config {
	return slm.Config{Name: "tiny", Family: slm.GPTNeoX, Layers: 2, Embd: 16, Heads: 2, QueryGroups: 2, HeadSize: 8, FFN: 32, Vocab: 64, Context: 128,
		NormEps: 1e-5, RopeTheta: 10000, RotaryFraction: 0.25}
}

func TestEfficiencyFindsWhatAStartSaves(t *testing.T) {
	client := &fakeStudents{runs: map[string]slm.Distillation{}}
	study := slm.EfficiencyOf(tinyNeoX(), slm.Bin{}, false)
	done, err := runEfficiency(t.Context(), client, io.Discard, study)
	if err != nil {
		t.Fatal(err)
	}
	if kept := study.KeptLosses(done); len(kept) != 1+len(study.Kept) || kept[0].K != 0 || kept[1].K != 1 {
		t.Errorf("losses by k %v", kept)
	}
	study, found := study.Found(done)
	savings := study.Savings(tinyNeoX(), 1e6, found)
	plain, distilled := savings.Starts[0], savings.Starts[1]
	if plain.Seeds != 3 || plain.ByTokens.Min < 8/1.2 || plain.ByTokens.Max > 8.01 || plain.ByTokens != plain.ByFLOPs || plain.WithSearch.Max >= plain.ByFLOPs.Max {
		t.Errorf("without distillation %+v; want a saving of 8, less where the search counts", plain)
	}
	if distilled.ByTokens.Min < 16/1.2 || distilled.ByTokens.Max > 16.01 || distilled.ByFLOPs.Max >= distilled.ByTokens.Max || distilled.InFull.Max >= distilled.WithSearch.Max {
		t.Errorf("with distillation %+v; want 16 times fewer tokens, and more FLOPs a token: the teacher.s", distilled)
	}
	if study.Starts[0].Peak != 2e-3 || study.Baseline.Peak != 2e-3 {
		t.Errorf("chose the peaks %g and %g", study.Baseline.Peak, study.Starts[0].Peak)
	}
	var out strings.Builder
	if err := savings.Write(&out); err != nil || !strings.Contains(out.String(), "sub-network-distilled") || !strings.Contains(out.String(), "3 of 3") {
		t.Errorf("%v\n%s", err, &out)
	}
}

// A study that fails half-way says where, and has lost nothing: the lab holds what was trained.
func TestEfficiencyThatFails(t *testing.T) {
	client := &fakeStudents{runs: map[string]slm.Distillation{}, fails: 15}
	if _, err := runEfficiency(t.Context(), client, io.Discard, slm.EfficiencyOf(tinyNeoX(), slm.Bin{}, false)); err == nil || !strings.Contains(err.Error(), "the host has gone") {
		t.Errorf("%v", err)
	}
}
