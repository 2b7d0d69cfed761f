package slm

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Divergence names what a term of a [Loss] measures. With p the teacher's and q the student's next-token distribution at the
// term's temperature t, and z their logits, each is a mean over tokens, in nats where it is one of distributions. Those marked
// with t² are multiplied by it, which keeps their gradient's size (Hinton et al. 2015, arXiv 1503.02531, section 2.1).
type Divergence string

// The terms of a loss.
const (
	CrossEntropyTerm     Divergence = "cross-entropy"      // of the student against the text
	ForwardKLTerm        Divergence = "forward-kl"         // t²·KL(p ‖ q): Hinton et al. 2015
	ReverseKLTerm        Divergence = "reverse-kl"         // t²·KL(q ‖ p): Gu et al. 2024, arXiv 2306.08543
	SymmetricKLTerm      Divergence = "symmetric-kl"       // t²·((1-λ)·KL(p ‖ q) + λ·KL(q ‖ p)); λ = ½: half of Jeffreys' divergence
	JensenShannonTerm    Divergence = "jensen-shannon"     // t²·½(KL(p ‖ m) + KL(q ‖ m)), m = ½(p + q): Lin 1991
	SoftCrossEntropyTerm Divergence = "soft-cross-entropy" // -t²·Σ p log q: Hinton et al. 2015
	CosineTerm           Divergence = "cosine"             // 1 - cos(p, q)
	L1Term               Divergence = "l1"                 // mean |z_p - z_q| over the vocabulary
	L2Term               Divergence = "l2"                 // mean (z_p - z_q)² over the vocabulary: Ba and Caruana 2014, arXiv 1312.6184
	MMDTerm              Divergence = "mmd"                // squared maximum mean discrepancy of the logits of a batch: Gretton et al. 2012
	HiddenStatesTerm     Divergence = "hidden-states"      // mean (h_q·W - h_p)² over a hidden state's dimensions: see [HiddenStates]

	// Two terms of whittle 0.6.0 that depart from the literature, to reproduce what was trained with them.
	WhittleJensenShannonTerm    Divergence = "whittle-jensen-shannon"     // t²·½(KL(m ‖ q) + KL(m ‖ p)): the arguments the other way round
	WhittleSoftCrossEntropyTerm Divergence = "whittle-soft-cross-entropy" // -Σ z_p/t·log q: logits in the place of probabilities
)

// WhittleReverse is λ of whittle 0.6.0's symmetric divergence.
const WhittleReverse = 0.9

// Divergences lists the terms that compare the student with its teacher.
var Divergences = []Divergence{ForwardKLTerm, ReverseKLTerm, SymmetricKLTerm, JensenShannonTerm, SoftCrossEntropyTerm, CosineTerm, L1Term, L2Term,
	MMDTerm, HiddenStatesTerm, WhittleJensenShannonTerm, WhittleSoftCrossEntropyTerm}

// Loss is a weighted sum of terms, such as CE(0.3).Plus(ForwardKL(0.7)): equation 2 of arXiv 2510.07227.
type Loss struct {
	Terms []LossTerm `json:"terms"`

	// Balanced weighs every divergence so that it counts as much as the cross-entropy: its weight is multiplied by the
	// ratio of the two values in the step, taken as a constant. (whittle 0.6.0's weight scheme "default" has the same value,
	// but differentiates the ratio, too: the divergence's gradient then cancels, and only the cross-entropy trains.)
	Balanced bool `json:"balanced,omitzero"`
}

// LossTerm is one weighted term.
type LossTerm struct {
	Kind        Divergence `json:"kind"`
	Weight      float64    `json:"weight"`
	Temperature float64    `json:"temperature,omitzero"` // divides both logits of a divergence; 0 means 1

	// TopK takes the teacher's likeliest so many tokens, and all others together as one more outcome: a divergence of
	// these never exceeds that of the whole distributions (data processing inequality). 0 means all tokens.
	TopK int `json:"top_k,omitzero"`

	Reverse   float64 `json:"reverse,omitzero"`   // λ of the symmetric divergence; 0 means ½
	Bandwidth float64 `json:"bandwidth,omitzero"` // σ of MMD's Gaussian kernel exp(-‖x-y‖²/2σ²); 0 takes the batch's mean distance (whittle has 1)
	Pairs     int     `json:"pairs,omitzero"`     // of layers whose hidden states are compared; 0 means 1, the last: see [HiddenStates]
}

