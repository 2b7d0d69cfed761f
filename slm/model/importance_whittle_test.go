package model

import (
	"context"
	"math"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// Scores agree with whittle's where both measure the same; testdata/importance/make_whittle.py says where they do not.
func TestImportanceAgreesWithWhittle(t *testing.T) {
	type scores struct{ Heads, FFN []float64 }
	var reference struct {
		Teachers map[string]struct {
			Block, Perplexities []float64
			Mean, Norm          scores
		}
	}
	readReference(t, "testdata/importance/whittle.json", &reference)
	forEachMeasured(t, func(t *testing.T, teacher *Teacher, windows []int32, ours importances) {
		want, ctx := reference.Teachers[teacher.Config.Name], context.Background()
		tokens := float64(len(windows)) / (windowLength + 1) * windowLength
		for _, c := range []struct {
			aggregate slm.Aggregate
			want      scores
			unit      float64 // of whittle's scores
		}{{slm.Mean, want.Mean, 1}, {slm.Norm, want.Norm, math.Sqrt(tokens)}} {
			got, err := teacher.Activations(ctx, windows, windowLength, c.aggregate, nil)
			if err != nil {
				t.Fatal(err)
			}
			same(t, string(c.aggregate)+" of heads", summed(got.Heads, c.unit), c.want.Heads)
			if teacher.Config.Gated() {
				same(t, string(c.aggregate)+" of neurons", summed(got.FFN, c.unit), c.want.FFN)
			}
			same(t, "block importance", got.Layers, want.Block)
		}
		drop, err := teacher.LayerDrop(ctx, windows, windowLength, nil)
		if err != nil {
			t.Fatal(err)
		}
		for l, more := range drop.Layers {
			drop.Layers[l] = math.Exp(ours.Losses[0] + more)
		}
		same(t, "perplexity without a layer", drop.Layers, want.Perplexities)
	})
}

// summed adds the scores of all layers up.
func summed(scores [][]float64, unit float64) []float64 {
	out := make([]float64, len(scores[0]))
	for _, layer := range scores {
		for i, s := range layer {
			out[i] += unit * s
		}
	}
	return out
}
