package distill_test

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/distill"
)

// hiddenLosses are those of testdata/hidden.py's runs.
func hiddenLosses() map[string]slm.Loss {
	pairs := slm.CE(1).Plus(slm.HiddenStates(5))
	pairs.Terms[1].Pairs = 2
	return map[string]slm.Loss{"last": slm.CE(0.3).Plus(slm.ForwardKL(0.7).At(2)).Plus(slm.HiddenStates(1)), "pairs": pairs}
}

// Steps with a hidden-state loss, whose projection learns too, are PyTorch's; so are those after a checkpoint, bit for bit those
// of the run that wrote it.
func TestHiddenStateRuns(t *testing.T) {
	var reference struct {
		Runs map[string][]struct {
			Loss     float64 `json:"loss"`
			CE       float64 `json:"ce"`
			GradNorm float64 `json:"grad_norm"`
		} `json:"runs"`
	}
	text, err := os.ReadFile("testdata/hidden.json")
	if err == nil {
		err = json.Unmarshal(text, &reference)
	}
	if err != nil {
		t.Fatal(err)
	}
	r := readReference(t)
	backend, teacher := newTeacher(t)
	for name, loss := range hiddenLosses() {
		d, path, points := settings, t.TempDir()+"/checkpoint.safetensors", reference.Runs[name]
		d.Loss = loss
		trainer := newTrainer(t, backend, teacher, d, r.Windows)
		got := take(t, trainer, 5)
		if err := trainer.Save(path); err != nil {
			t.Fatal(err)
		}
		got = append(got, take(t, trainer, len(points)-5)...)
		for i, want := range points {
			tolerance := 1e-4
			if i == 0 {
				tolerance = 1e-5
			}
			if !near(got[i].Loss, want.Loss, tolerance) || !near(got[i].CE, want.CE, tolerance) || !near(got[i].GradNorm, want.GradNorm, 10*tolerance) {
				t.Errorf("%s, step %d: loss %.6f, cross-entropy %.6f, norm %.5f; PyTorch has %.6f, %.6f, %.5f", name,
					i+1, got[i].Loss, got[i].CE, got[i].GradNorm, want.Loss, want.CE, want.GradNorm)
			}
		}
		resumed := newTrainer(t, backend, teacher, d, r.Windows)
		if err := resumed.Load(path); err != nil {
			t.Fatal(err)
		}
		sameSteps(t, name+", resumed", take(t, resumed, 3), got[5:8])
		saved, err := distill.ReadSaved(path, teacher.Config)
		if err != nil {
			t.Fatal(err)
		}
		if student, err := trainer.Student.Weights(); err != nil || len(student) != len(saved.Weights) {
			t.Errorf("%s: the student has %d weights, its checkpoint gives %d, %v", name, len(student), len(saved.Weights), err)
		}
	}
}

// sameSteps compares steps bit for bit.
func sameSteps(t *testing.T, what string, got, want []slm.Point) {
	t.Helper()
	for i := range want {
		if got[i].Seconds, got[i].Spent = want[i].Seconds, want[i].Spent; got[i] != want[i] {
			t.Errorf("%s: step %+v, want %+v", what, got[i], want[i])
		}
	}
}

// A run may begin to compare hidden states, and stop again; going back to a checkpoint from before forgets the projection.
func TestHiddenStatesComeAndGo(t *testing.T) {
	r := readReference(t)
	backend, teacher := newTeacher(t)
	before, after := t.TempDir()+"/before.safetensors", t.TempDir()+"/after.safetensors"
	changes := []slm.Change{{Step: 1, Loss: hiddenLosses()["pairs"]}, {Step: 4, Loss: slm.CE(1)}}
	trainer := follow(t, newTrainer(t, backend, teacher, settings, r.Windows), changes...)
	take(t, trainer, 1)
	if err := trainer.Save(before); err != nil {
		t.Fatal(err)
	}
	first := take(t, trainer, 2)
	if err := trainer.Save(after); err != nil {
		t.Fatal(err)
	}
	rest := take(t, trainer, 3)
	resumed := newTrainer(t, backend, teacher, settings, r.Windows)
	for path, want := range map[string][]slm.Point{before: append(first, rest...), after: rest} {
		if err := resumed.Load(path); err != nil {
			t.Fatal(err)
		}
		sameSteps(t, path, take(t, resumed, len(want)), want)
	}
	deep := slm.HiddenStates(1)
	deep.Terms[0].Pairs = 3
	if err := trainer.Follow([]slm.Change{{Loss: deep}}); err == nil || !strings.Contains(err.Error(), "only 2 layers") {
		t.Errorf("more pairs than layers: %v", err)
	}
}