// CE is the cross-entropy of the student's next-token distribution against the text, in nats per token.
func CE(weight float64) Loss { return term(CrossEntropyTerm, weight) }

// ForwardKL is [ForwardKLTerm].
func ForwardKL(weight float64) Loss { return term(ForwardKLTerm, weight) }

// ReverseKL is [ReverseKLTerm].
func ReverseKL(weight float64) Loss { return term(ReverseKLTerm, weight) }

// SymmetricKL is [SymmetricKLTerm] with λ = ½.
func SymmetricKL(weight float64) Loss { return term(SymmetricKLTerm, weight) }

// JensenShannon is [JensenShannonTerm].
func JensenShannon(weight float64) Loss { return term(JensenShannonTerm, weight) }

// SoftCrossEntropy is [SoftCrossEntropyTerm].
func SoftCrossEntropy(weight float64) Loss { return term(SoftCrossEntropyTerm, weight) }

// Cosine is [CosineTerm].
func Cosine(weight float64) Loss { return term(CosineTerm, weight) }

// L1 is [L1Term].
func L1(weight float64) Loss { return term(L1Term, weight) }

// L2 is [L2Term].
func L2(weight float64) Loss { return term(L2Term, weight) }

// MMD is [MMDTerm].
func MMD(weight float64) Loss { return term(MMDTerm, weight) }

// HiddenStates is [HiddenStatesTerm]: the mean squared difference between the teacher's hidden states and the student's times
// a matrix W of the student's width by the teacher's (Jiao et al. 2020, TinyBERT, arXiv 1909.10351, equation 8; unlike there,
// pairs of layers are averaged, not summed). Hidden states are what leaves a layer, before any norm. Of n pairs, the i-th is of
// the layers at i/n of the student's depth and of the teacher's, so that the last are always compared; all share W.
//
// W is trained with the student and thrown away after it. It begins by putting each of the student's dimensions in its place
// in the teacher. The term is not in nats but grows with the square of the teacher's activations, whose size is its own: look at
// the first losses to choose a weight, or balance the loss.
func HiddenStates(weight float64) Loss { return term(HiddenStatesTerm, weight) }

func term(kind Divergence, weight float64) Loss {
	return Loss{Terms: []LossTerm{{Kind: kind, Weight: weight}}}
}

// At sets the temperature of every divergence of next-token distributions or logits in the loss.
func (l Loss) At(temperature float64) Loss {
	return l.divergences(func(t *LossTerm) { t.Temperature = temperature })
}

// Top takes the teacher's k likeliest tokens in every such divergence: see [LossTerm.TopK].
func (l Loss) Top(k int) Loss { return l.divergences(func(t *LossTerm) { t.TopK = k }) }

// Balance is the loss with Balanced set.
func (l Loss) Balance() Loss {
	l.Balanced = true
	return l
}

func (l Loss) divergences(change func(*LossTerm)) Loss {
	l.Terms = slices.Clone(l.Terms)
	for i := range l.Terms {
		if l.Terms[i].ofLogits() {
			change(&l.Terms[i])
		}
	}
	return l
}

// Plus adds the terms of another loss; the sum is balanced if one of them is.
func (l Loss) Plus(other Loss) Loss {
	return Loss{append(slices.Clone(l.Terms), other.Terms...), l.Balanced || other.Balanced}
}

// ofLogits reports a term that compares the teacher's logits with the student's.
func (t LossTerm) ofLogits() bool { return t.Kind != CrossEntropyTerm && t.Kind != HiddenStatesTerm }

// NeedsLogits reports whether a term compares the student's logits with its teacher's.
func (l Loss) NeedsLogits() bool { return slices.ContainsFunc(l.Terms, LossTerm.ofLogits) }

// Pairs is the number of pairs of layers whose hidden states are compared; 0 where none are.
func (l Loss) Pairs() int {
	for _, t := range l.Terms {
		if t.Kind == HiddenStatesTerm {
			return cmp.Or(t.Pairs, 1)
		}
	}
	return 0
}

// NeedsTeacher reports whether a term compares the student with its teacher.
func (l Loss) NeedsTeacher() bool {
	return slices.ContainsFunc(l.Terms, func(t LossTerm) bool { return t.Kind != CrossEntropyTerm })
}

