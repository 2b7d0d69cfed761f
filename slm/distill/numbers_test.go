package distill_test

import (
	"fmt"
	"maps"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes/bfloat16"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/distill"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// Steps in bfloat16 follow those in float32 as closely as PyTorch's do under autocast, and not in the same bits.
func TestBFloat16StepsAgreeWithPyTorch(t *testing.T) {
	r := readReference(t)
	backend, teacher := newTeacher(t)
	half := settings
	half.Type = slm.BFloat16
	got := take(t, newTrainer(t, backend, teacher, half, r.Windows), len(r.BFloat16))
	for name, of := range map[string]func(slm.Point) float64{
		"loss":          func(p slm.Point) float64 { return p.Loss },
		"cross-entropy": func(p slm.Point) float64 { return p.CE },
		"gradient norm": func(p slm.Point) float64 { return p.GradNorm },
	} {
		here, there := apart(got, r.Points, of), apart(r.BFloat16, r.Points, of)
		t.Logf("%s: %.2g from float32, PyTorch %.2g", name, here, there)
		if here > 1.5*there || here < 1e-5 {
			t.Errorf("%s: the steps are %.2g from float32, PyTorch's %.2g", name, here, there)
		}
	}
}

// apart is the root mean square of the relative differences of two curves, as far as the first goes.
func apart(a, b []slm.Point, of func(slm.Point) float64) float64 {
	sum := 0.0
	for i := range a {
		d := of(a[i])/of(b[i]) - 1
		sum += d * d
	}
	return math.Sqrt(sum / float64(len(a)))
}

// Updates too small for bfloat16 add up in the weights: training there moves them as far as training in float32, though hardly one
// of them to another number of bfloat16.
func TestMasterWeightsKeepSmallUpdates(t *testing.T) {
	r := readReference(t)
	backend, teacher := newTeacher(t)
	slow := settings
	slow.Schedule = slm.Schedule{Peak: 1e-6, Warmup: 1, Horizon: 1000}
	moved := func(d slm.Distillation) (distance float64, crossed float64) {
		trainer := newTrainer(t, backend, teacher, d, r.Windows)
		before := matrices(t, trainer.Student)
		take(t, trainer, 10)
		for i, w := range matrices(t, trainer.Student) {
			distance += math.Abs(float64(w) - float64(before[i]))
			if bfloat16.FromFloat32(w) != bfloat16.FromFloat32(before[i]) {
				crossed++
			}
		}
		return distance / float64(len(before)), crossed / float64(len(before))
	}
	want, _ := moved(slow)
	slow.Type = slm.BFloat16
	got, crossed := moved(slow)
	if want < 1e-6 || !near(got, want, 0.05) {
		t.Errorf("weights moved by %.3g on average, in float32 by %.3g", got, want)
	}
	if crossed > 0.05 {
		t.Errorf("%.0f%% of the weights are other numbers in bfloat16: the updates are not small", 100*crossed)
	}
}

// newDeep is a trainer whose activations are much larger than its weights.
func newDeep(t testing.TB, d slm.Distillation) *distill.Trainer {
	t.Helper()
	d.Init, d.Loss, d.Batch, d.SeqLen = slm.FromRandom, slm.CE(1), 4, 256
	config := slm.Config{Name: "deep", Family: slm.GPTNeoX, Layers: 6, Embd: 64, Heads: 8, QueryGroups: 8, HeadSize: 8, FFN: 256, Vocab: 64, Context: d.SeqLen,
		NormEps: 1e-5, RopeTheta: 10000, RotaryFraction: 0.25, ParallelResidual: true}
	tokens := make([]int32, d.Batch*(d.SeqLen+1))
	for i := range tokens {
		tokens[i] = int32(i * i % config.Vocab)
	}
	backend, err := model.NewBackend()
	if err != nil {
		t.Fatal(err)
	}
	trainer, err := distill.NewAlone(backend, config, d.WithDefaults(), &windows{tokens: tokens, batch: len(tokens)}, tokens)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { trainer.Close(); backend.Finalize() })
	return trainer
}

