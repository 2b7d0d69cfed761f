package distill_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/distill"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// reference is what testdata/reference.py recorded.
type reference struct {
	TeacherCE float64     `json:"teacher_ce"`
	Points    []slm.Point `json:"points"`
	BFloat16  []slm.Point `json:"bfloat16_points"` // the first ones again, under autocast
	Windows   []int32     `json:"windows"`
}

func readReference(t *testing.T) reference {
	t.Helper()
	text, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// The teacher, sub-network and settings of testdata/reference.py.
var (
	teacherConfig = slm.Config{Name: "tiny", Family: slm.Llama, Layers: 3, Embd: 32, Heads: 4, QueryGroups: 2, HeadSize: 8,
		FFN: 48, Vocab: 64, Context: 64, NormEps: 1e-5, RopeTheta: 10000, Tied: true}
	keptLayer = slm.LayerSubnet{QueryGroups: slm.First(1), Heads: slm.First(2), FFN: slm.First(24)}
	settings  = slm.Distillation{
		Subnet: slm.Subnet{Embd: slm.First(16), Layers: []slm.LayerSubnet{at(0), at(2)}},
		Loss:   slm.CE(0.3).Plus(slm.ForwardKL(0.7).At(2)),
		Batch:  2, SeqLen: 16, EvalTokens: 32,
		Schedule: slm.Schedule{Peak: 1e-2, Warmup: 5, Horizon: 100, Final: 0.1},
	}.WithDefaults()
)

func at(layer int) slm.LayerSubnet {
	l := keptLayer
	l.Layer = layer
	return l
}

// separator ends documents.
const separator = 7

// windows feeds the batches of a slice, over and over.
type windows struct {
	tokens []int32
	batch  int // tokens in a batch
	next   int
}

func (w *windows) Next(context.Context) ([]int32, error) {
	first := w.next * w.batch % len(w.tokens)
	w.next++
	return w.tokens[first : first+w.batch], nil
}
func (w *windows) Position() ([]byte, error)  { return json.Marshal(w.next) }
func (w *windows) Seek(position []byte) error { return json.Unmarshal(position, &w.next) }
func (w *windows) Separator() int32           { return separator }

func newTeacher(t *testing.T) (compute.Backend, *model.Teacher) {
	t.Helper()
	backend, err := model.NewBackend()
	if err != nil {
		t.Fatal(err)
	}
	weights, _, err := checkpoint.LoadSafetensors("testdata/teacher.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	teacher, err := model.Load(context.Background(), backend, teacherConfig, weights, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { teacher.Close(); backend.Finalize() })
	return backend, teacher
}

func newTrainer(t *testing.T, backend compute.Backend, teacher *model.Teacher, d slm.Distillation, tokens []int32) *distill.Trainer {
	t.Helper()
	data := &windows{tokens: tokens, batch: d.Batch * (d.SeqLen + 1)}
	trainer, err := distill.New(backend, teacher, d, data, tokens[:2*(d.SeqLen+1)])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(trainer.Close)
	return trainer
}

func near(got, want, tolerance float64) bool { return math.Abs(got-want) <= tolerance*math.Abs(want) }

// A hundred steps agree with PyTorch in loss, cross-entropy and the gradient's norm.
func TestStepsAgreeWithPyTorch(t *testing.T) {
	r := readReference(t)
	backend, teacher := newTeacher(t)
	ce, err := teacher.Loss(context.Background(), slm.Subnet{}, r.Windows[:2*17], 16)
	if err != nil || !near(ce, r.TeacherCE, 1e-5) {
		t.Fatalf("the teacher's loss is %g (%v), PyTorch's %g", ce, err, r.TeacherCE)
	}
	trainer := newTrainer(t, backend, teacher, settings, r.Windows)
	for i, want := range r.Points {
		got, err := trainer.Step(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if !near(got.Loss, want.Loss, 1e-3) || !near(got.CE, want.CE, 1e-3) || !near(got.GradNorm, want.GradNorm, 1e-2) {
			t.Errorf("step %d: loss %.6f, cross-entropy %.6f, norm %.5f; PyTorch has %.6f, %.6f, %.5f",
				i+1, got.Loss, got.CE, got.GradNorm, want.Loss, want.CE, want.GradNorm)
		}
	}
}

// A trainer that loads a checkpoint takes the very steps that the saved one takes, bit for bit, also from before the
// first step, when the optimizer's state does not exist yet; and in bfloat16, since the weights that are saved are float32.
func TestResumeIsExact(t *testing.T) {
	r := readReference(t)
	backend, teacher := newTeacher(t)
	half := settings
	half.Type, half.Checkpointing = slm.BFloat16, true
	for _, c := range []struct {
		steps int
		slm.Distillation
	}{{0, settings}, {3, half}} {
		steps, settings := c.steps, c.Distillation
		path := fmt.Sprintf("%s/checkpoint.safetensors", t.TempDir())
		undisturbed := newTrainer(t, backend, teacher, settings, r.Windows)
		take(t, undisturbed, steps)
		if err := undisturbed.Save(path); err != nil {
			t.Fatal(err)
		}
		want := take(t, undisturbed, 4)

		resumed := newTrainer(t, backend, teacher, settings, r.Windows)
		take(t, resumed, 1) // whatever it did before must be gone
		if err := resumed.Load(path); err != nil {
			t.Fatal(err)
		}
		got := take(t, resumed, 4)
		for i := range want {
			got[i].Seconds, got[i].Spent = want[i].Seconds, want[i].Spent
			if got[i] != want[i] {
				t.Errorf("after %d steps and a resumption, step %+v, want %+v", steps, got[i], want[i])
			}
		}
	}
}

func take(t testing.TB, trainer *distill.Trainer, steps int) (points []slm.Point) {
	t.Helper()
	for range steps {
		p, err := trainer.Step(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		points = append(points, p)
	}
	return points
}

// A step tells where its time went: to the teacher only where the loss asks it.
func TestStepsTellTheirParts(t *testing.T) {
	r := readReference(t)
	backend, teacher := newTeacher(t)
	alone := settings
	alone.Loss = slm.CE(1)
	for _, c := range []struct {
		d     slm.Distillation
		asked bool
	}{{settings, true}, {alone, false}} {
		for _, p := range take(t, newTrainer(t, backend, teacher, c.d, r.Windows), 2) {
			s := p.Spent
			if !(s.Data > 0) || !(s.Student > 0) || (s.Teacher > 0) != c.asked || s.Total() > p.Seconds || s.Total() < 0.9*p.Seconds {
				t.Errorf("%s: step %d took %g s: %+v", c.d.Loss, p.Step, p.Seconds, s)
			}
		}
	}
}

func TestLoadRefusesAnotherRunsCheckpoint(t *testing.T) {
	r := readReference(t)
	backend, teacher := newTeacher(t)
	path := t.TempDir() + "/checkpoint.safetensors"
	if err := newTrainer(t, backend, teacher, settings, r.Windows).Save(path); err != nil {
		t.Fatal(err)
	}
	other := settings
	other.Loss = slm.CE(1)
	want := `loss is {"terms":[`
	if err := newTrainer(t, backend, teacher, other, r.Windows).Load(path); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a run continued from the checkpoint of one with another loss: %v, want %q", err, want)
	}
}

// A student without a teacher takes the steps of one that has a teacher, but does not listen to it; and it does not go on
// from the checkpoint of an architecture with the same weights.
func TestAlone(t *testing.T) {
	r := readReference(t)
	backend, teacher := newTeacher(t)
	d := settings
	d.Init, d.Loss = slm.FromRandom, slm.CE(1)
	alone := func(c slm.Config) *distill.Trainer {
		data := &windows{tokens: r.Windows, batch: d.Batch * (d.SeqLen + 1)}
		trainer, err := distill.NewAlone(backend, c, d, data, r.Windows[:2*(d.SeqLen+1)])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(trainer.Close)
		return trainer
	}
	trainer := alone(teacher.Config)
	got, want := take(t, trainer, 3), take(t, newTrainer(t, backend, teacher, d, r.Windows), 3)
	for i := range got {
		if got[i].Seconds, got[i].Spent = want[i].Seconds, want[i].Spent; got[i] != want[i] {
			t.Errorf("step %+v, with a teacher %+v", got[i], want[i])
		}
	}
	path := t.TempDir() + "/checkpoint.safetensors"
	if err := trainer.Save(path); err != nil {
		t.Fatal(err)
	}
	renamed, longer := teacher.Config, teacher.Config
	renamed.Name, longer.Context = "other", 2*longer.Context
	if err := alone(renamed).Load(path); err != nil {
		t.Errorf("another name: %v", err)
	}
	if err := alone(longer).Load(path); err == nil || !strings.Contains(err.Error(), "context is 64 there, 128 here") {
		t.Errorf("another context: %v", err)
	}
	if _, err := distill.NewAlone(backend, teacher.Config, settings, nil, nil); err == nil || !strings.Contains(err.Error(), "needs a teacher") {
		t.Errorf("distillation without a teacher: %v", err)
	}
}

// A student whose query groups have unequally many heads trains, too: its loss falls.
func TestIrregularStudentsTrain(t *testing.T) {
	r := readReference(t)
	backend, teacher := newTeacher(t)
	irregular := settings
	irregular.Subnet = slm.Subnet{Embd: slm.IndicesOf(0, 2, 3, 5, 9, 14, 20, 31), Layers: []slm.LayerSubnet{
		{Layer: 0, Heads: slm.IndicesOf(0, 1, 3)}, {Layer: 2, QueryGroups: slm.IndicesOf(1), Heads: slm.IndicesOf(2), FFN: slm.IndicesOf(1, 4, 40)}}}
	points := take(t, newTrainer(t, backend, teacher, irregular, r.Windows), 15)
	if first, last := points[0].Loss, points[len(points)-1].Loss; !(last < first-0.02) {
		t.Errorf("the loss went from %g to %g", first, last)
	}
}
