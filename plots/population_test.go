package plots

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

func TestPopulationNumbers(t *testing.T) {
	p := sampleSearch(t, 8, 2)
	p.Candidates[0].Loss = math.NaN()
	p.Candidates[1].Loss = math.Inf(1)
	n := populationNumbers(p, slm.MinimizeParameters)
	if n.unfinished != 2 || n.finished != len(p.Candidates)-2 {
		t.Errorf("%d drawn and %d not, of %d with two that have no loss", n.finished, n.unfinished, len(p.Candidates))
	}
	if len(n.groups) != 3 || n.groups[2].name() != "gen 2" {
		t.Errorf("groups %+v, want three generations", n.groups)
	}
	best, ok := n.best()
	for _, c := range p.Candidates[2:] {
		if !ok || c.Loss < best.loss {
			t.Errorf("candidate %d with loss %g is better than the best, %g", c.ID, c.Loss, best.loss)
		}
		if x := float64(c.Parameters); x <= n.left || x >= n.right || c.Loss <= n.low || c.Loss >= n.high {
			t.Errorf("candidate %d lies outside the axes", c.ID)
		}
	}
	if n.left >= float64(p.Search.Bin.Lower) || n.right <= float64(p.Search.Bin.Upper) {
		t.Errorf("axis %g to %g does not show the whole bin %s", n.left, n.right, p.Search.Bin)
	}
	if len(n.elites) != p.Search.Elites {
		t.Errorf("%d elites, want %d", len(n.elites), p.Search.Elites)
	}
}

// A failure is said, not drawn, wherever it came from: a population that was read back from JSON has no numbers of it.
func TestFailuresAreNotDrawn(t *testing.T) {
	p := sampleSearch(t, 8, 1)
	p.Search.Warm = slm.Warm{Steps: 3}.WithDefaults()
	for i := range p.Candidates {
		p.Candidates[i].Untrained = p.Candidates[i].Loss + 1
	}
	p.Candidates[0].Failure = "out of memory" // and a loss of an earlier rung
	p.Candidates[1] = p.Search.Judge(p.Candidates[1], math.NaN())
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var again slm.Population
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if n := populationNumbers(again, slm.MinimizeParameters); n.unfinished != 2 || n.finished != len(p.Candidates)-2 || !strings.Contains(n.caption(), "2 without a loss.") {
		t.Errorf("%d drawn, %d not, caption %q", n.finished, n.unfinished, n.caption())
	}
	if pairs := correlationNumbers([]slm.Population{again})[0]; len(pairs.points) != len(p.Candidates)-2 || pairs.foresight.Candidates != len(p.Candidates)-2 {
		t.Errorf("%d pairs of losses, a foresight of %d", len(pairs.points), pairs.foresight.Candidates)
	}
}

