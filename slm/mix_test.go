package slm

import "testing"

func TestMixed(t *testing.T) {
	balanced := CE(0.3).Plus(ForwardKL(0.7)).Balance()
	for name, test := range map[string]struct {
		loss  Loss
		alpha float64
		want  string
	}{
		"two terms":              {CE(0.3).Plus(ForwardKL(0.7)), 0.5, "0.5 cross-entropy + 0.5 forward-kl"},
		"three, in proportion":   {CE(1).Plus(ForwardKL(3)).Plus(L2(1)), 0.2, "0.2 cross-entropy + 0.6 forward-kl + 0.2 l2"},
		"temperature and top k":  {CE(0.5).Plus(ForwardKL(0.5)).At(2).Top(64), 0.25, "0.25 cross-entropy + 0.75 forward-kl of the top 64 at temperature 2"},
		"balanced":               {balanced, 0.5, "0.5 cross-entropy + 0.5 forward-kl, balanced"},
		"hidden states":          {CE(0.5).Plus(HiddenStates(0.5)), 0.9, "0.9 cross-entropy + 0.1 hidden-states"},
		"nothing of the text":    {ForwardKL(1), 0.5, ""},
		"nothing of the teacher": {CE(1), 0.5, ""},
		"all of the text":        {balanced, 1, ""},
	} {
		got, err := test.loss.Mixed(test.alpha)
		if test.want == "" {
			if err == nil {
				t.Errorf("%s: no error, but %s", name, got)
			}
			continue
		}
		if alpha, ok := got.Alpha(); err != nil || got.String() != test.want || !ok || alpha != test.alpha {
			t.Errorf("%s: %s with alpha %g (%v), want %s", name, got, alpha, err, test.want)
		}
	}
	if balanced.Terms[0].Weight != 0.3 {
		t.Errorf("the loss itself was changed: %s", balanced)
	}
}

func TestTemperature(t *testing.T) {
	for want, loss := range map[float64]Loss{1: CE(0.3).Plus(ForwardKL(0.7)), 2: CE(0.3).Plus(ForwardKL(0.7)).At(2)} {
		if got, ok := loss.Temperature(); got != want || !ok {
			t.Errorf("%s: %g, %t", loss, got, ok)
		}
	}
	if _, ok := CE(1).Plus(HiddenStates(1)).Temperature(); ok {
		t.Error("hidden states have a temperature")
	}
}
