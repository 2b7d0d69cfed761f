package distill_test

import (
	"fmt"
	"math"
	"reflect"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/distill"
)

func follow(t *testing.T, trainer *distill.Trainer, changes ...slm.Change) *distill.Trainer {
	t.Helper()
	if err := trainer.Follow(changes); err != nil {
		t.Fatal(err)
	}
	return trainer
}

// A run that is changed before its first step is the run of the other settings; one that is changed later takes the same steps
// until then.
func TestChangesTakeHold(t *testing.T) {
	r := readReference(t)
	backend, teacher := newTeacher(t)
	before := take(t, newTrainer(t, backend, teacher, settings, r.Windows), 3)
	for name, c := range map[string]slm.Change{
		"weights and temperature": {Loss: slm.CE(0.6).Plus(slm.ForwardKL(0.4).At(3))},
		"other terms":             {Loss: slm.ReverseKL(1)},
		"schedule":                {Schedule: slm.Schedule{Peak: 3e-3, Warmup: 2, Horizon: 10, Final: 0.5}},
	} {
		other := settings.At(0, []slm.Change{c})
		want := take(t, newTrainer(t, backend, teacher, other, r.Windows), 3)
		got := take(t, follow(t, newTrainer(t, backend, teacher, settings, r.Windows), c), 3)
		c.Step = 2
		later := take(t, follow(t, newTrainer(t, backend, teacher, settings, r.Windows), c), 3)
		for i := range want {
			if !near(got[i].Loss, want[i].Loss, 1e-6) || !near(got[i].GradNorm, want[i].GradNorm, 1e-5) || got[i].Rate != want[i].Rate {
				t.Errorf("%s: step %+v, want %+v", name, got[i], want[i])
			}
			if same := later[i].Loss == before[i].Loss && later[i].Rate == before[i].Rate; same != (i < 2) {
				t.Errorf("%s: changed after 2 steps, step %+v, before %+v", name, later[i], before[i])
			}
		}
	}
}

// A change to come is kept in a checkpoint.
func TestChangesOutliveACheckpoint(t *testing.T) {
	r := readReference(t)
	backend, teacher := newTeacher(t)
	path := t.TempDir() + "/checkpoint.safetensors"
	changes := []slm.Change{{Step: 1, Loss: slm.ReverseKL(1)}, {Step: 3, Loss: slm.CE(1)}}
	changed := follow(t, newTrainer(t, backend, teacher, settings, r.Windows), changes...)
	take(t, changed, 2)
	if err := changed.Save(path); err != nil {
		t.Fatal(err)
	}
	if saved, err := distill.ReadSaved(path, teacher.Config); err != nil || !reflect.DeepEqual(saved.Changes, changes) {
		t.Errorf("saved changes %v, %v", saved.Changes, err)
	}
	want := take(t, changed, 2)
	resumed := newTrainer(t, backend, teacher, settings, r.Windows)
	if err := resumed.Load(path); err != nil {
		t.Fatal(err)
	}
	for i, got := range take(t, resumed, 2) {
		if got.Seconds, got.Spent = want[i].Seconds, want[i].Spent; got != want[i] {
			t.Errorf("resumed, step %+v, want %+v", got, want[i])
		}
	}
}

// A step of two batches is a step of one batch of twice the size, and resumes as exactly.
func TestAccumulation(t *testing.T) {
	r := readReference(t)
	backend, teacher := newTeacher(t)
	whole, parts := settings, settings
	whole.Batch = 4
	parts.Accumulate = 2
	want := take(t, newTrainer(t, backend, teacher, whole, r.Windows), 4)
	trainer := newTrainer(t, backend, teacher, parts, r.Windows)
	got := take(t, trainer, 2)
	path := fmt.Sprintf("%s/checkpoint.safetensors", t.TempDir())
	if err := trainer.Save(path); err != nil {
		t.Fatal(err)
	}
	saved, err := distill.ReadSaved(path, teacher.Config)
	if err != nil || len(saved.Weights) == 0 {
		t.Fatal(saved, err)
	}
	resumed := newTrainer(t, backend, teacher, parts, r.Windows)
	take(t, resumed, 1)
	if err := resumed.Load(path); err != nil {
		t.Fatal(err)
	}
	got = append(got, take(t, resumed, 2)...)
	for i := range want {
		if math.Abs(got[i].Loss-want[i].Loss) > 1e-5 || !near(got[i].GradNorm, want[i].GradNorm, 1e-4) || got[i].Tokens != want[i].Tokens {
			t.Errorf("step %+v, want %+v", got[i], want[i])
		}
	}
}
