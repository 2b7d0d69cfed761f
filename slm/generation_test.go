package slm

import (
	"math"
	"testing"
)

// Frequencies of drawn tokens must be those of softmax(logits/temperature), cut at TopP.
func TestChooseDrawsTheDistribution(t *testing.T) {
	logits := []float32{1, 3, 2, -1}
	for _, c := range []struct {
		name string
		g    Generation
		want []float64
	}{
		{"greedy", Generation{}, []float64{0, 1, 0, 0}},
		{"temperature 1", Generation{Temperature: 1}, softmax(logits, 1)},
		{"temperature 3", Generation{Temperature: 3}, softmax(logits, 3)},
		// The likeliest two have 0.67 and 0.24 of the mass: together they are the first to reach 0.8.
		{"top-p 0.8", Generation{Temperature: 1, TopP: 0.8}, []float64{0, 1 / (1 + math.Exp(-1)), 1 / (1 + math.E), 0}},
		{"top-p below the best", Generation{Temperature: 1, TopP: 0.1}, []float64{0, 1, 0, 0}},
	} {
		const draws = 40000
		counts, r := make([]float64, len(logits)), c.g.Rand()
		for range draws {
			counts[c.g.Choose(logits, r)] += 1.0 / draws
		}
		for i := range counts {
			if math.Abs(counts[i]-c.want[i]) > 0.01 {
				t.Errorf("%s: token %d was drawn with frequency %.3f, want %.3f", c.name, i, counts[i], c.want[i])
			}
		}
	}
}

func softmax(logits []float32, temperature float64) []float64 {
	out, sum := make([]float64, len(logits)), 0.0
	for i, v := range logits {
		out[i] = math.Exp(float64(v) / temperature)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

func TestChooseFollowsItsSeed(t *testing.T) {
	logits := make([]float32, 100)
	draw := func(seed uint64) (out [8]int32) {
		g := Generation{Temperature: 1, Seed: seed}
		r := g.Rand()
		for i := range out {
			out[i] = g.Choose(logits, r)
		}
		return out
	}
	if first, again := draw(1), draw(1); first != again || first == draw(2) {
		t.Error("a generation does not depend on its seed alone")
	}
}

func TestGenerationValidate(t *testing.T) {
	for _, g := range []Generation{{}, {Tokens: 1, Temperature: -1}, {Tokens: 1, Temperature: math.NaN()}, {Tokens: 1, TopP: 1.1}, {Tokens: -2}} {
		if g.Validate() == nil {
			t.Errorf("%+v was accepted", g)
		}
	}
}
