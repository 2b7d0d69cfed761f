package model

import (
	"context"
	"math"
	"path/filepath"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// importances are what transformers' modules say of teachers in testdata/transformers.
type importances struct {
	Block, Losses []float64
	Norms         struct {
		Layers, Embd []float64
		QueryGroups  [][]float64 `json:"query_groups"`
		Heads, FFN   [][]float64
	}
	Activations map[slm.Aggregate]struct {
		Heads, FFN [][]float64
		Embd       []float64
	}
}

// forEachMeasured runs a test on every teacher of the reference, with its windows of 24 tokens.
func forEachMeasured(t *testing.T, test func(t *testing.T, teacher *Teacher, windows []int32, want importances)) {
	var reference struct{ Teachers map[string]importances }
	readReference(t, "testdata/importance/expected.json", &reference)
	if len(reference.Teachers) != 3 {
		t.Fatalf("%d teachers", len(reference.Teachers))
	}
	for name, want := range reference.Teachers {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(transformersCases, name)
			var text struct{ Tokens [][]int32 }
			readReference(t, filepath.Join(folder, "expected.json"), &text)
			var windows []int32
			for _, row := range text.Tokens {
				windows = append(windows, row...)
			}
			teacher := openTiny(t, folder)
			teacher.Config.Name = name
			test(t, teacher, windows, want)
		})
	}
}

const windowLength = 23 // tokens that are read of each window

// same compares scores with the reference's, relative to the largest of a list.
func same(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) || len(want) == 0 {
		t.Fatalf("%s: %d scores, the reference has %d", what, len(got), len(want))
	}
	difference, largest := 0.0, 0.0
	for i := range want {
		difference, largest = max(difference, math.Abs(got[i]-want[i])), max(largest, math.Abs(want[i]))
	}
	if !(difference <= 1e-5*largest) {
		t.Errorf("%s: scores differ by %g of %g", what, difference, largest)
	}
	t.Logf("%s: scores differ by %.1e of the largest", what, difference/largest)
}

func sameInLayers(t *testing.T, what string, got, want [][]float64) {
	t.Helper()
	var flatGot, flatWant []float64
	for l := range want {
		flatGot, flatWant = append(flatGot, got[l]...), append(flatWant, want[l]...)
	}
	same(t, what, flatGot, flatWant)
}

func TestActivationsAgreeWithTransformers(t *testing.T) {
	forEachMeasured(t, func(t *testing.T, teacher *Teacher, windows []int32, want importances) {
		for _, aggregate := range slm.Aggregates {
			got, err := teacher.Activations(context.Background(), windows, windowLength, aggregate, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := got.Validate(teacher.Config); err != nil {
				t.Fatal(err)
			}
			sameInLayers(t, string(aggregate)+" of heads", got.Heads, want.Activations[aggregate].Heads)
			sameInLayers(t, string(aggregate)+" of neurons", got.FFN, want.Activations[aggregate].FFN)
			same(t, string(aggregate)+" of embedding dimensions", got.Embd, want.Activations[aggregate].Embd)
			same(t, "layers", got.Layers, want.Block)
			each := teacher.Config.HeadsPerGroup()
			for l, groups := range got.QueryGroups {
				for g, score := range groups {
					sum := 0.0
					for _, h := range got.Heads[l][g*each : (g+1)*each] {
						sum += h
					}
					if math.Abs(score-sum/float64(each)) > 1e-12*score {
						t.Errorf("query group %d of layer %d scores %g, the mean of its heads is %g", g, l, score, sum/float64(each))
					}
				}
			}
		}
	})
}

func TestLayerScoresAgreeWithTransformers(t *testing.T) {
	forEachMeasured(t, func(t *testing.T, teacher *Teacher, windows []int32, want importances) {
		block, err := teacher.BlockImportance(context.Background(), windows, windowLength, nil)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "block importance", block.Layers, want.Block)
		drop, err := teacher.LayerDrop(context.Background(), windows, windowLength, nil)
		if err != nil {
			t.Fatal(err)
		}
		var more []float64
		for _, without := range want.Losses[1:] {
			more = append(more, without-want.Losses[0])
		}
		same(t, "layer drop", drop.Layers, more)
	})
}

func TestWeightNormsAgreeWithTransformers(t *testing.T) {
	forEachMeasured(t, func(t *testing.T, teacher *Teacher, _ []int32, want importances) {
		got, err := teacher.WeightNorms()
		if err != nil {
			t.Fatal(err)
		}
		same(t, "layers", got.Layers, want.Norms.Layers)
		same(t, "embedding dimensions", got.Embd, want.Norms.Embd)
		sameInLayers(t, "query groups", got.QueryGroups, want.Norms.QueryGroups)
		sameInLayers(t, "heads", got.Heads, want.Norms.Heads)
		sameInLayers(t, "neurons", got.FFN, want.Norms.FFN)
	})
}

// The last batch is filled up with a window that must not count twice, and progress ends with all windows.
func TestActivationsDoNotDependOnBatches(t *testing.T) {
	config := tiny(true)
	_, teacher := newTiny(t, config)
	const seqLen, count = 60, 40 // 17 windows fit into a batch of maxBatchTokens
	windows, seen, of := someTokens(count*(seqLen+1), config.Vocab), 0, 0
	measure := func(windows []int32) slm.Importance {
		i, err := teacher.Activations(context.Background(), windows, seqLen, slm.Mean, func(done, total int) { seen, of = done, total })
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	whole := measure(windows)
	if seen != count || of != count {
		t.Errorf("progress ended at %d of %d windows, there are %d", seen, of, count)
	}
	sum := make([]float64, config.FFN)
	for i := range count {
		for n, score := range measure(windows[i*(seqLen+1) : (i+1)*(seqLen+1)]).FFN[1] {
			sum[n] += score / count
		}
	}
	same(t, "neurons", whole.FFN[1], sum)
}

// A token whose embedding is zero, as padding tokens have, has no direction that a layer could turn.
func TestZeroEmbeddingsHaveScores(t *testing.T) {
	config := tiny(true)
	backend, err := NewBackend()
	if err != nil {
		t.Fatal(err)
	}
	weights := RandomWeights(config, slm.Subnet{}, 1)
	clear(weights["model.embed_tokens.weight"].Data[:config.Embd])
	teacher, err := Load(context.Background(), backend, config, weights, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { teacher.Close(); backend.Finalize() })
	got, err := teacher.Activations(context.Background(), make([]int32, 17), 16, slm.Mean, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Validate(config); err != nil || got.Layers[0] != 1 {
		t.Errorf("a layer that reads nothing scores %g, want 1 (%v)", got.Layers[0], err)
	}
}

func TestMeasuringRefusesAndStops(t *testing.T) {
	config := tiny(true)
	_, teacher := newTiny(t, config)
	ctx, cancel := context.WithCancel(context.Background())
	if _, err := teacher.Activations(ctx, make([]int32, 18), 16, slm.Mean, nil); err == nil {
		t.Error("18 tokens were taken for windows of 17")
	}
	if _, err := teacher.Activations(ctx, make([]int32, 17), 16, "median", nil); err == nil {
		t.Error("an aggregate that is none was taken")
	}
	cancel()
	if _, err := teacher.Activations(ctx, make([]int32, 17), 16, slm.Mean, nil); err == nil {
		t.Error("a cancelled measurement returned scores")
	}
	config.Layers = 1
	_, single := newTiny(t, config)
	if _, err := single.LayerDrop(context.Background(), make([]int32, 17), 16, nil); err == nil {
		t.Error("a teacher lost its only layer")
	}
}
