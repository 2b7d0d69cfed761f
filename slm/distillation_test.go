package slm

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func ExampleLoss() {
	fmt.Println(CE(0.3).Plus(ForwardKL(0.7).At(2)))
	// Output: 0.3 cross-entropy + 0.7 forward-kl at temperature 2
}

func TestScheduleWarmsUpAndDecays(t *testing.T) {
	s := Schedule{Peak: 1e-3, Warmup: 10, Horizon: 110, Final: 0.1}
	for step, want := range map[int]float64{0: 1e-4, 4: 5e-4, 9: 1e-3, 10: 1e-3, 60: 5.5e-4, 110: 1e-4, 1000: 1e-4} {
		if got := s.Rate(step); math.Abs(got-want) > 1e-12 {
			t.Errorf("step %d has rate %g, want %g", step, got, want)
		}
	}
}

func TestScheduleDecays(t *testing.T) {
	for _, c := range []struct {
		decay Decay
		want  map[int]float64
	}{
		{LinearDecay, map[int]float64{9: 1, 10: 1, 60: 0.6, 110: 0.2, 1000: 0.2}},
		{WSD, map[int]float64{9: 1, 10: 1, 60: 1, 90: 1, 100: 0.6, 110: 0.2, 1000: 0.2}},
	} {
		s := Schedule{Peak: 1, Warmup: 10, Horizon: 110, Final: 0.2, Decay: c.decay}.withDefaults()
		if err := s.Validate(); err != nil {
			t.Error(err)
		}
		for step, want := range c.want {
			if got := s.Rate(step); math.Abs(got-want) > 1e-12 {
				t.Errorf("%s: step %d has rate %g, want %g", c.decay, step, got, want)
			}
		}
	}
}

func ExampleSchedule() {
	fmt.Println(Schedule{Peak: 1e-3, Warmup: 10, Horizon: 110, Final: 0.1})
	fmt.Println(Schedule{Peak: 1e-3, Warmup: 10, Horizon: 110, Final: 0.1, Decay: LinearDecay})
	fmt.Println(Schedule{Peak: 1e-3, Warmup: 10, Horizon: 110, Final: 0.1, Decay: WSD, Falling: 20})
	fmt.Println(Change{Step: 50, Schedule: Schedule{Peak: 5e-4, Horizon: 200}, Loss: CE(1)})
	// Output:
	// warm-up to 0.001 at step 10, half a cosine to 0.1 of it at step 110
	// warm-up to 0.001 at step 10, a straight line to 0.1 of it at step 110
	// warm-up to 0.001 at step 10, constant until step 90, a straight line to 0.1 of it at step 110
	// after step 50: learning rate: warm-up to 0.0005 at step 20, half a cosine to 0.1 of it at step 200; loss: 1 cross-entropy
}

