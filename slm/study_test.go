package slm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// played is every search of a study, judged by a toy loss.
func played(t testing.TB, s Study, loss func(Search, Candidate) float64) map[string]Population {
	t.Helper()
	teacher := smol(t)
	out := map[string]Population{}
	for _, trial := range s.Trials() {
		if err := trial.Search.Validate(teacher); err != nil {
			t.Fatalf("%s: %v", trial.Name, err)
		}
		judged := func(c Candidate) float64 { return loss(trial.Search, c) }
		out[trial.Name] = Population{Name: trial.Name, Teacher: teacher, Search: trial.Search, Candidates: run(t, trial.Search, teacher, judged)}
	}
	return out
}

func toyStudy() Study {
	small := Search{Population: 8, Generations: 3}
	drawn := small
	drawn.Strategy = RandomSearch
	return Study{Name: "toy", Teacher: "smollm2-135m", Bins: []Bin{Around(30e6, 0.05), Around(60e6, 0.05)}, Spaces: []Space{CoarseUniform, FineLayerWise},
		Variants: []Variant{{"evolution", small}, {"random", drawn}}, Seeds: []uint64{1, 2, 3}}
}

func TestTrialsFillTheGrid(t *testing.T) {
	trials := toyStudy().Trials()
	if len(trials) != 24 || trials[0].Name != "toy-30M-coarse-uniform-evolution-1" || trials[23].Name != "toy-60M-fine-layer-wise-random-3" {
		t.Fatalf("%d trials, from %s to %s", len(trials), trials[0].Name, trials[len(trials)-1].Name)
	}
	names := map[string]bool{}
	for _, trial := range trials {
		s := trial.Search
		if names[trial.Name] || s.Teacher != "smollm2-135m" || s.Bin != trial.Bin || s.Space.Name() != trial.Space ||
			!strings.HasSuffix(trial.Name, fmt.Sprintf("-%d", s.Seed)) {
			t.Errorf("%s: %+v", trial.Name, s)
		}
		names[trial.Name] = true
	}
	if n, want := toyStudy().Evaluations(), 24*(8+3*6); n != want {
		t.Errorf("%d evaluations, want %d", n, want)
	}
}

// The loss knows what the findings must be: evolution finds narrow embeddings, and fine spaces lose a constant.
func TestFindingsOfAToyLoss(t *testing.T) {
	study := toyStudy()
	populations := played(t, study, func(s Search, c Candidate) float64 {
		loss := toyLoss(c)
		if s.Space.Granularity == Fine {
			loss += 100
		}
		return loss
	})
	delete(populations, "toy-60M-fine-layer-wise-random-3")
	unfinished := populations["toy-30M-coarse-uniform-random-2"]
	unfinished.Candidates = unfinished.Candidates[:5]
	populations[unfinished.Name] = unfinished
	found := study.Found(populations)
	if len(found) != 8 {
		t.Fatalf("%d cells, want 8", len(found))
	}
	seeds := map[string]int{"30M coarse-uniform": 2, "30M fine-layer-wise": 3, "60M coarse-uniform": 3, "60M fine-layer-wise": 2}
	total := 0.0
	for _, g := range found.Gains("evolution", "random") {
		name := g.Bin.Middle() + " " + g.Space
		if g.Spread.N != seeds[name] || g.Evaluations != 26 || len(g.BySeed) != g.Spread.N {
			t.Errorf("%s: %+v", name, g)
		}
		total += g.Spread.Mean
		delete(seeds, name)
	}
	if len(seeds) > 0 || total <= 0 {
		t.Errorf("no gains for %v; the others sum to %g", seeds, total)
	}
	for _, bin := range study.Bins {
		ranking := found.Ranking(bin, "evolution")
		if len(ranking) != 2 || ranking[0].Space != "coarse-uniform" || ranking[0].Winning != 3 || ranking[1].Winning != 0 {
			t.Errorf("%s: %+v", bin, ranking)
		}
		if r := ranking[0]; r.Best != SpreadOf(r.BySeed) || r.Best.Max > ranking[1].Best.Min {
			t.Errorf("%s: %+v beside %+v", bin, r, ranking[1])
		}
	}
}

