package slm

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// failing are searches of every kind.
func failing() map[string]Search {
	out := map[string]Search{"halving": {Halving: Halving{Rungs: 3}}, "halving that keeps most": {Halving: Halving{Rungs: 2, Keep: 0.9}}, "least FLOPs": {Objectives: []Objective{MinimizeFLOPs}}}
	for _, strategy := range Strategies {
		out[string(strategy)] = Search{Strategy: strategy}
	}
	nsga2, both := out[string(NSGA2)], Search{Strategy: NSGA2, Halving: Halving{Rungs: 2}}
	nsga2.Objectives = []Objective{MinimizeLoss, MinimizeFLOPs}
	both.Objectives = nsga2.Objectives
	out[string(NSGA2)], out["nsga2 and halving"] = nsga2, both
	for name, s := range out {
		s.Space, s.Bin, s.Population, s.Generations = CoarseLayerWise, Around(30e6, 0.05), 10, 3
		out[name] = s.WithDefaults()
	}
	return out
}

// partlyNaN is a loss that most candidates lack, among them those with the fewest FLOPs, some on much text only.
func partlyNaN(c Candidate) float64 {
	switch {
	case c.FLOPs%3 == 0, c.FLOPs < 52e6:
		return math.NaN()
	case c.FLOPs%5 == 0 && len(c.Rungs) > 0:
		return math.Inf(1)
	}
	return toyLoss(c)
}

// judgedUntil plays a search until it has judged so often; -1 is to its end.
func judgedUntil(t *testing.T, p *Population, most int) {
	t.Helper()
	for {
		pending, err := p.Search.Next(p.Teacher, p.Candidates)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range pending {
			if p.Evaluations() == most {
				return
			}
			p.Replace(p.Search.Judge(c, partlyNaN(c)))
		}
		if len(pending) == 0 {
			return
		}
	}
}

// Failures are evaluated like others, end no search, and are neither elites nor parents.
func TestSearchesGoOnAfterFailures(t *testing.T) {
	teacher := smol(t)
	for name, s := range failing() {
		t.Run(name, func(t *testing.T) {
			p := Population{Teacher: teacher, Search: s}
			judgedUntil(t, &p, -1)
			failed := p.Failures()
			if !p.Done() || p.Evaluations() != s.Evaluations() || len(failed) == 0 || len(failed) == len(p.Candidates) {
				t.Fatalf("%d of %d evaluations, %d of %d candidates failed", p.Evaluations(), s.Evaluations(), len(failed), len(p.Candidates))
			}
			for _, c := range p.Candidates {
				if c.Failed() != (c.Failure != "") || c.Failed() != math.IsInf(c.Loss, 1) {
					t.Errorf("candidate %d has loss %g and failure %q", c.ID, c.Loss, c.Failure)
				}
				for _, parent := range c.Parents {
					if p.Candidates[parent].Failed() {
						t.Errorf("candidate %d was bred from %d, which failed", c.ID, parent)
					}
				}
			}
			if p.Best().Failed() || slices.ContainsFunc(Elites(p.Candidates, 1000), Candidate.Failed) {
				t.Error("a failure is an elite")
			}
		})
	}
}

// Wherever such a search stops, it goes on from its records as if it had not.
func TestFailuresResume(t *testing.T) {
	for name, s := range failing() {
		whole := Population{Teacher: smol(t), Search: s}
		judgedUntil(t, &whole, -1)
		for stop := 0; stop < whole.Evaluations(); stop += 13 {
			p := Population{Teacher: whole.Teacher, Search: s}
			judgedUntil(t, &p, stop)
			text, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			var again Population
			if err := json.Unmarshal(text, &again); err != nil {
				t.Fatal(err)
			}
			judgedUntil(t, &again, -1)
			if !reflect.DeepEqual(again.Candidates, whole.Candidates) {
				t.Fatalf("%s: stopped after %d evaluations, other candidates", name, stop)
			}
		}
	}
}

// Halving judges a failure again only where too few others are left, and it may have a loss then.
func TestHalvingPromotesFailuresLast(t *testing.T) {
	s := Search{Population: 4, Halving: Halving{Rungs: 2}}.WithDefaults()
	p := make([]Candidate, 4)
	for i, loss := range []float64{math.NaN(), 9, math.NaN(), 8} {
		p[i] = s.Judge(Candidate{ID: i}, loss)
	}
	ids := func(pending []Candidate) (out []int) {
		for _, c := range pending {
			out = append(out, c.ID)
		}
		return out
	}
	if got := ids(s.promoted(p)); !slices.Equal(got, []int{3, 1}) {
		t.Errorf("promoted %v, want those with a loss", got)
	}
	p[1] = s.Judge(Candidate{ID: 1}, math.Inf(1))
	if got := ids(s.promoted(p)); !slices.Equal(got, []int{3, 0}) {
		t.Errorf("promoted %v, want the one with a loss and the first other", got)
	}
	p[3] = s.Judge(p[3], math.NaN())
	p[0] = s.Judge(p[0], 7)
	if best := Elites(p, 4); len(best) != 1 || best[0].ID != 0 || best[0].Failed() {
		t.Errorf("elites %v, want the only one whose last judgement gave a loss", ids(best))
	}
}

func TestAllFailed(t *testing.T) {
	teacher := smol(t)
	for name, c := range map[string]struct {
		search Search
		want   string
	}{
		"plain":   {Search{}, "all of the 3 candidates failed (candidate 0: its loss is NaN), so that none can be bred from: try a bin of larger"},
		"random":  {Search{Strategy: RandomSearch}, "try a bin"},
		"initial": {Search{Generations: InitialOnly}, "try a bin"},
		"halving": {Search{Halving: Halving{Rungs: 2}}, "try a bin"},
		"warm":    {Search{Warm: Warm{Steps: 3}}, "a lower learning rate"},
		"told":    {Search{Told: true}, "mend what judges them"},
	} {
		s := c.search
		s.Space, s.Bin, s.Population = CoarseUniform, Around(30e6, 0.05), 3
		s = s.WithDefaults()
		pending, err := s.Next(teacher, nil)
		if err != nil {
			t.Fatal(err)
		}
		var done []Candidate
		for _, c := range pending {
			if _, err := s.Next(teacher, done); err != nil {
				t.Errorf("%s: after %d candidates %v", name, len(done), err)
			}
			done = append(done, s.Judge(c, math.NaN()))
		}
		if _, err := s.Next(teacher, done); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		done[1] = s.Judge(pending[1], 3)
		if _, err := s.Next(teacher, done); err != nil {
			t.Errorf("%s: one with a loss is enough: %v", name, err)
		}
	}
}

func TestFailuresAsJSON(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		candidate Candidate
		text      string
	}{
		{Candidate{ID: 3, Loss: 2.5}, `"loss":2.5`},
		{Candidate{Loss: inf, Failure: "its loss is NaN"}, `"failure":"its loss is NaN","seconds":0,"loss":null}`},
		{Candidate{Loss: inf, Rungs: []float64{3, inf}, Failure: "x"}, `"loss":null,"rungs":[3,null]}`},
		{Candidate{Loss: 3, Rungs: []float64{inf, 3}}, `"loss":3,"rungs":[null,3]}`},
	} {
		text, err := json.Marshal(c.candidate)
		if err != nil || !strings.Contains(string(text), c.text) {
			t.Errorf("%s (%v), want %s in it", text, err, c.text)
		}
		var got Candidate
		if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, c.candidate) {
			t.Errorf("%+v (%v), want %+v", got, err, c.candidate)
		}
	}
}