func TestDistillationValidate(t *testing.T) {
	teacher := smol(t)
	if err := (Distillation{}).WithDefaults().Validate(teacher); err != nil {
		t.Fatalf("the defaults: %v", err)
	}
	for want, change := range map[string]func(*Distillation){
		"embd: index 999":            func(d *Distillation) { d.Subnet.Embd = IndicesOf(999) },
		"init is":                    func(d *Distillation) { d.Init = "guess" },
		"from the folder \"\"":       func(d *Distillation) { d.Init = FromExport },
		"from the folder \"x\"":      func(d *Distillation) { d.From = "x" },
		"unknown term":               func(d *Distillation) { d.Loss = Loss{Terms: []LossTerm{{Kind: "hinge", Weight: 1}}} },
		"positive weight":            func(d *Distillation) { d.Loss = CE(-1) },
		"the teacher's context":      func(d *Distillation) { d.SeqLen = 9000 },
		"schedule: peak":             func(d *Distillation) { d.Schedule.Peak = -1 },
		"decay \"steps\" is unknown": func(d *Distillation) { d.Schedule.Decay = "steps" },
		"it falls in 95 steps":       func(d *Distillation) { d.Schedule.Decay, d.Schedule.Falling = WSD, 95 },
		"kept logits serve":          func(d *Distillation) { d.KeepLogits, d.Loss = true, ForwardKL(1) },
		"one k and one temperature":  func(d *Distillation) { d.KeepLogits, d.Loss = true, ForwardKL(1).Top(8).Plus(ReverseKL(1).Top(9)) },
		"needs no teacher":           func(d *Distillation) { d.KeepLogits = true },
		"hidden states are not kept": func(d *Distillation) { d.KeepLogits, d.Loss = true, ForwardKL(1).Top(8).Plus(HiddenStates(1)) },
		"2 terms compare hidden":     func(d *Distillation) { d.Loss = HiddenStates(1).Plus(HiddenStates(2)) },
		"hidden states have none":    func(d *Distillation) { d.Loss.Terms = []LossTerm{{Kind: HiddenStatesTerm, Weight: 1, Temperature: 2}} },
		"has only 30 layers":         func(d *Distillation) { d.Loss.Terms = []LossTerm{{Kind: HiddenStatesTerm, Weight: 1, Pairs: 31}} },
		"with 2 pairs of layers":     func(d *Distillation) { d.Loss.Terms[0].Pairs = 2 },
		"dtype is \"f16\"":           func(d *Distillation) { d.Type = Float16 },
		"eval_tokens":                func(d *Distillation) { d.EvalTokens = 1 },
		"weight_decay -1":            func(d *Distillation) { d.WeightDecay = -1 },
		"loss: no terms; try slm":    func(d *Distillation) { d.Loss.Terms = nil },
	} {
		d := Distillation{}.WithDefaults()
		change(&d)
		if err := d.Validate(teacher); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// A run refuses a change that it could not follow.
func TestDistillationAccepts(t *testing.T) {
	teacher := smol(t)
	d := Distillation{Loss: ForwardKL(1).Top(8).At(2), KeepLogits: true}.WithDefaults()
	deep := HiddenStates(1)
	deep.Terms[0].Pairs = 31
	for _, c := range []struct {
		kept bool
		loss Loss
		want string // empty: it is accepted
	}{
		{true, CE(0.5).Plus(ReverseKL(0.5).Top(8).At(2)), ""},
		{true, CE(1), ""},
		{true, ReverseKL(1).Top(9).At(2), "are the likeliest 8 at temperature 2"},
		{true, HiddenStates(1), "hidden states are not kept"},
		{false, HiddenStates(1), ""},
		{false, deep, "has only 30 layers"},
		{false, Loss{}, "neither a schedule nor a loss"},
	} {
		d.KeepLogits = c.kept
		if err := d.Accepts(Change{Loss: c.loss}, teacher); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.loss, err, c.want)
		}
	}
}

// The parts of a text that only distributions have do not touch hidden states.
func TestHiddenStatesAsText(t *testing.T) {
	l := CE(0.3).Plus(ForwardKL(0.7)).Plus(HiddenStates(0.1))
	l.Terms[2].Pairs = 3
	if got, want := l.Top(8).At(2).String(), "0.3 cross-entropy + 0.7 forward-kl of the top 8 at temperature 2 + 0.1 hidden-states of 3 pairs of layers"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if HiddenStates(1).NeedsLogits() || !HiddenStates(1).NeedsTeacher() || !l.NeedsLogits() || l.Pairs() != 3 || CE(1).Pairs() != 0 {
		t.Error("what the loss needs of the teacher is wrong")
	}
	w := Warm{Steps: 1, Loss: l}.WithDefaults()
	if err := w.Validate(); err == nil || !strings.Contains(err.Error(), "leave out hidden-states") {
		t.Errorf("candidates: %v", err)
	}
}

func TestCurveKnowsItsEnd(t *testing.T) {
	c := Curve{Points: []Point{{Step: 0, Validation: 13}, {Step: 1}, {Step: 2, Validation: 9}, {Step: 3}}}
	if c.Steps() != 3 || c.Validation() != 9 {
		t.Errorf("steps %d, validation %g; want 3 and 9", c.Steps(), c.Validation())
	}
	if !math.IsNaN((Curve{}).Validation()) {
		t.Error("an empty curve has a validation loss")
	}
}