func TestGainIsPairedAndAtEqualEvaluations(t *testing.T) {
	search := func(seed uint64, losses ...float64) (p Population) {
		p.Search.Seed = seed
		for i, loss := range losses {
			p.Candidates = append(p.Candidates, Candidate{ID: i, Loss: loss})
		}
		return p
	}
	found := Found{
		{Cell{Space: "s", Variant: "own"}, []Population{search(2, 5, 4, 1), search(1, 9, 9)}},
		{Cell{Space: "s", Variant: "other"}, []Population{search(1, math.NaN(), 8), search(2, 7, 6), search(3, 0)}},
	}
	want := []Gain{{Space: "s", Variant: "own", Baseline: "other", Evaluations: 2, BySeed: []float64{-1, 2}, Spread: Spread{2, 0.5, -1, 2}, Wins: 1}}
	if got := found.Gains("own", "other"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if got := found.Gains("own", "missing"); got != nil {
		t.Errorf("without a baseline: %+v", got)
	}
}

func TestProgressIsTheSpreadOfBestSoFar(t *testing.T) {
	p := func(losses ...float64) (p Population) {
		for _, loss := range losses {
			p.Candidates = append(p.Candidates, Candidate{Loss: loss})
		}
		return p
	}
	got := Repeated{Searches: []Population{p(5, 7, 3), p(6, 2)}}.Progress()
	if want := []Spread{{2, 5.5, 5, 6}, {2, 3.5, 2, 5}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := p(math.NaN(), 4).BestSoFar(); !math.IsInf(got[0], 1) || got[1] != 4 {
		t.Errorf("best so far %v", got)
	}
	if got := (Repeated{}).Progress(); len(got) != 0 {
		t.Errorf("of no search: %v", got)
	}
}

func TestForetold(t *testing.T) {
	f, ok := Foretold([]float64{1, 2, 3, 4, math.NaN()}, []float64{30, 10, 20, 40, 0})
	if !ok || f.Candidates != 4 || math.Abs(f.Rank-0.4) > 1e-12 || f.Regret != 20 || f.Place != 3 {
		t.Errorf("%+v, %t", f, ok)
	}
	if f.Low >= f.Rank || f.High <= f.Rank || f.Low < -1 || f.High > 1 {
		t.Errorf("an interval from %g to %g around %g", f.Low, f.High, f.Rank)
	}
	if _, ok := Foretold([]float64{1, 1, 1, 1}, []float64{1, 2, 3, 4}); ok {
		t.Error("equal losses foretold something")
	}
	if _, ok := Foretold([]float64{1, 2, 3}, []float64{1, 2, 3}); ok {
		t.Error("three pairs foretold something")
	}
}

// Of many samples without a correlation, one interval in twenty misses 0.
func TestCorrelationIntervalHoldsTheTruth(t *testing.T) {
	r, misses := rand.New(rand.NewPCG(1, 1)), 0
	for range 2000 {
		var a, b []float64
		for range 20 {
			a, b = append(a, r.NormFloat64()), append(b, r.NormFloat64())
		}
		if f, _ := Foretold(a, b); f.Low > 0 || f.High < 0 {
			misses++
		}
	}
	if misses < 60 || misses > 160 {
		t.Errorf("%d of 2000 intervals miss, want about 100", misses)
	}
}

func TestForesightIsOfWarmSearches(t *testing.T) {
	p := Population{Search: Search{Warm: Warm{Steps: 1}}}
	for i := range 6 {
		p.Candidates = append(p.Candidates, Candidate{Untrained: float64(i), Loss: -float64(i)})
	}
	if f, ok := p.Foresight(); !ok || f.Rank != -1 || f.Place != 6 || f.Regret != 5 {
		t.Errorf("%+v, %t", f, ok)
	}
	p.Search.Warm = Warm{}
	if _, ok := p.Foresight(); ok {
		t.Error("a search without training has no loss after it")
	}
}

// Two rungs before the last: the first hides the best candidate, so halving ends with the second best.
func TestLadderPlaysHalving(t *testing.T) {
	rung := func(tokens int, losses ...float64) (p Population) {
		p.Search.Tokens = tokens
		for i, loss := range losses {
			p.Candidates = append(p.Candidates, Candidate{ID: i, Subnet: Subnet{Embd: First(i + 1)}, Loss: loss})
		}
		return p
	}
	searches := []Population{rung(400, 10, 20, 30, 40), rung(100, 9, 1, 2, 8), rung(200, 10, 3, 2, 8)}
	l, ok := LadderOf(searches, 0.5)
	if !ok || len(l.Rungs) != 2 || l.Rungs[0].Tokens != 100 || l.Tokens != 400 || l.Candidates != 4 {
		t.Fatalf("%+v, %t", l, ok)
	}
	// 4 candidates on 100 tokens, 2 of them (the losses 1 and 2) on 200, one of these (the loss 2) on 400.
	if l.Place != 3 || l.Regret != 20 || l.Work != float64(400+400+400)/1600 {
		t.Errorf("%+v", l)
	}
	if searches[0].Search.Tokens != 400 {
		t.Error("the caller's searches were sorted")
	}
	searches[1].Candidates[0].Subnet = Subnet{Embd: First(9)}
	if _, ok := LadderOf(searches, 0.5); ok {
		t.Error("other candidates were compared")
	}
}

// The quality of a teacher: every search is valid, names are unique, and the answers of a toy loss are complete.
func TestQualityAsksWhatItAnswers(t *testing.T) {
	teacher := smol(t)
	full := FullScale.Of(teacher)
	if bins := full.Strategies.Bins; len(bins) != 2 || bins[0] != Around(30e6, 0.05) || bins[1] != Around(60e6, 0.05) {
		t.Errorf("bins %v, want around 30M and 60M", bins)
	}
	names := map[string]bool{}
	for _, study := range append(full.Studies(), QuickScale.Of(teacher).Studies()...) {
		for _, trial := range study.Trials() {
			if err := trial.Search.Validate(teacher); err != nil || names[trial.Name] || len(trial.Name) > 64 {
				t.Errorf("%s: %v, known %t", trial.Name, err, names[trial.Name])
			}
			names[trial.Name] = true
		}
	}
	quick := QuickScale.Of(teacher)
	populations := map[string]Population{}
	for _, study := range quick.Studies() {
		for name, p := range played(t, study, func(s Search, c Candidate) float64 { return toyLoss(c) + 1/float64(s.Tokens+c.ID) }) {
			for i := range p.Candidates {
				p.Candidates[i].Untrained = -p.Candidates[i].Loss
			}
			populations[name] = p
		}
	}
	a := quick.Answers(populations)
	if len(a.Rankings) != 1 || len(a.Rankings[0].Spaces) != 4 || len(a.Drawn) != 4 || len(a.Gains) != 4 || len(a.Reordered) != 2 || len(a.Evolved) != 2 || len(a.Ordered) != 2 ||
		len(a.Warm) != 1 || len(a.Text) != 2 || len(a.Slice) != 2 {
		t.Errorf("answers are missing: %+v", a)
	}
	for _, f := range a.Warm {
		if f.Rank != -1 {
			t.Errorf("%s: correlation %g of losses with their opposites", f.Space, f.Rank)
		}
	}
	var text strings.Builder
	if err := a.Write(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"28.5M-31.5M  fine-layer-wise", "1 of 1", "untrained, trained", "-1.00 (", "128 tokens, 512 tokens", "halving over these, 75% of the work"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the tables do not say %q:\n%s", want, &text)
		}
	}
	if empty := quick.Answers(nil); empty.Rankings != nil || empty.Gains != nil || empty.Warm != nil || empty.Text != nil {
		t.Errorf("answers of nothing: %+v", empty)
	}
}
