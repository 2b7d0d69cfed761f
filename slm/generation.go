package slm

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Generation says how a prompt is continued. The zero value but for Tokens takes the likeliest token each time.
type Generation struct {
	Tokens      int     `json:"tokens"`      // at most so many new ones
	Temperature float64 `json:"temperature"` // divides the logits before drawing; 0 is greedy
	TopP        float64 `json:"top_p"`       // draw from the likeliest tokens that together have this probability; 0 means 1, all
	Seed        uint64  `json:"seed"`
	Stop        []int32 `json:"stop,omitempty"` // ids that end the text; they are not part of it
}

// Validate reports the first field that is out of range.
func (g Generation) Validate() error {
	switch {
	case g.Tokens < 1:
		return fmt.Errorf("generation: tokens is %d, want at least 1", g.Tokens)
	case !(g.Temperature >= 0) || math.IsInf(g.Temperature, 1):
		return fmt.Errorf("generation: temperature is %g, want 0 (greedy) or more", g.Temperature)
	case !(g.TopP >= 0) || g.TopP > 1:
		return fmt.Errorf("generation: top_p is %g, want 0 to 1", g.TopP)
	}
	return nil
}

// Rand is the source of randomness of a generation: the same seed gives the same text.
func (g Generation) Rand() *rand.Rand { return rand.New(rand.NewPCG(g.Seed, 0)) }

// Choose picks the next token from its logits. With a temperature it draws from softmax(logits/temperature), cut to the
// smallest set of tokens whose probabilities reach TopP (nucleus sampling, Holtzman et al. 2020, arXiv 1904.09751,
// section 3.1) and renormalized.
func (g Generation) Choose(logits []float32, r *rand.Rand) int32 {
	best := 0
	for i, v := range logits {
		if v > logits[best] {
			best = i
		}
	}
	if g.Temperature == 0 {
		return int32(best)
	}
	nucleus := g.nucleus(logits, logits[best])
	total := 0.0
	for _, t := range nucleus {
		total += t.weight
	}
	at := r.Float64() * total
	for _, t := range nucleus {
		if at -= t.weight; at < 0 {
			return t.id
		}
	}
	return int32(best) // rounding, or logits that are not numbers
}

type weighted struct {
	id     int32
	weight float64 // probability times a constant
}

// nucleus is the likeliest tokens that reach TopP together, best first; all of them, unsorted, when that is 1.
func (g Generation) nucleus(logits []float32, largest float32) []weighted {
	tokens, total := make([]weighted, len(logits)), 0.0
	for i, v := range logits {
		w := math.Exp(float64(v-largest) / g.Temperature)
		tokens[i] = weighted{int32(i), w}
		total += w
	}
	if g.TopP == 0 || g.TopP == 1 {
		return tokens
	}
	slices.SortStableFunc(tokens, func(a, b weighted) int { return cmp.Compare(b.weight, a.weight) })
	sum := 0.0
	for i, t := range tokens {
		if sum += t.weight; sum >= g.TopP*total {
			return tokens[:i+1]
		}
	}
	return tokens
}
