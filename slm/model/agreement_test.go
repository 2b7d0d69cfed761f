package model

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/slm"
)

// The references were made by the scripts beside them, with the versions that they name.
const (
	transformersCases = "testdata/transformers"
	whittleReference  = "testdata/whittle/expected.json"
)

// agreement is the largest difference to a reference, relative to its largest logit, that float32 arithmetic in another
// order explains; the project promises 1e-4.
const agreement = 2e-5

// The whole model has transformers' logits: every family, tied and untied, grouped queries, scaled rotary positions,
// weights in one file or several, in float32, bfloat16 and float16.
func TestLogitsAgreeWithTransformers(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join(transformersCases, "*", "expected.json"))
	if err != nil || len(folders) < 10 {
		t.Fatalf("%d cases (%v)", len(folders), err)
	}
	for _, path := range folders {
		folder := filepath.Dir(path)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			var want struct {
				Tokens [][]int32 `json:"tokens"`
				Logits []byte    `json:"logits"`
			}
			readReference(t, path, &want)
			var flat []int32
			for _, row := range want.Tokens {
				flat = append(flat, row...)
			}
			teacher := openTiny(t, folder)
			tokens := tensors.FromFlatDataAndDimensions(flat, len(want.Tokens), len(want.Tokens[0]))
			compare(t, inPlace(t, teacher, slm.Subnet{}, tokens), floats(t, want.Logits))
		})
	}
}

// Sub-networks have whittle's logits: first-n and sampled indices of every dimension, one choice for all layers or a list
// of them, smaller heads; inside the teacher, and extracted.
func TestSubnetworksAgreeWithWhittle(t *testing.T) {
	var reference struct {
		Tokens []int32 `json:"tokens"`
		Cases  []struct {
			Teacher string          `json:"teacher"`
			Subnet  slm.Subnet      `json:"subnet"`
			Whittle json.RawMessage `json:"whittle"`
			Logits  []byte          `json:"logits"`
		} `json:"cases"`
	}
	readReference(t, whittleReference, &reference)
	if len(reference.Cases) < 20 {
		t.Fatalf("%d cases", len(reference.Cases))
	}
	teachers := map[string]*Teacher{}
	for _, c := range reference.Cases {
		if teachers[c.Teacher] == nil {
			teachers[c.Teacher] = openTiny(t, filepath.Join(transformersCases, c.Teacher))
		}
	}
	for i, c := range reference.Cases {
		var arguments bytes.Buffer
		if err := json.Compact(&arguments, c.Whittle); err != nil {
			t.Fatal(err)
		}
		t.Run(c.Teacher+" "+arguments.String(), func(t *testing.T) {
			teacher, want := teachers[c.Teacher], floats(t, c.Logits)
			tokens := tensors.FromFlatDataAndDimensions(reference.Tokens, 1, len(reference.Tokens))
			compare(t, inPlace(t, teacher, c.Subnet, tokens), want)
			if i%4 == 0 { // a student compiles for seconds, and equals the sub-network in place by another test
				compare(t, dense(t, teacher.backend, teacher, c.Subnet, tokens), want)
			}
		})
	}
}

func compare(t *testing.T, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d logits, the reference has %d", len(got), len(want))
	}
	difference, largest := farthest(got, want)
	if !(difference <= agreement*largest) || largest < 0.1 {
		t.Errorf("logits differ by %g of %g", difference, largest)
	}
	t.Logf("logits differ by %.1e of the largest", difference/largest)
}

func readReference(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

func floats(t *testing.T, raw []byte) []float32 {
	t.Helper()
	out := make([]float32, len(raw)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return out
}