func TestCandidateNumbers(t *testing.T) {
	teacher, _ := slm.Published("smollm2-135m")
	c := slm.Candidate{ID: 7, Generation: 2, Origin: "crossover", Parents: []int{3, 5}, Parameters: 30e6, FLOPs: 210e6, Loss: 9,
		Subnet: slm.Subnet{Embd: slm.First(160), Layers: []slm.LayerSubnet{
			{Layer: 0, Heads: slm.First(3), QueryGroups: slm.First(1), FFN: slm.First(384)},
			{Layer: 29, FFN: slm.First(384)}}}}
	want := candidate{id: 7, generation: 2, cost: 210e6, parameters: 30e6, flops: 210e6, loss: 9, layers: 2, embd: 160, heads: "3-9", ffn: "384",
		origin: "crossover", parents: "#3 and #5"}
	if got := candidateNumbers(teacher, c, 210e6); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// With halving, elites and the best come from those that were judged on the most text, and the others are pale.
func TestHalvingDrawsEarlyRungsPale(t *testing.T) {
	p := sampleSearch(t, 8, 1)
	for i := range p.Candidates {
		c := &p.Candidates[i]
		c.Rungs = []float64{c.Loss}
		if i%4 == 0 {
			c.Loss += 5 // on all of the text
			c.Rungs = append(c.Rungs, c.Loss)
		}
	}
	n := populationNumbers(p, slm.MinimizeParameters)
	best, _ := n.best()
	if best.rungs != 2 || n.rungs != 2 || n.finished != len(p.Candidates) {
		t.Errorf("best %+v of %d rungs, %d drawn", best, n.rungs, n.finished)
	}
	if g := n.groups[0]; len(g.candidates) != 2 || len(g.early) != 6 {
		t.Errorf("%d candidates were judged on all of the text and %d were not, want 2 and 6", len(g.candidates), len(g.early))
	}
	if !strings.Contains(n.caption(), "Pale: on less text.") {
		t.Errorf("caption %q", n.caption())
	}
}

func TestLongSearchesShareColours(t *testing.T) {
	n := populationNumbers(manyCandidates(400), slm.MinimizeParameters)
	if len(n.groups) > mostGroups {
		t.Errorf("%d groups, want at most %d", len(n.groups), mostGroups)
	}
	if first := n.groups[0].name(); first != "gen 0-6" {
		t.Errorf("the first group is %q", first)
	}
	if n.finished != 400 {
		t.Errorf("%d of 400 candidates are in a group", n.finished)
	}
}

func TestPerplexityTicks(t *testing.T) {
	for _, test := range []struct {
		from, to float64
		want     []float64
	}{
		{8, 2e4, []float64{10, 100, 1e3, 1e4}},
		{9e3, 1.2e6, []float64{1e4, 3e4, 1e5, 3e5, 1e6}},
		{14, 160, []float64{15, 20, 30, 50, 70, 100, 150}},
		{101, 122, []float64{105, 110, 115, 120}},
		{5, 3e20, []float64{10, 1e4, 1e7, 1e10, 1e13, 1e16, 1e19}},
	} {
		var got []float64
		for _, tick := range perplexityTicks(math.Log(test.from), math.Log(test.to)) {
			got = append(got, roundTo3(math.Exp(tick)))
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%g to %g: %v, want %v", test.from, test.to, got, test.want)
		}
	}
}

func roundTo3(v float64) float64 {
	scale := math.Pow10(int(math.Floor(math.Log10(v))) - 2)
	return math.Round(v/scale) * scale
}

// Six ordinary losses from 3 to 4 and two that are far beyond: the axis ends before those, and says so.
func TestOutliersDoNotStretchTheAxis(t *testing.T) {
	p := slm.Population{Search: slm.Search{Bin: slm.Around(30e6, 0.05)}}
	for i, loss := range []float64{3, 3.2, 3.4, 3.6, 3.8, 4, 9, 12} {
		p.Candidates = append(p.Candidates, slm.Candidate{ID: i, Loss: loss, Parameters: 30e6})
	}
	n := populationNumbers(p, slm.MinimizeParameters)
	if n.above != 2 || n.high > 8 || !strings.Contains(n.caption(), "Top: 2 far worse.") {
		t.Errorf("%d above an axis to %g, caption %q", n.above, n.high, n.caption())
	}
	if at := n.points(n.groups[0].candidates)[7]; at.Value.([]any)[1] != rounded(n.high, 5) || at.Value.([]any)[12] != 12.0 {
		t.Errorf("the worst is drawn as %v", at)
	}
	if got := fence([]float64{1, 2, 3, 100}); got != 100 {
		t.Errorf("so few losses end at %g", got)
	}
}

// Of points a, b, c and d with the costs 1 to 4, c is worse than b and dearer; of a and e with one cost, e is worse.
func TestParetoFront(t *testing.T) {
	p := slm.Population{Search: slm.Search{Strategy: slm.NSGA2, Objectives: []slm.Objective{slm.MinimizeLoss, slm.MinimizeFLOPs}}}
	for i, at := range [][2]float64{{4, 1}, {3, 2}, {3.5, 3}, {2, 4}, {5, 1}} {
		p.Candidates = append(p.Candidates, slm.Candidate{ID: i, Loss: at[0], FLOPs: int64(at[1]) * 1e9, Parameters: 30e6})
	}
	var got []int
	for _, c := range populationNumbers(p, slm.MinimizeFLOPs).front {
		got = append(got, c.id)
	}
	if want := []int{0, 1, 3}; !reflect.DeepEqual(got, want) {
		t.Errorf("front %v, want %v", got, want)
	}
	if n := populationNumbers(p, slm.MinimizeParameters); n.front != nil {
		t.Error("a front along an axis for which the search did not look")
	}
	if n := populationNumbers(p, slm.MinimizeLatency); n.unmeasured != 5 || n.finished != 0 {
		t.Errorf("%d without a latency, %d drawn", n.unmeasured, n.finished)
	}
	if _, err := PopulationBy(p, slm.MinimizeLoss).SVG(); err == nil {
		t.Error("the loss was drawn against the loss")
	}
}

func TestCostAxis(t *testing.T) {
	for _, test := range []struct {
		cost        slm.Objective
		left, right float64
		want        costAxis
	}{
		{slm.MinimizeParameters, 28e6, 32e6, costAxis{"parameters (millions)", 1e6, "millions", 1}},
		{slm.MinimizeFLOPs, 1e9, 9e9, costAxis{"forward FLOPs per token (billions)", 1e9, "billions", 0}},
		{slm.MinimizeKVCache, 384, 960, costAxis{"KV cache per token (bytes)", 1, "bytes", 0}},
		{slm.MinimizeLatency, 0.04, 0.2, costAxis{"latency of 1,000 tokens (ms)", 1e-3, "ms", 0}},
	} {
		if got := costs[test.cost].axis(test.left, test.right); got != test.want {
			t.Errorf("%s from %g to %g: %+v, want %+v", test.cost, test.left, test.right, got, test.want)
		}
	}
}

// Of a crowd the best of each place is drawn, and it says how many it stands for.
func TestThin(t *testing.T) {
	n := populationNumbers(manyCandidates(5000), slm.MinimizeParameters)
	shown, least := 0, false
	for _, g := range n.groups {
		for _, c := range g.candidates {
			shown += 1 + c.covers
			least = least || c.id == n.elites[0].id
		}
	}
	if shown != 5000 || !least || n.hidden < 5000-mostPoints {
		t.Errorf("the points stand for %d of 5000, the best among them: %v; %d hidden", shown, least, n.hidden)
	}
}

func TestPopulationCaption(t *testing.T) {
	empty := populationNumbers(slm.Population{}, slm.MinimizeParameters)
	if got := empty.caption(); got != "No candidate has been evaluated yet." {
		t.Errorf("empty: %q", got)
	}
	growing := sampleSearch(t, 8, 2)
	growing.Candidates = growing.Candidates[:5]
	if got := populationNumbers(growing, slm.MinimizeParameters).caption(); !strings.HasPrefix(got, "5 of 20 evaluations. Best so far: perplexity ") {
		t.Errorf("growing: %q", got)
	}
	failed := populationNumbers(slm.Population{Candidates: []slm.Candidate{{Loss: math.NaN()}}}, slm.MinimizeParameters)
	if got := failed.caption(); !strings.Contains(got, "1 without a loss.") {
		t.Errorf("failed: %q", got)
	}
}
