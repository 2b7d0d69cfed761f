package model

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/slm"
)

// A reordered teacher computes the same, and the first units of it are those that the order puts first.
func TestReorderKeepsTheFunction(t *testing.T) {
	for _, config := range tinies() {
		t.Run(config.Name, func(t *testing.T) {
			backend, teacher := newTiny(t, config)
			order, err := randomImportance(config).Order(config)
			if err != nil {
				t.Fatal(err)
			}
			source, err := teacher.Extract(slm.Subnet{})
			if err != nil {
				t.Fatal(err)
			}
			weights, err := Reorder(source, config, order)
			if err != nil {
				t.Fatal(err)
			}
			moved, err := Load(context.Background(), backend, config, weights, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer moved.Close()
			tokens := tensors.FromFlatDataAndDimensions(someTokens(2*16, config.Vocab), 2, 16)
			firsts := slm.Sizes{Depth: 3, Embd: 20, QueryGroups: 2, HeadsPerGroup: config.HeadsPerGroup(), HeadSize: 8, FFN: 31}.Subnet(config)
			for _, s := range []slm.Subnet{{}, firsts} {
				got, want := inPlace(t, moved, s, tokens), inPlace(t, teacher, order.Subnet(config, s), tokens)
				if difference, largest := farthest(got, want); !(difference <= 1e-5*largest) || largest < 0.1 {
					t.Errorf("%v: logits differ by %g of %g", s, difference, largest)
				}
			}
			// Were the order lost on the way, the first units of both would be the same.
			if difference, largest := farthest(inPlace(t, moved, firsts, tokens), inPlace(t, teacher, firsts, tokens)); difference < 1e-2*largest {
				t.Errorf("the reordered teacher has the units where they were: logits differ by %g of %g", difference, largest)
			}
		})
	}
}

// randomImportance scores every unit at random.
func randomImportance(c slm.Config) slm.Importance {
	r := rand.New(rand.NewPCG(1, 2))
	scores := func(n int) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = r.Float64()
		}
		return out
	}
	i := slm.Importance{Method: "random", Embd: scores(c.Embd)}
	for range c.Layers {
		i.QueryGroups, i.Heads, i.FFN = append(i.QueryGroups, scores(c.QueryGroups)), append(i.Heads, scores(c.Heads)), append(i.FFN, scores(c.FFN))
	}
	return i
}

func TestReorderRefuses(t *testing.T) {
	config := tiny(true)
	order, err := randomImportance(config).Order(config)
	if err != nil {
		t.Fatal(err)
	}
	weights := RandomWeights(config, slm.Subnet{}, 1)
	wrong := order
	wrong.Embd = slices.Repeat([]int{0}, config.Embd)
	if _, err := Reorder(weights, config, wrong); err == nil {
		t.Error("an order that names one dimension many times was taken")
	}
	delete(weights, "model.norm.weight")
	if _, err := Reorder(weights, config, order); err == nil {
		t.Error("a model without its last norm was reordered")
	}
}