// Kept is what must be kept of a teacher's logits so that a loss can be computed without it: the likeliest k tokens, and their
// log-probabilities at a temperature. k is 0 where the loss needs no teacher. A loss that needs more is an error.
func (l Loss) Kept() (k int, temperature float64, err error) {
	for _, t := range l.Terms {
		at := cmp.Or(t.Temperature, 1)
		switch {
		case t.Kind == CrossEntropyTerm:
		case t.Kind == HiddenStatesTerm:
			return 0, 0, fmt.Errorf("loss %s: the teacher's hidden states are not kept; leave out the term, or do not keep the logits", l)
		case t.TopK == 0 || t.Kind == L1Term || t.Kind == L2Term:
			return 0, 0, fmt.Errorf("loss %s: kept logits serve divergences of the top k tokens' probabilities, such as slm.ForwardKL(1).Top(64)", l)
		case k > 0 && (t.TopK != k || at != temperature):
			return 0, 0, fmt.Errorf("loss %s: kept logits have one k and one temperature for all its terms", l)
		default:
			k, temperature = t.TopK, at
		}
	}
	return k, temperature, nil
}

// Validate reports the first term that cannot be computed.
func (l Loss) Validate() error {
	if len(l.Terms) == 0 {
		return fmt.Errorf("loss: no terms; try slm.CE(1)")
	}
	hidden := 0
	for _, t := range l.Terms {
		if err := t.validate(); err != nil {
			return err
		}
		if t.Kind == HiddenStatesTerm {
			hidden++
		}
	}
	if hidden > 1 {
		return fmt.Errorf("loss: %d terms compare hidden states; want one, with more pairs", hidden)
	}
	if l.Balanced && !l.NeedsTeacher() {
		return fmt.Errorf("loss: it is balanced, but has no divergence")
	}
	return nil
}

func (t LossTerm) validate() error {
	if t.Kind != CrossEntropyTerm && !slices.Contains(Divergences, t.Kind) {
		return fmt.Errorf("loss: unknown term %q; known: %s and %v", t.Kind, CrossEntropyTerm, Divergences)
	}
	if !(t.Weight > 0) || math.IsInf(t.Weight, 0) || !(t.Temperature >= 0) || math.IsInf(t.Temperature, 0) {
		return fmt.Errorf("loss: %s with weight %g and temperature %g: want a positive weight, and a temperature that is not negative",
			t.Kind, t.Weight, t.Temperature)
	}
	if t.TopK < 0 || t.TopK > 0 && slices.Contains([]Divergence{CrossEntropyTerm, MMDTerm, HiddenStatesTerm, WhittleSoftCrossEntropyTerm}, t.Kind) {
		return fmt.Errorf("loss: %s cannot be taken of the teacher's %d likeliest tokens", t.Kind, t.TopK)
	}
	if t.Reverse != 0 && (t.Kind != SymmetricKLTerm || !(t.Reverse > 0 && t.Reverse < 1)) {
		return fmt.Errorf("loss: %s with reverse %g: that is for %s, between 0 and 1", t.Kind, t.Reverse, SymmetricKLTerm)
	}
	if t.Bandwidth != 0 && (t.Kind != MMDTerm || !(t.Bandwidth > 0)) {
		return fmt.Errorf("loss: %s with bandwidth %g: that is for %s, and positive", t.Kind, t.Bandwidth, MMDTerm)
	}
	if t.Pairs != 0 && (t.Kind != HiddenStatesTerm || t.Pairs < 0) {
		return fmt.Errorf("loss: %s with %d pairs of layers: that is for %s, and positive", t.Kind, t.Pairs, HiddenStatesTerm)
	}
	if t.Kind == HiddenStatesTerm && t.Temperature != 0 {
		return fmt.Errorf("loss: %s with temperature %g: hidden states have none", t.Kind, t.Temperature)
	}
	return nil
}

// String is such as "0.3 cross-entropy + 0.7 forward-kl".
func (l Loss) String() string {
	parts := make([]string, len(l.Terms))
	for i, t := range l.Terms {
		parts[i] = fmt.Sprintf("%g %s", t.Weight, t.Kind)
		if t.TopK != 0 {
			parts[i] += fmt.Sprintf(" of the top %d", t.TopK)
		}
		if t.Pairs > 1 {
			parts[i] += fmt.Sprintf(" of %d pairs of layers", t.Pairs)
		}
		if t.Temperature != 0 && t.Temperature != 1 {
			parts[i] += fmt.Sprintf(" at temperature %g", t.Temperature)
		}
	}
	text := strings.Join(parts, " + ")
	if l.Balanced {
		text += ", balanced"
	}
	return text
}
