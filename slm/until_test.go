package slm

import (
	"math"
	"testing"
	"time"
)

func TestUntil(t *testing.T) {
	for _, c := range []struct {
		until Until
		steps int // of 512 tokens
		text  string
	}{
		{Until{Steps: 50}, 50, "50 steps"},
		{Until{Tokens: 1024}, 2, "1024 tokens"},
		{Until{Tokens: 1025}, 3, "1025 tokens"},
		{Until{Steps: 2, Tokens: 1025}, 2, "2 steps or 1025 tokens"},
		{Until{Steps: 9, Tokens: 1}, 1, "9 steps or 1 tokens"},
		{Until{Time: 2 * time.Minute, Perplexity: 40}, 0, "2m0s or perplexity 40"},
	} {
		if err := c.until.Validate(); err != nil {
			t.Error(err)
		}
		if got := c.until.StepsOf(512); got != c.steps || c.until.String() != c.text {
			t.Errorf("%s has %d steps, want %d, and %q", c.until, got, c.steps, c.text)
		}
	}
	for _, u := range []Until{{}, {Steps: -1}, {Tokens: -1}, {Time: -1}, {Perplexity: 1}, {Perplexity: -3}, {Perplexity: math.NaN()}, {Perplexity: math.Inf(1)}, {Steps: 1 << 30}} {
		if u.Validate() == nil {
			t.Errorf("%+v is valid", u)
		}
	}
	u := Until{Perplexity: 10}
	if u.Reached(0) || u.Reached(math.Log(10.1)) || !u.Reached(math.Log(9.9)) || (Until{Steps: 1}).Reached(0.1) {
		t.Error("a perplexity of 10 is reached by 9.9, not by 10.1, nor without a measurement")
	}
}

func TestChangesHoldFromTheirStep(t *testing.T) {
	d := Distillation{Loss: CE(1)}.WithDefaults()
	changes := []Change{{Step: 5, Schedule: Schedule{Peak: 2e-3}}, {Step: 8, Loss: ForwardKL(1)}, {Step: 8, Schedule: Schedule{Peak: 3e-3}}}
	for steps, want := range map[int]struct {
		peak float64
		loss string
	}{4: {1e-3, "1 cross-entropy"}, 5: {2e-3, "1 cross-entropy"}, 7: {2e-3, "1 cross-entropy"}, 8: {3e-3, "1 forward-kl"}} {
		if now := d.At(steps, changes); now.Schedule.Peak != want.peak || now.Loss.String() != want.loss {
			t.Errorf("after %d steps: peak %g, loss %s; want %g, %s", steps, now.Schedule.Peak, now.Loss, want.peak, want.loss)
		}
	}
	for _, c := range []Change{{}, {Schedule: Schedule{Peak: -1, Horizon: 9}}, {Loss: CE(-1)}} {
		if c.Validate() == nil {
			t.Errorf("%+v is valid", c)
		}
	}
	if a, b := CE(0.3).Plus(ForwardKL(0.7).At(2)), CE(1).Plus(ForwardKL(0.1)); a.Shape().String() != b.Shape().String() {
		t.Errorf("%s and %s have different shapes", a, b)
	}
}

func TestFLOPsFollowTheLoss(t *testing.T) {
	teacher := smol(t)
	d := Distillation{Subnet: Subnet{Embd: First(256)}, Loss: CE(1), Batch: 2, SeqLen: 64}.WithDefaults()
	c := Curve{Teacher: teacher, Distillation: d, Changes: []Change{{Step: 1, Loss: ForwardKL(1)}},
		Points: []Point{{}, {Step: 1, Seconds: 2}, {Step: 2, Seconds: 3}}}
	student, whole := d.Subnet.ForwardFLOPs(teacher, 64), Subnet{}.ForwardFLOPs(teacher, 64)
	if got, want := c.FLOPs(), float64(128*(3*student)+128*(3*student+whole)); got != want || c.Seconds() != 5 {
		t.Errorf("%g FLOPs in %g s, want %g in 5", got, c.Seconds(), want)
	}
}
