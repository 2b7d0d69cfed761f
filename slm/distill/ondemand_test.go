package distill_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/distill"
	"github.com/offshoot-ml/offshoot/slm/export"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// A second student learns from kept logits bit for bit as the first did from its teacher, which is not loaded. Past them it is, once
// for all students; when it cannot be, the step says what is missing, and can be taken again.
func TestKeptLogitsTeachWithoutTheTeacher(t *testing.T) {
	r := readReference(t)
	backend, teacher := newTeacher(t)
	file, _, err := checkpoint.LoadSafetensors("testdata/teacher.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	d := settings
	d.Loss = slm.CE(0.3).Plus(slm.ForwardKL(0.7)).Top(8)
	logits, err := distill.OpenLogits(filepath.Join(t.TempDir(), "logits"), distill.LogitsOf{Teacher: "t", Vocab: teacherConfig.Vocab, Corpus: "c",
		Seed: d.ShuffleSeed, Batch: d.Batch, SeqLen: d.SeqLen, TopK: 8, Temperature: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer logits.Close()
	first := newTrainer(t, backend, teacher, d, r.Windows)
	if err := first.TeachFrom(logits); err != nil {
		t.Fatal(err)
	}
	const kept = 3
	want, calls, gone := take(t, first, kept), 0, errors.New("the teacher's files are gone")
	absent := distill.OnDemand{Config: teacherConfig, Kept: export.Cut(teacherConfig, d.Subnet, file), Load: func(context.Context) (*model.Teacher, error) {
		calls++
		return teacher, gone
	}}
	second, err := distill.NewOnDemand(backend, absent, d, &windows{tokens: r.Windows, batch: d.Batch * (d.SeqLen + 1)}, r.Windows[:2*(d.SeqLen+1)])
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if err := second.TeachFrom(logits); err != nil {
		t.Fatal(err)
	}
	for i, p := range take(t, second, kept) {
		if p.Seconds, p.Spent = want[i].Seconds, want[i].Spent; p != want[i] {
			t.Errorf("without the teacher, step %+v, want %+v", p, want[i])
		}
	}
	if calls != 0 {
		t.Errorf("the teacher was loaded %d times for steps whose logits are kept", calls)
	}
	if _, err := second.Step(t.Context()); !errors.Is(err, gone) || !strings.Contains(err.Error(), "lack batch 3") {
		t.Errorf("past the kept logits without a teacher: %v", err)
	}
	gone = nil
	next, last := take(t, second, 1)[0], take(t, first, 1)[0] // the second writes the logits, the first reads them
	if next.Seconds, next.Spent = last.Seconds, last.Spent; next != last || calls != 2 {
		t.Errorf("past the kept logits, step %+v, want %+v; the teacher was asked %d times", next, last, calls)
	}
}