// Checkpointing is there to save memory: a step needs less than half as much beyond what the process held before.
func TestCheckpointingSavesMemory(t *testing.T) {
	needs := func(checkpointing bool) int64 {
		trainer := newDeep(t, slm.Distillation{Checkpointing: checkpointing})
		take(t, trainer, 1) // compiles
		debug.FreeOSMemory()
		before := forgetPeak(t)
		take(t, trainer, 1)
		return statusBytes(t, "VmHWM:") - before
	}
	kept, recomputed := needs(false), needs(true)
	t.Logf("a step needs %d MB, with recomputation %d MB", kept/1e6, recomputed/1e6)
	if kept < 50e6 || recomputed > kept/2 {
		t.Errorf("a step needs %d bytes, with recomputation %d", kept, recomputed)
	}
}

func BenchmarkStep(b *testing.B) {
	for name, d := range map[string]slm.Distillation{"f32": {}, "bf16": {Type: slm.BFloat16}, "f32-checkpointing": {Checkpointing: true}} {
		b.Run(name, func(b *testing.B) {
			trainer := newDeep(b, d)
			take(b, trainer, 1) // compiles
			for b.Loop() {
				take(b, trainer, 1)
			}
		})
	}
}

// forgetPeak makes Linux count the most memory that the process holds from now on: the resident bytes.
func forgetPeak(t *testing.T) (resident int64) {
	t.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Skip("the peak of memory cannot be read here: ", err)
	}
	return statusBytes(t, "VmRSS:")
}

// statusBytes reads a line of /proc/self/status, which is in KiB.
func statusBytes(t *testing.T, field string) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), field)
	var kibibytes int64
	if _, err := fmt.Sscan(rest, &kibibytes); err != nil {
		t.Fatal(field, err)
	}
	return kibibytes << 10
}

// matrices are a student's, one after the other.
func matrices(t *testing.T, s *model.Student) (out []float32) {
	t.Helper()
	weights, err := s.Weights()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(weights)) {
		if s.IsMatrix(name) {
			out = append(out, weights[name].Data...)
		}
	}
	return out
}

// Recomputed activations are the same ones, and so are the gradients, of every weight, also where the loss looks at hidden states. AdamW's first moment after a step is the
// gradient times a number.
func TestCheckpointingChangesNoGradient(t *testing.T) {
	r := readReference(t)
	backend, teacher := newTeacher(t)
	moments := func(checkpointing bool) checkpoint.Weights {
		d := settings
		d.Loss, d.Checkpointing = d.Loss.Plus(slm.HiddenStates(1)), checkpointing
		trainer, path := newTrainer(t, backend, teacher, d, r.Windows), t.TempDir()+"/checkpoint.safetensors"
		take(t, trainer, 1)
		if err := trainer.Save(path); err != nil {
			t.Fatal(err)
		}
		saved, _, err := checkpoint.LoadSafetensors(path)
		if err != nil {
			t.Fatal(err)
		}
		maps.DeleteFunc(saved, func(name string, _ checkpoint.Tensor) bool { return !strings.HasSuffix(name, "_1st_moment") })
		return saved
	}
	want, got := moments(false), moments(true)
	if len(want) != len(settings.Subnet.Layers)*9+2+1 {
		t.Fatalf("moments of %d weights: %v", len(want), slices.Sorted(maps.Keys(want)))
	}
	for name, w := range want {
		largest, worst := 0.0, 0.0
		for i, v := range w.Data {
			largest, worst = max(largest, math.Abs(float64(v))), max(worst, math.Abs(float64(v-got[name].Data[i])))
		}
		if largest == 0 || worst > 1e-6*largest {
			t.Errorf("%s: gradients of at most %.3g differ by %.3g", name, largest, worst)
		}
	}
}
