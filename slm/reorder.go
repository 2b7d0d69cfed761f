package slm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Reorder says by which measure a search orders the teacher's units before it draws the first n of them. Layers come in the
// order of their block importance, where a space keeps n of them by a rule.
type Reorder string

// The measures. Activations are measured on training text, a few seconds for each; package slm/model says how.
const (
	ByActivationMean     Reorder = "activation-mean"
	ByActivationNorm     Reorder = "activation-norm" // what served best on the models we tried
	ByActivationVariance Reorder = "activation-variance"
	ByWeightNorm         Reorder = "weight-norm"
)

var reorders = []Reorder{ByActivationMean, ByActivationNorm, ByActivationVariance, ByWeightNorm}

// Aggregate is how activations are aggregated; false for a measure of weights.
func (r Reorder) Aggregate() (Aggregate, bool) {
	aggregate, ok := strings.CutPrefix(string(r), "activation-")
	return Aggregate(aggregate), ok
}

// Validate reports an unknown measure; none is known.
func (r Reorder) Validate() error {
	if r != "" && !slices.Contains(reorders, r) {
		return fmt.Errorf("reorder is %q, want nothing or one of %v", r, reorders)
	}
	return nil
}

// validateOrder checks the order of a search.
func (s Search) validateOrder(teacher Config) error {
	if err := s.Reorder.Validate(); err != nil {
		return err
	}
	if s.Order == nil {
		return nil
	}
	if s.Reorder != "" {
		return errors.New("reorder and order: give one of them")
	}
	return s.Order.Validate(teacher)
}
