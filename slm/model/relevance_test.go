package model

import (
	"context"
	"encoding/binary"
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/slm"
)

// Scores are worth something: what is left with the most important units is nearer to the teacher than what is left with
// the least important ones. The weights are random, so that losses on a text would say nothing; neither would query groups,
// which then matter much alike.
func TestImportantUnitsMatter(t *testing.T) {
	for _, name := range []string{"neox", "llama-untied-gqa"} {
		teacher := openTiny(t, filepath.Join(transformersCases, name))
		c := teacher.Config
		windows := someTokens(8*25, c.Vocab)
		inputs, _ := SplitWindows(windows, 24)
		whole := slm.Sizes{Depth: c.Layers, Embd: c.Embd, QueryGroups: c.QueryGroups, HeadsPerGroup: c.HeadsPerGroup(), HeadSize: c.HeadSize, FFN: c.FFN}
		embd, ffn := whole, whole
		embd.Embd, ffn.FFN = c.Embd*3/4, c.FFN/2
		activations, err := teacher.Activations(context.Background(), windows, 24, slm.Mean, nil)
		if err != nil {
			t.Fatal(err)
		}
		norms, err := teacher.WeightNorms()
		if err != nil {
			t.Fatal(err)
		}
		for _, scores := range []slm.Importance{activations, norms} {
			for dimension, sizes := range map[string]slm.Sizes{"embd": embd, "ffn": ffn} {
				most := away(t, teacher, sizes, slm.ByImportance(scores), inputs)
				least := away(t, teacher, sizes, leastImportant(scores), inputs)
				t.Logf("%s, %s, %s: %.3f with the most important, %.3f with the least", name, scores.Method, dimension, most, least)
				if !(most < least) {
					t.Errorf("%s, %s: with the most important units of %s logits are %g away, with the least %g", name, scores.Method, dimension, most, least)
				}
			}
		}
	}
}

// Of a real teacher three quarters of the neurons are kept, on a text other than the one where they were measured. With the
// largest activations that costs a third of a nat per token, with neurons at random above two. Norms of weights are no such
// guide: the neurons that they keep had a loss of 14 on the same text.
func TestImportantNeuronsOfSmolLM2(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	var reference struct{ IDs []byte }
	readReference(t, "../checkpoint/testdata/reference.json", &reference)
	ids := make([]int32, len(reference.IDs)/2)
	for i := range ids {
		ids[i] = int32(binary.LittleEndian.Uint16(reference.IDs[2*i:]))
	}
	teacher, ctx, window := loadSmolLM2(t), context.Background(), 256
	measured, heldOut := ids[:4*window], ids[16*window:18*window]
	scores, err := teacher.Activations(ctx, measured, window-1, slm.Norm, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := teacher.Config
	sizes := slm.Sizes{Depth: c.Layers, Embd: c.Embd, QueryGroups: c.QueryGroups, HeadsPerGroup: c.HeadsPerGroup(), HeadSize: c.HeadSize, FFN: c.FFN * 3 / 4}
	loss := func(p slm.Pruner) float64 {
		s, err := slm.Prune(c, sizes, p)
		if err != nil {
			t.Fatal(err)
		}
		nats, err := teacher.Loss(ctx, s, heldOut, window-1)
		if err != nil {
			t.Fatal(err)
		}
		return nats
	}
	most, random, least := loss(slm.ByImportance(scores)), loss(slm.AtRandom(1)), loss(leastImportant(scores))
	t.Logf("loss with the most important neurons %.3f, at random %.3f, with the least important %.3f", most, random, least)
	if !(most+1 < random && random < least) {
		t.Errorf("loss with the most important neurons %.3f, at random %.3f, with the least important %.3f", most, random, least)
	}
}

// leastImportant keeps what [slm.ByImportance] would drop first.
func leastImportant(i slm.Importance) slm.Pruner {
	order := slm.ByImportance(i)
	return func(u slm.Units, n int) []int {
		all := order(u, u.Count)
		return all[len(all)-n:]
	}
}

// away is the mean square difference between the logits of a pruned teacher and its own, over the mean square of its own.
func away(t *testing.T, teacher *Teacher, sizes slm.Sizes, p slm.Pruner, inputs *tensors.Tensor) float64 {
	t.Helper()
	s, err := slm.Prune(teacher.Config, sizes, p)
	if err != nil {
		t.Fatal(err)
	}
	got, want := inPlace(t, teacher, s, inputs), inPlace(t, teacher, slm.Subnet{}, inputs)
	difference, size := 0.0, 0.0
	for i := range want {
		d := float64(got[i] - want[i])
		difference, size = difference+d*d, size+float64(want[i])*float64(want[i])
	}
	return difference / size
}
