package slm

import (
	"errors"
	"fmt"
	"strings"
)

// Change is a setting of a run that is changed between two of its steps.
type Change struct {
	Step     int      `json:"step"`              // steps done when it is made
	Schedule Schedule `json:"schedule,omitzero"` // the new one, as if it had been so from step 0; none keeps the old
	Loss     Loss     `json:"loss,omitzero"`     // the new one; none keeps the old
}

// IsZero reports a loss without terms.
func (l Loss) IsZero() bool { return len(l.Terms) == 0 }

// String is such as "after step 20: loss: 1 cross-entropy".
func (c Change) String() string {
	var parts []string
	if c.Schedule != (Schedule{}) {
		parts = append(parts, "learning rate: "+c.Schedule.withDefaults().String())
	}
	if !c.Loss.IsZero() {
		parts = append(parts, "loss: "+c.Loss.String())
	}
	return fmt.Sprintf("after step %d: %s", c.Step, strings.Join(parts, "; "))
}

// Validate reports a change that changes nothing, or to what cannot be.
func (c Change) Validate() error {
	if c.Schedule == (Schedule{}) && c.Loss.IsZero() {
		return errors.New("change: it has neither a schedule nor a loss")
	}
	if c.Schedule != (Schedule{}) {
		if err := c.Schedule.Validate(); err != nil {
			return fmt.Errorf("change: %w", err)
		}
	}
	if !c.Loss.IsZero() {
		if err := c.Loss.Validate(); err != nil {
			return fmt.Errorf("change: %w", err)
		}
	}
	return nil
}

// Accepts reports a change that a run cannot make: its student has too few layers, or the teacher's logits that it keeps do not
// serve the loss.
func (d Distillation) Accepts(c Change, teacher Config) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if depth := d.Subnet.Depth(teacher); c.Loss.Pairs() > depth {
		return fmt.Errorf("change: loss %s: the student has only %d layers", c.Loss, depth)
	}
	if !d.KeepLogits {
		return nil
	}
	k, temperature, err := c.Loss.Kept()
	if err != nil {
		return fmt.Errorf("change: %w", err)
	}
	if kept, at, _ := d.Loss.Kept(); k > 0 && (k != kept || temperature != at) {
		return fmt.Errorf("change: loss %s: the logits that are kept are the likeliest %d at temperature %g", c.Loss, kept, at)
	}
	return nil
}

// At is what holds in the step after so many, given all changes of a run in their order.
func (d Distillation) At(steps int, changes []Change) Distillation {
	for _, c := range changes {
		if c.Step > steps {
			continue
		}
		if c.Schedule != (Schedule{}) {
			d.Schedule = c.Schedule.withDefaults()
		}
		if !c.Loss.IsZero() {
			d.Loss = c.Loss
		}
	}
	return d
}

// Shape is the loss without its weights and temperatures: losses of one shape are computed by one program.
func (l Loss) Shape() Loss {
	l.Terms = append([]LossTerm(nil), l.Terms...)
	for i := range l.Terms {
		l.Terms[i].Weight, l.Terms[i].Temperature = 1, 0
	}
	return l
}
