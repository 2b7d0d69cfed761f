package distill_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// Every family trains as PyTorch does: testdata/families.py made the reference.
func TestFamiliesTrainAsInPyTorch(t *testing.T) {
	var reference struct {
		Windows []int32 `json:"windows"`
		Cases   map[string][]struct {
			Loss     float64 `json:"loss"`
			GradNorm float64 `json:"grad_norm"`
		} `json:"cases"`
	}
	text, err := os.ReadFile("testdata/families.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &reference); err != nil {
		t.Fatal(err)
	}
	settings := slm.Distillation{Batch: 2, SeqLen: 16, EvalTokens: 32,
		Schedule: slm.Schedule{Peak: 1e-2, Warmup: 4, Horizon: 12, Final: 0.1}}.WithDefaults()
	for name, points := range reference.Cases {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			backend, err := model.NewBackend()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { backend.Finalize() })
			file, err := checkpoint.Open(ctx, filepath.Join("../model/testdata/transformers", name), checkpoint.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { file.Close() })
			teacher, err := model.Load(ctx, backend, file.Config, file.Source, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(teacher.Close)
			trainer := newTrainer(t, backend, teacher, settings, reference.Windows)
			for i, want := range points {
				got, err := trainer.Step(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if !near(got.Loss, want.Loss, 1e-3) || !near(got.GradNorm, want.GradNorm, 1e-2) {
					t.Errorf("step %d: loss %.6f, norm %.5f; PyTorch has %.6f, %.5f", i+1, got.Loss, got.GradNorm, want.Loss, want.GradNorm)
				}
			}
		})
	}
}
