package distill_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/distill"
)

// A run that keeps its teacher's logits takes nearly the steps of one that asks it each time, since float16 rounds; the next one
// takes exactly its steps, also where a record was damaged.
func TestKeptLogitsTeachLikeTheTeacher(t *testing.T) {
	r := readReference(t)
	backend, teacher := newTeacher(t)
	d := settings
	d.Loss = slm.CE(0.3).Plus(slm.ForwardKL(0.7)).At(2).Top(8)
	path := filepath.Join(t.TempDir(), "logits")
	of := distill.LogitsOf{Teacher: "t", Vocab: teacherConfig.Vocab, Corpus: "c", Seed: d.ShuffleSeed, Batch: d.Batch, SeqLen: d.SeqLen, TopK: 8, Temperature: 2}
	kept := func() []slm.Point {
		l, err := distill.OpenLogits(path, of)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		trainer := newTrainer(t, backend, teacher, d, r.Windows)
		if err := trainer.TeachFrom(l); err != nil {
			t.Fatal(err)
		}
		return take(t, trainer, 4)
	}
	live := take(t, newTrainer(t, backend, teacher, d, r.Windows), 4)
	first := kept()
	for i := range live {
		if math.Abs(first[i].Loss-live[i].Loss) > 2e-3 || first[i].Loss == live[0].Loss && i > 0 {
			t.Errorf("step %d: loss %.6f, with the teacher %.6f", i+1, first[i].Loss, live[i].Loss)
		}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	for i, p := range kept() {
		if p.Seconds, p.Spent = first[i].Seconds, first[i].Spent; p != first[i] {
			t.Errorf("from the file, step %+v, want %+v", p, first[i])
		}
	}
	l, err := distill.OpenLogits(path, of)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for want, change := range map[string]func(*slm.Distillation){
		"the likeliest 8 at temperature 2": func(d *slm.Distillation) { d.Loss = d.Loss.At(3) },
		"kept logits serve":                func(d *slm.Distillation) { d.Loss = slm.ForwardKL(1) },
		"with document_mask false":         func(d *slm.Distillation) { d.DocumentMask = true },
		"batches of 2 sequences":           func(d *slm.Distillation) { d.Batch = 4 },
	} {
		other := d
		change(&other)
		if err := newTrainer(t, backend, teacher, other, r.Windows).TeachFrom(l); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
