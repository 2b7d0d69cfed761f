package distill_test

import (
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// What a plan says of weights and moments is what a teacher and a trainer keep between steps, a hidden-state loss's projection too.
func TestPlanCountsWhatIsKept(t *testing.T) {
	r := readReference(t)
	backend, teacher := newTeacher(t)
	d := settings
	d.Type, d.Loss = slm.BFloat16, d.Loss.Plus(slm.HiddenStates(1))
	trainer := newTrainer(t, backend, teacher, d, r.Windows)
	take(t, trainer, 1)
	device, err := slm.ParseDevice("TFLOPS=1")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := slm.Planned{Teacher: teacher.Config, Student: slm.Model{Config: teacher.Config, Subnet: d.Subnet}, Batch: d.Batch, SeqLen: d.SeqLen,
		Type: d.Type, Pairs: d.Loss.Pairs(), Device: device, Utilization: 1}.Plan()
	if err != nil {
		t.Fatal(err)
	}
	kept := int64(0)
	for v := range trainer.Student.Store.IterVariables() {
		if !v.Shape().IsScalar() { // the optimizer's counters
			kept += v.Shape().ByteSize()
		}
	}
	if want := plan.Memory.MasterWeights + plan.Memory.Moments; kept != want || plan.CheckpointFile != kept {
		t.Errorf("the trainer keeps %d bytes, the plan has %d, and %d in a checkpoint", kept, want, plan.CheckpointFile)
	}
	weights, _, err := checkpoint.LoadSafetensors("testdata/teacher.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	loaded := int64(0)
	again, err := model.Load(t.Context(), backend, teacher.Config, weights, func(_, total int64) { loaded = total })
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
	if loaded != plan.Memory.TeacherWeights {
		t.Errorf("the teacher has %d bytes, the plan says %d", loaded, plan.Memory.TeacherWeights)
	}
}
