package slm

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
)

// The numbers of a search with halving, in the order in which candidates are judged.
func ExampleHalving() {
	s := Search{Population: 8, Generations: 1, Offspring: 4, Tokens: 1024, Halving: Halving{Rungs: 3}}.WithDefaults()
	c := Candidate{}
	for range s.Halving.Rungs {
		tokens, _ := s.Rung(c, 128)
		fmt.Println(tokens)
		c = s.Judge(c, 3)
	}
	fmt.Println(s.Evaluations(), "evaluations")
	// Output:
	// 256
	// 512
	// 1024
	// 21 evaluations
}

// halved plays a search with halving whose losses get more exact from rung to rung, and lists what was judged.
func halved(t *testing.T, s Search, teacher Config, p *Population, most int) (judged []string) {
	t.Helper()
	for {
		pending, err := s.Next(teacher, p.Candidates)
		if err != nil {
			t.Fatal(err)
		}
		if len(pending) == 0 {
			return judged
		}
		for _, c := range pending {
			if len(judged) == most {
				return judged
			}
			judged = append(judged, fmt.Sprintf("%d/%d", c.ID, len(c.Rungs)))
			noise := math.Sin(float64(c.ID)) / float64(1+3*len(c.Rungs))
			p.Replace(s.Judge(c, toyLoss(c)+noise))
		}
	}
}

func TestHalvingJudgesTheBetterHalfAgain(t *testing.T) {
	teacher := smol(t)
	s := Search{Space: CoarseUniform, Bin: Around(30e6, 0.05), Population: 12, Generations: 2, Halving: Halving{Rungs: 3}}.WithDefaults()
	if err := s.Validate(teacher); err != nil {
		t.Fatal(err)
	}
	p := Population{Search: s}
	judged := halved(t, s, teacher, &p, -1)
	if len(judged) != s.Evaluations() || p.Evaluations() != s.Evaluations() || !p.Done() {
		t.Errorf("%d judgements, %d counted, %d announced, done %t", len(judged), p.Evaluations(), s.Evaluations(), p.Done())
	}
	if sorted := slices.Sorted(slices.Values(judged)); len(slices.Compact(sorted)) != len(judged) {
		t.Errorf("something was judged twice: %v", judged)
	}
	for generation := range 3 {
		byRung := map[int][]Candidate{}
		for _, c := range p.Candidates {
			if c.Generation == generation {
				byRung[len(c.Rungs)] = append(byRung[len(c.Rungs)], c)
			}
		}
		n := len(byRung[1]) + len(byRung[2]) + len(byRung[3])
		if len(byRung[3]) != (n+3)/4 || len(byRung[3])+len(byRung[2]) != (n+1)/2 {
			t.Errorf("generation %d: %d candidates ended on the first rung, %d on the second, %d on the last", generation,
				len(byRung[1]), len(byRung[2]), len(byRung[3]))
		}
		for _, out := range byRung[1] {
			for _, on := range append(byRung[2], byRung[3]...) {
				if out.Rungs[0] < on.Rungs[0] {
					t.Errorf("generation %d: candidate %d was dropped for %d", generation, out.ID, on.ID)
				}
			}
		}
	}
	if best := p.Best(); len(best.Rungs) != 3 || best.Loss != best.Rungs[2] {
		t.Errorf("the best was judged %d times", len(best.Rungs))
	}
}

// Wherever it stops, a search with halving goes on as if it had not.
func TestHalvingResumes(t *testing.T) {
	teacher := smol(t)
	s := Search{Space: CoarseLayerWise, Bin: Around(30e6, 0.05), Population: 6, Generations: 1, Halving: Halving{Rungs: 2, Keep: 0.4}}.WithDefaults()
	whole := Population{Search: s}
	order := halved(t, s, teacher, &whole, -1)
	for stop := range order {
		p := Population{Search: s}
		first := halved(t, s, teacher, &p, stop)
		rest := halved(t, s, teacher, &p, -1)
		if got := append(first, rest...); !slices.Equal(got, order) {
			t.Fatalf("stopped after %d: %v, undisturbed %v", stop, got, order)
		}
		if !reflect.DeepEqual(p.Candidates, whole.Candidates) {
			t.Fatalf("stopped after %d: other candidates", stop)
		}
	}
}

func TestHalvingOfAWarmSearch(t *testing.T) {
	s := Search{Tokens: 1024, Warm: Warm{Steps: 32}, Halving: Halving{Rungs: 2}}.WithDefaults()
	tokens, warm := s.Rung(Candidate{}, 128)
	if tokens != 512 || warm.Steps != 16 || warm.Schedule.Horizon != 16 || warm.Schedule.Warmup != 4 {
		t.Errorf("the first rung is %d tokens after %+v", tokens, warm)
	}
	tokens, warm = s.Rung(Candidate{Rungs: []float64{3}}, 128)
	if tokens != 1024 || !reflect.DeepEqual(warm, s.Warm) {
		t.Errorf("the last rung is %d tokens after %+v", tokens, warm)
	}
}

func TestHalvingRefusals(t *testing.T) {
	for _, h := range []Halving{{Rungs: 1, Keep: 0.5}, {Rungs: 2, Keep: 1}, {Rungs: -1, Keep: 0.5}, {Rungs: 99, Keep: 0.5}, {Rungs: 2, Keep: math.NaN()}} {
		if (Search{Bin: Around(30e6, 0.05), Halving: h}).WithDefaults().Validate(smol(t)) == nil {
			t.Errorf("%+v was accepted", h)
		}
	}
}
