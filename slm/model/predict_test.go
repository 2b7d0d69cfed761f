package model

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// near is the project's promise for losses, probabilities and weights of attention.
const near = 1e-5

// A teacher expects what transformers expects, and its heads look where transformers' look: every family.
func TestPredictionsAgreeWithTransformers(t *testing.T) {
	var reference struct {
		Tokens   []int32 `json:"tokens"`
		Teachers map[string]struct {
			Losses    []float64   `json:"losses"`
			Likeliest [][]int32   `json:"likeliest"`
			Chances   [][]float64 `json:"chances"`
			Attention []byte      `json:"attention"`
		} `json:"teachers"`
	}
	readReference(t, "testdata/predictions/expected.json", &reference)
	if len(reference.Teachers) < 3 {
		t.Fatalf("%d teachers", len(reference.Teachers))
	}
	for name, want := range reference.Teachers {
		t.Run(name, func(t *testing.T) {
			teacher := openTiny(t, filepath.Join(transformersCases, name))
			p, err := teacher.Predict(t.Context(), slm.Subnet{}, reference.Tokens)
			if err != nil {
				t.Fatal(err)
			}
			farthest := 0.0
			for i, ids := range want.Likeliest {
				if i > 0 {
					farthest = max(farthest, math.Abs(p.Tokens[i].Loss-want.Losses[i-1]))
				}
				for k, id := range ids {
					got := p.After(i)[k]
					farthest = max(farthest, math.Abs(got.Probability-want.Chances[i][k]))
					if got.ID != id {
						t.Errorf("after token %d: likeliest %d is %d, transformers has %d", i, k, got.ID, id)
					}
				}
			}
			attention := floats(t, want.Attention)
			maps, err := teacher.Attention(t.Context(), slm.Subnet{}, reference.Tokens, slm.Indices{}, slm.Indices{})
			if err != nil || len(maps) != teacher.Config.Layers*teacher.Config.Heads {
				t.Fatalf("%d maps (%v)", len(maps), err)
			}
			size := len(reference.Tokens)
			for i, m := range maps {
				if m.Layer != i/teacher.Config.Heads || m.Head != i%teacher.Config.Heads {
					t.Errorf("map %d is of layer %d, head %d", i, m.Layer, m.Head)
				}
				for row, weights := range m.Weights {
					for column, weight := range weights {
						farthest = max(farthest, math.Abs(float64(weight-attention[(i*size+row)*size+column])))
					}
				}
			}
			t.Logf("farthest from transformers: %.1e", farthest)
			if !(farthest <= near) {
				t.Errorf("farthest from transformers: %g", farthest)
			}
		})
	}
}

// A sub-network in place and the student that was extracted expect the same, and look at the same, head by head.
func TestPredictionsInPlaceAndExtractedAgree(t *testing.T) {
	llama, neox := tinies()[0], tinies()[1]
	for _, c := range []struct {
		config slm.Config
		subnet slm.Subnet
	}{{llama, fine(llama, false, slm.Recomputed, 1)}, {neox, slm.Subnet{Layers: []slm.LayerSubnet{{Layer: 1}, {Layer: 3}}}}} {
		config, s := c.config, c.subnet
		t.Run(config.Name, func(t *testing.T) {
			backend, teacher := newTiny(t, config)
			tokens := someTokens(19, config.Vocab)
			weights, err := teacher.Extract(s)
			if err != nil {
				t.Fatal(err)
			}
			student, err := NewStudent(backend, config, s, weights)
			if err != nil {
				t.Fatal(err)
			}
			defer student.Close()
			got, err := teacher.Predict(t.Context(), s, tokens)
			if err != nil {
				t.Fatal(err)
			}
			want, err := student.Predict(t.Context(), tokens)
			if err != nil {
				t.Fatal(err)
			}
			loss, err := teacher.Loss(t.Context(), s, tokens, len(tokens)-1)
			if err != nil || math.Abs(got.Loss()-loss) > near*loss || math.Abs(want.Loss()-loss) > near*loss {
				t.Errorf("mean losses %g and %g, the sub-network's is %g (%v)", got.Loss(), want.Loss(), loss, err)
			}
			for i := range tokens {
				if a, b := got.After(i)[0], want.After(i)[0]; a.ID != b.ID || math.Abs(a.Probability-b.Probability) > 10*near {
					t.Errorf("after token %d: %+v in place, %+v extracted", i, a, b)
				}
			}
			inPlace, err := teacher.Attention(t.Context(), s, tokens, slm.Indices{}, slm.Indices{})
			if err != nil {
				t.Fatal(err)
			}
			extracted, err := student.Attention(t.Context(), tokens, slm.Indices{}, slm.Indices{})
			if err != nil || len(inPlace) != len(extracted) {
				t.Fatalf("%d and %d maps (%v)", len(inPlace), len(extracted), err)
			}
			for i, m := range inPlace {
				for row, weights := range m.Weights {
					if d, _ := farthest(weights, extracted[i].Weights[row]); !(d <= 10*near) {
						t.Errorf("layer %d, head %d, token %d: weights differ by %g", m.Layer, m.Head, row, d)
					}
				}
			}
		})
	}
}

func TestPredictRefuses(t *testing.T) {
	config := tiny(true)
	_, teacher := newTiny(t, config)
	_, err := teacher.Predict(t.Context(), slm.Subnet{}, make([]int32, config.Context+1))
	if err == nil || !strings.Contains(err.Error(), "65 tokens: want 1 to 64") {
		t.Errorf("a text longer than the context: %v", err)
	}
	if _, err := teacher.Attention(t.Context(), slm.Subnet{}, nil, slm.Indices{}, slm.Indices{}); err == nil {
		t.Error("an empty text was read")
	}
	kept := slm.Subnet{Layers: []slm.LayerSubnet{{Layer: 2}}}
	if _, err := teacher.Attention(t.Context(), kept, someTokens(5, config.Vocab), slm.IndicesOf(1), slm.Indices{}); err == nil || !strings.Contains(err.Error(), "no kept head") {
		t.Errorf("a dropped layer's heads: %v", err)
	}
	one, err := teacher.Attention(t.Context(), kept, someTokens(5, config.Vocab), slm.Indices{}, slm.IndicesOf(4))
	if err != nil || len(one) != 1 || one[0].Head != 4 || len(one[0].Weights[4]) != 5 {
		t.Errorf("%v, %v", one, err)
	}
}
