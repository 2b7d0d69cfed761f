package slm

import (
	"fmt"
	"strings"
)

// Divergence names what a term of a [Loss] measures.
type Divergence string

// The terms of a loss.
const (
	CrossEntropyTerm Divergence = "cross-entropy" // of the student against the text
	ForwardKLTerm    Divergence = "forward-kl"    // KL(teacher ‖ student), Hinton et al. 2015, arXiv 1503.02531
)

// Loss is a weighted sum of terms, such as CE(0.3).Plus(ForwardKL(0.7)): equation 2 of arXiv 2510.07227.
type Loss struct {
	Terms []LossTerm `json:"terms"`
}

// LossTerm is one weighted term.
type LossTerm struct {
	Kind        Divergence `json:"kind"`
	Weight      float64    `json:"weight"`
	Temperature float64    `json:"temperature,omitzero"` // divides both logits of a divergence; 0 means 1
}

// CE is the cross-entropy of the student's next-token distribution against the text, in nats per token.
func CE(weight float64) Loss {
	return Loss{[]LossTerm{{Kind: CrossEntropyTerm, Weight: weight}}}
}

// ForwardKL is KL(teacher ‖ student) of the next-token distributions, in nats per token. At temperature t both logits
// are divided by t and the term is multiplied by t², which keeps its gradient's size (Hinton et al. 2015, section 2.1).
func ForwardKL(weight float64) Loss {
	return Loss{[]LossTerm{{Kind: ForwardKLTerm, Weight: weight}}}
}

// At sets the temperature of every divergence in the loss.
func (l Loss) At(temperature float64) Loss {
	out := Loss{Terms: append([]LossTerm(nil), l.Terms...)}
	for i := range out.Terms {
		if out.Terms[i].Kind != CrossEntropyTerm {
			out.Terms[i].Temperature = temperature
		}
	}
	return out
}

// Plus adds the terms of another loss.
func (l Loss) Plus(other Loss) Loss {
	return Loss{append(append([]LossTerm(nil), l.Terms...), other.Terms...)}
}

// NeedsTeacher reports whether a term compares the student with its teacher.
func (l Loss) NeedsTeacher() bool {
	for _, t := range l.Terms {
		if t.Kind != CrossEntropyTerm {
			return true
		}
	}
	return false
}

// Validate reports the first term that cannot be computed.
func (l Loss) Validate() error {
	if len(l.Terms) == 0 {
		return fmt.Errorf("loss: no terms; try slm.CE(1)")
	}
	for _, t := range l.Terms {
		if t.Kind != CrossEntropyTerm && t.Kind != ForwardKLTerm {
			return fmt.Errorf("loss: unknown term %q", t.Kind)
		}
		if !(t.Weight > 0) || t.Temperature < 0 {
			return fmt.Errorf("loss: %s with weight %g and temperature %g: want a positive weight, and a temperature that is not negative",
				t.Kind, t.Weight, t.Temperature)
		}
	}
	return nil
}

// String is such as "0.3 cross-entropy + 0.7 forward-kl".
func (l Loss) String() string {
	parts := make([]string, len(l.Terms))
	for i, t := range l.Terms {
		parts[i] = fmt.Sprintf("%g %s", t.Weight, t.Kind)
		if t.Temperature != 0 && t.Temperature != 1 {
			parts[i] += fmt.Sprintf(" at temperature %g", t.Temperature)
		}
	}
	return strings.Join(parts, " + ")
}
