package slm

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Alpha is the share of the cross-entropy in the loss's weights, α of α·cross-entropy + (1-α)·divergence. It is false of a loss that
// has no cross-entropy, or nothing beside it: there is nothing to mix.
func (l Loss) Alpha() (alpha float64, mixed bool) {
	text, teacher := l.weights()
	return text / (text + teacher), text > 0 && teacher > 0
}

// Mixed gives the cross-entropy the weight alpha, and divides 1 - alpha among the other terms in the proportions of their weights.
// Both must be left: alpha is between 0 and 1, without either.
func (l Loss) Mixed(alpha float64) (Loss, error) {
	text, teacher := l.weights()
	switch {
	case !(alpha > 0 && alpha < 1):
		return l, fmt.Errorf("loss: alpha %g: want a share between 0 and 1", alpha)
	case !(text > 0 && teacher > 0):
		return l, fmt.Errorf("loss %s: there is nothing to mix; try slm.CE(0.3).Plus(slm.ForwardKL(0.7))", l)
	}
	l.Terms = slices.Clone(l.Terms)
	for i := range l.Terms {
		if t := &l.Terms[i]; t.Kind == CrossEntropyTerm {
			t.Weight = rounded(t.Weight * alpha / text)
		} else {
			t.Weight = rounded(t.Weight * (1 - alpha) / teacher)
		}
	}
	return l, nil
}

// rounded keeps 1 - 0.9 readable.
func rounded(weight float64) float64 { return math.Round(weight*1e12) / 1e12 }

// Temperature is that of the first term that compares logits. It is false of a loss without one.
func (l Loss) Temperature() (temperature float64, tempered bool) {
	for _, t := range l.Terms {
		if t.ofLogits() {
			return cmp.Or(t.Temperature, 1), true
		}
	}
	return 1, false
}

// weights are the sums of the cross-entropy's and of all others.
func (l Loss) weights() (text, teacher float64) {
	for _, t := range l.Terms {
		if t.Kind == CrossEntropyTerm {
			text += t.Weight
		} else {
			teacher += t.Weight
		}
	}
	return text, teacher
}
