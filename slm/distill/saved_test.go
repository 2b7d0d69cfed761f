package distill_test

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm/distill"
)

// A checkpoint gives the student's weights without a trainer, and what was asked of it.
func TestReadSavedGivesTheStudent(t *testing.T) {
	r := readReference(t)
	backend, teacher := newTeacher(t)
	trainer := newTrainer(t, backend, teacher, settings, r.Windows)
	for range 2 {
		if _, err := trainer.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "checkpoint.safetensors")
	if err := trainer.Save(path); err != nil {
		t.Fatal(err)
	}
	want, err := trainer.Student.Weights()
	if err != nil {
		t.Fatal(err)
	}
	saved, err := distill.ReadSaved(path, teacher.Config)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(saved.Weights, want) {
		t.Error("the weights are not the student's")
	}
	if saved.Steps != 2 || saved.Tokens != 2*int64(settings.StepTokens()) || !reflect.DeepEqual(saved.Distillation, trainer.Distillation) {
		t.Errorf("%d steps, %d tokens of %+v", saved.Steps, saved.Tokens, saved.Distillation)
	}
	wider := teacher.Config
	wider.FFN++ // where the sub-network keeps all
	wider.Vocab++
	if _, err := distill.ReadSaved(path, wider); err == nil || !strings.Contains(err.Error(), "weight ") {
		t.Errorf("read as another teacher's: %v", err)
	}
}