// Documents packed into one window train as those in windows of their own: same losses, same gradients, same held-out loss, with
// the teacher's logits and hidden states; and with logits of it that are kept.
func TestDocumentMaskTrainsAsDocumentsAlone(t *testing.T) {
	backend, teacher := newTeacher(t)
	const seqLen, steps = 8, 3
	var tokens []int32 // documents of seqLen tokens
	for i := range 2*steps*seqLen + 1 {
		if tokens = append(tokens, int32(8+(i*i*31+7*i)%56)); i%seqLen == seqLen-1 {
			tokens[i] = separator
		}
	}
	windows := func(width int) (out []int32) { // the last token of one is the first of the next
		for first := 0; first+width < len(tokens); first += width {
			out = append(out, tokens[first:first+width+1]...)
		}
		return out
	}
	alone, packed := settings, settings
	alone.Loss = hiddenLosses()["last"]
	alone.Batch, alone.SeqLen = 2, seqLen
	packed.Loss, packed.Batch, packed.SeqLen = alone.Loss, 1, 2*seqLen
	across := take(t, newTrainer(t, backend, teacher, packed, windows(2*seqLen)), 1)
	packed.DocumentMask = true
	a, b := newTrainer(t, backend, teacher, alone, windows(seqLen)), newTrainer(t, backend, teacher, packed, windows(2*seqLen))
	got, want := take(t, b, steps), take(t, a, steps)
	for i := range want {
		if !near(got[i].Loss, want[i].Loss, 1e-5) || !near(got[i].CE, want[i].CE, 1e-5) || !near(got[i].GradNorm, want[i].GradNorm, 1e-4) {
			t.Errorf("packed, step %+v, alone %+v", got[i], want[i])
		}
	}
	if math.Abs(across[0].Loss-want[0].Loss) < 1e-3 {
		t.Errorf("attention across documents changes the loss %g by less than 1e-3", want[0].Loss)
	}
	held, err := b.Student.Loss(t.Context(), windows(2*seqLen), 2*seqLen)
	if err != nil {
		t.Fatal(err)
	}
	if each, err := a.Student.Loss(t.Context(), windows(seqLen), seqLen); err != nil || !near(held, each, 1e-4) {
		t.Errorf("held-out loss %g packed, %g alone, %v", held, each, err)
	}
	packed.Loss = slm.CE(0.3).Plus(slm.ForwardKL(0.7)).Top(8)
	of := distill.LogitsOf{Teacher: "t", Vocab: teacherConfig.Vocab, Corpus: "c", Seed: packed.ShuffleSeed, Batch: packed.Batch, SeqLen: packed.SeqLen, TopK: 8,
		Temperature: 1, DocumentMask: true}
	logits, err := distill.OpenLogits(t.TempDir()+"/logits", of)
	if err != nil {
		t.Fatal(err)
	}
	defer logits.Close()
	fromFile := newTrainer(t, backend, teacher, packed, windows(2*seqLen))
	if err := fromFile.TeachFrom(logits); err != nil {
		t.Fatal(err)
	}
	live := take(t, newTrainer(t, backend, teacher, packed, windows(2*seqLen)), 1)
	if kept := take(t, fromFile, 1); math.Abs(kept[0].Loss-live[0].Loss) > 2e-3 { // they are float16
		t.Errorf("with kept logits the loss is %g, with the teacher %g", kept[0].Loss, live[0].Loss)
	}
}
