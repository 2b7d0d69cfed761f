package slm

import (
	"fmt"
	"math"
)

// Aggregate turns the activations a of a unit, one for each of n tokens, into its importance.
type Aggregate string

// The aggregates of Muralidharan et al. 2024, arXiv 2407.14679, section 2.2, over the batch and the sequence at once.
const (
	Mean     Aggregate = "mean"     // Σ|a| / n
	Norm     Aggregate = "norm"     // √(Σa² / n): the L2 norm, which does not grow with the number of tokens
	Variance Aggregate = "variance" // Σa²/n − (Σa/n)², of the whole population
)

// Aggregates are all of them.
var Aggregates = []Aggregate{Mean, Norm, Variance}

// Validate reports an aggregate that is none.
func (a Aggregate) Validate() error {
	switch a {
	case Mean, Norm, Variance:
		return nil
	}
	return fmt.Errorf("aggregate is %q, want one of %q", string(a), Aggregates)
}

// Moments are sums over the activations of a unit.
type Moments struct {
	Tokens                 float64
	Sum, Absolute, Squares float64 // Σa, Σ|a|, Σa²
}

// Score is the importance of a unit with these activations.
func (a Aggregate) Score(m Moments) float64 {
	switch a {
	case Mean:
		return m.Absolute / m.Tokens
	case Norm:
		return math.Sqrt(m.Squares / m.Tokens)
	}
	mean := m.Sum / m.Tokens
	return max(0, m.Squares/m.Tokens-mean*mean) // rounding must not make it negative
}
