package model

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// The teacher's loss and logits agree with those of transformers on the same tokens and dequantized weights:
// ../checkpoint/testdata/reference.py made the reference.
func TestTeacherAgreesWithTransformers(t *testing.T) {
	var reference struct {
		IDs    []byte             `json:"ids"`
		Window int                `json:"window"`
		NLL    map[string]float64 `json:"nll"`
		Logits []float64          `json:"logits"`
	}
	text, err := os.ReadFile("../checkpoint/testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &reference); err != nil {
		t.Fatal(err)
	}
	ids := make([]int32, len(reference.IDs)/2)
	for i := range ids {
		ids[i] = int32(binary.LittleEndian.Uint16(reference.IDs[2*i:]))
	}
	teacher := loadSmolLM2(t)
	ctx := context.Background()
	for _, c := range []struct {
		tokens string
		count  int
	}{{"512", 512}, {"20480", 20480}} {
		if c.count > 1000 && testing.Short() {
			continue
		}
		got, err := teacher.Loss(ctx, slm.Subnet{}, ids[:c.count], reference.Window-1)
		if err != nil {
			t.Fatal(err)
		}
		want := reference.NLL[c.tokens]
		t.Logf("%s tokens: loss %.6f, transformers %.6f; perplexity %.4f and %.4f", c.tokens, got, want, math.Exp(got), math.Exp(want))
		if math.Abs(got-want) > 1e-4*want {
			t.Errorf("%s tokens: loss %.6f, transformers has %.6f", c.tokens, got, want)
		}
	}
	logits, err := teacher.Logits(ctx, tensors.FromFlatDataAndDimensions(ids[:reference.Window], 1, reference.Window))
	if err != nil {
		t.Fatal(err)
	}
	defer free(logits)
	all := tensors.MustCopyFlatData[float32](logits)
	last := all[len(all)-teacher.Config.Vocab:]
	for i, want := range reference.Logits {
		if math.Abs(float64(last[i])-want) > 1e-4*math.Abs(want) {
			t.Errorf("logit %d is %g, transformers has %g", i, last[i], want)
		}
	}
}

func loadSmolLM2(t *testing.T) *Teacher {
	t.Helper()
	home := os.Getenv("OFFSHOOT_HOME")
	if home == "" {
		home = "../../.offshoot"
	}
	path := filepath.Join(home, "teachers", "smollm2-135m.gguf")
	if _, err := os.Stat(path); err != nil {
		t.Skip("the teacher smollm2-135m is not installed: go run ./kernelext/lab setup")
	}
	file, err := checkpoint.Open(context.Background(), path, checkpoint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	backend, err := NewBackend()
	if err != nil {
		t.Fatal(err)
	}
	teacher, err := Load(context.Background(), backend, file.Config, file.Source, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { teacher.Close(); backend.Finalize() })
	return teacher
}
