package slm

import (
	"cmp"
	"fmt"
)

// Warm says how a candidate is trained before it is judged; the zero value does not. The loss before training says little
// about the loss after it: what is cut out of a teacher must first find its feet.
type Warm struct {
	Steps    int      `json:"steps"`
	Batch    int      `json:"batch"`   // sequences in a step
	SeqLen   int      `json:"seq_len"` // tokens in a sequence that are predicted
	Schedule Schedule `json:"schedule"`
	Loss     Loss     `json:"loss"`
}

// IsZero reports that candidates are judged as they are.
func (w Warm) IsZero() bool { return w.Steps == 0 }

// WithDefaults fills the zero fields of a plan that has steps: 2 sequences of 128 tokens, a learning rate that rises to 1e-3
// in a quarter of the steps and falls to a tenth of it, plain cross-entropy.
func (w Warm) WithDefaults() Warm {
	if w.IsZero() {
		return w
	}
	w.Batch = cmp.Or(w.Batch, 2)
	w.SeqLen = cmp.Or(w.SeqLen, 128)
	w.Schedule.Horizon = cmp.Or(w.Schedule.Horizon, w.Steps)
	w.Schedule.Warmup = cmp.Or(w.Schedule.Warmup, max(1, w.Steps/4))
	w.Schedule = w.Schedule.withDefaults()
	if len(w.Loss.Terms) == 0 {
		w.Loss = CE(1)
	}
	return w
}

// Validate reports the first field that cannot work.
func (w Warm) Validate() error {
	if w.IsZero() {
		return nil
	}
	if w.Steps < 0 || w.Batch < 1 || w.SeqLen < 2 {
		return fmt.Errorf("warm: %d steps of %d sequences of %d tokens: want at least 1, 1 and 2", w.Steps, w.Batch, w.SeqLen)
	}
	if err := w.Schedule.Validate(); err != nil {
		return fmt.Errorf("warm: %w", err)
	}
	if err := w.Loss.Validate(); err != nil {
		return fmt.Errorf("warm: %w", err)
	}
	if w.Loss.Pairs() > 0 {
		return fmt.Errorf("warm: loss %s: candidates are not trained on hidden states; leave out %s", w.Loss, HiddenStatesTerm)
	}
	return nil
}
