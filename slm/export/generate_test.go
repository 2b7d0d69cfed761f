package export_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/export"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// coded is a student that our own modelling code runs.
type coded struct {
	name string
	dir  string
	*model.Student
}

// codedStudents are layer-wise students of every family: any index sets, with recomputed and with kept frequencies.
func codedStudents(t *testing.T, backend compute.Backend) []coded {
	var all []coded
	for _, c := range smallTeachers() {
		teacher := load(t, backend, c, spread(c, slm.Subnet{}, 5))
		for _, rotary := range []slm.Rotary{slm.Recomputed, slm.Kept} {
			s := drawn(c, rotary, 7)
			weights, err := teacher.Extract(s)
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "student")
			if _, err := export.Write(t.Context(), dir, export.Student{Teacher: c, Subnet: s, Weights: weights}, export.Options{Layers: export.Code}); err != nil {
				t.Fatal(err)
			}
			student, err := model.NewStudent(backend, c, s, weights)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(student.Close)
			all = append(all, coded{fmt.Sprintf("%s, rotary %q", c.Name, rotary), dir, student})
		}
	}
	return all
}

// What transformers does with a model, it does with our modelling code as we do: continuing texts greedily, with a cache of
// keys and values and padding on the left, the loss of labels, saving.
func TestTransformersContinuesTheSame(t *testing.T) {
	python := referencePython(t)
	const count, most = 8, 1e-4
	prompts := [][]int32{someTokens()[:9], someTokens()[20:24]}
	backend, err := model.NewBackend() // GoMLX's own cannot write into a cache
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(backend.Finalize)
	students := codedStudents(t, backend)
	text, _ := json.Marshal(prompts)
	args := []string{filepath.Join("testdata", "check_code.py"), string(text), fmt.Sprint(count)}
	for _, s := range students {
		args = append(args, s.dir)
	}
	cmd, problems := exec.CommandContext(t.Context(), python, args...), &strings.Builder{}
	cmd.Stderr = problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("transformers: %v\n%s", err, problems)
	}
	var found []struct {
		Continued                     [][]int32
		Loss, Padded, Uncached, Saved float64
		States                        bool
	}
	if err := json.Unmarshal(out, &found); err != nil || len(found) != len(students) {
		t.Fatalf("transformers ran %d of %d students: %v", len(found), len(students), err)
	}
	for i, s := range students {
		f := found[i]
		loss, err := s.Loss(t.Context(), prompts[0], len(prompts[0])-1)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(f.Loss-loss) > most*loss || f.Padded > most || f.Uncached > most || f.Saved != 0 {
			t.Errorf("%s: loss %g, want %g; logits differ by %g with padding, %g without a cache, %g after saving",
				s.name, f.Loss, loss, f.Padded, f.Uncached, f.Saved)
		}
		if !f.States {
			t.Errorf("%s: hidden states are not one from each layer, the last of which the head reads", s.name)
		}
		t.Logf("%s: loss %.6f and %.6f; logits differ by %.1e with padding, %.1e without a cache", s.name, f.Loss, loss, f.Padded, f.Uncached)
		for j, prompt := range prompts {
			want, err := s.Generate(t.Context(), prompt, slm.Generation{Tokens: count})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(f.Continued[j], want) {
				t.Errorf("%s: prompt %d is continued with %v, here with %v", s.name, j, f.Continued[j], want)
			}
		}
	}
}
