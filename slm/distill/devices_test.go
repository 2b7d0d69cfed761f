package distill_test

import (
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/distill"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// spreadSettings have a small student, a loss that needs the teacher, and batches that 1, 2 and 4 devices can share.
var spreadSettings = slm.Distillation{Subnet: slm.Subnet{Embd: slm.First(32), Layers: []slm.LayerSubnet{{Layer: 0, Heads: slm.First(2), QueryGroups: slm.First(2)}, {Layer: 2}}}, Batch: 4, SeqLen: 16, EvalTokens: 32, Loss: slm.CE(0.3).Plus(slm.ForwardKL(0.7).At(2)),
	Schedule: slm.Schedule{Peak: 1e-3, Warmup: 4, Horizon: 15, Final: 0.1}}.WithDefaults()

// neoxTeacher is a small GPT-NeoX teacher on an accelerator of four devices, as XLA's CPU plug-in is one.
func neoxTeacher(t *testing.T) (compute.Backend, *model.Teacher) {
	t.Helper()
	backend, err := model.NewBackend()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { backend.Finalize() })
	if n := backend.NumDevices(); n < 4 {
		t.Skipf("the accelerator %s has %d devices", backend.Name(), n)
	}
	file, err := checkpoint.Open(t.Context(), "../model/testdata/transformers/neox", checkpoint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	teacher, err := model.Load(t.Context(), backend, file.Config, file.Source, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(teacher.Close)
	return backend, teacher
}

func spread(t *testing.T, trainer *distill.Trainer, devices int) *distill.Trainer {
	t.Helper()
	if err := trainer.Spread(devices); err != nil {
		t.Fatal(err)
	}
	return trainer
}

func samePoints(t *testing.T, what string, got, want []slm.Point) {
	t.Helper()
	for i := range want {
		if !near(got[i].Loss, want[i].Loss, 1e-5) || !near(got[i].CE, want[i].CE, 1e-5) || !near(got[i].GradNorm, want[i].GradNorm, 1e-5) {
			t.Errorf("%s: step %+v, want %+v", what, got[i], want[i])
		}
	}
}

// sameWeights compares tensors by the L2 norm of their difference. A key's bias adds the same to all scores of a query, which
// softmax does not see: its gradient is zero, and Adam makes steps of what rounding leaves of it.
func sameWeights(t *testing.T, what string, got, want *distill.Trainer) {
	t.Helper()
	a, err := got.Student.Weights()
	if err != nil {
		t.Fatal(err)
	}
	b, err := want.Student.Weights()
	if err != nil {
		t.Fatal(err)
	}
	headSize := got.Student.Teacher.HeadSize
	for _, name := range slices.Sorted(maps.Keys(b)) {
		var difference, norm float64
		for i, v := range b[name].Data {
			if strings.HasSuffix(name, "query_key_value.bias") && i/headSize%3 == 1 {
				continue
			}
			difference += math.Pow(float64(a[name].Data[i]-v), 2)
			norm += math.Pow(float64(v), 2)
		}
		if relative := math.Sqrt(difference / norm); !(relative <= 1e-5) {
			t.Errorf("%s: %s differs by %.2g of its norm", what, name, relative)
		}
	}
}

// Two and four devices take the steps of one, and end in its weights; also where a run changes their number, by a checkpoint and
// without.
func TestDevicesTakeTheStepsOfOne(t *testing.T) {
	backend, teacher := neoxTeacher(t)
	windows := readReference(t).Windows
	on := func(devices int) *distill.Trainer {
		return spread(t, newTrainer(t, backend, teacher, spreadSettings, windows), devices)
	}
	one, two, four := on(1), on(2), on(4)
	want := take(t, one, 15)
	samePoints(t, "2 devices", take(t, two, 15), want)
	sameWeights(t, "2 devices", two, one)

	points := take(t, four, 5)
	path := filepath.Join(t.TempDir(), "checkpoint.safetensors")
	if err := four.Save(path); err != nil {
		t.Fatal(err)
	}
	samePoints(t, "4 devices", append(points, take(t, four, 10)...), want)
	sameWeights(t, "4 devices", four, one)

	if err := two.Load(path); err != nil {
		t.Fatal(err)
	}
	points = append(points[:5], take(t, two, 5)...)
	samePoints(t, "4, 2 and 1 devices", append(points, take(t, spread(t, two, 1), 5)...), want)
	sameWeights(t, "4, 2 and 1 devices", two, one)
	held, err := one.Validate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := four.Validate(t.Context()); err != nil || !near(got, held, 1e-5) {
		t.Errorf("held-out loss %g (%v), want %g", got, err, held)
	}
}

// Whatever a step is made of is split: a loss that compares all tokens of a batch, hidden states, accumulated batches, logits from
// a file.
func TestDevicesShareEveryStep(t *testing.T) {
	backend, teacher := neoxTeacher(t)
	windows := readReference(t).Windows
	for name, change := range map[string]func(*slm.Distillation){
		"MMD and hidden states, activations recomputed": func(d *slm.Distillation) {
			d.Loss, d.Checkpointing = slm.CE(0.5).Plus(slm.MMD(0.5)).Plus(slm.HiddenStates(1)), true
		},
		"kept logits, batches gathered": func(d *slm.Distillation) { d.Loss, d.Accumulate = d.Loss.Top(8), 2 },
	} {
		d := spreadSettings
		d.Subnet.Layers = d.Subnet.Layers[:1]
		change(&d)
		steps := func(devices int) []slm.Point {
			trainer := spread(t, newTrainer(t, backend, teacher, d, windows), devices)
			if k, temperature, _ := d.Loss.Kept(); k > 0 {
				logits, err := distill.OpenLogits(filepath.Join(t.TempDir(), "logits"), distill.LogitsOf{Teacher: "t", Vocab: teacher.Config.Vocab,
					Corpus: "c", Seed: d.ShuffleSeed, Batch: d.Batch, SeqLen: d.SeqLen, TopK: k, Temperature: temperature})
				if err != nil {
					t.Fatal(err)
				}
				defer logits.Close()
				if err := trainer.TeachFrom(logits); err != nil {
					t.Fatal(err)
				}
			}
			return take(t, trainer, 3)
		}
		samePoints(t, name, steps(2), steps(1))
	}
}

func TestSpreadRefuses(t *testing.T) {
	backend, teacher := neoxTeacher(t)
	windows := readReference(t).Windows
	trainer := newTrainer(t, backend, teacher, spreadSettings, windows)
	for devices, want := range map[int]string{
		0:      "0 devices: the accelerator (",
		1 << 9: "512 devices: the accelerator (",
		3:      "a batch of 4 sequences cannot be split evenly over them; take [1 2 4] of",
	} {
		if err := trainer.Spread(devices); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d devices: %v, want %q", devices, err, want)
		}
	}
	if n := trainer.Devices(); n != 1 {
		t.Errorf("%d devices after refusals, want 1", n)
	}
}
