package slm

import (
	"fmt"
	"math"
)

// Rotary says how a sub-network with smaller heads than its teacher's rotates them, and scales their attention.
type Rotary string

const (
	// Recomputed gives a head of n dimensions the frequencies of a model whose heads have n, and the attention scale
	// 1/√n: as whittle does. A student is then an ordinary member of its family, which every library loads; but its kept
	// dimensions turn at other speeds than in the teacher, so its attention must be relearned.
	Recomputed Rotary = ""
	// Kept lets each kept dimension turn as fast as in the teacher, with the teacher's scale 1/√headSize: the scores are
	// the teacher's, less the terms of the dropped dimensions. Both dimensions of a rotated pair must be kept: see
	// [Config.RotaryPairs]. A student is then loaded by libraries that read per-dimension factors (transformers'
	// "longrope", llama.cpp's rope_freqs), which slm/checkpoint writes.
	Kept Rotary = "kept"
)

// RopeScaling stretches rotary positions to contexts longer than a model was first trained on; the zero value does not.
type RopeScaling struct {
	Kind                string    `json:"kind,omitzero"`
	Factor              float64   `json:"factor,omitzero"`
	LowFrequencyFactor  float64   `json:"low_frequency_factor,omitzero"`  // Llama 3 only
	HighFrequencyFactor float64   `json:"high_frequency_factor,omitzero"` // Llama 3 only
	OriginalContext     int       `json:"original_context,omitzero"`      // Llama 3 only
	Factors             []float64 `json:"factors,omitempty"`              // per pair only: each divides its pair's frequency
}

// The kinds of scaling, by the names of transformers' rope_type.
const (
	LinearScaling  = "linear"   // every frequency is divided by Factor (Chen et al. 2023, arXiv 2306.15595)
	Llama3Scaling  = "llama3"   // low frequencies are divided, high ones kept, those between interpolated
	PerPairScaling = "longrope" // each pair's frequency has a divisor of its own
)

func (r RopeScaling) validate(c Config) error {
	switch r.Kind {
	case "":
		return nil
	case LinearScaling:
		if !(r.Factor > 0) {
			return fmt.Errorf("rope_scaling: factor is %g, want a positive number", r.Factor)
		}
		return nil
	case Llama3Scaling:
		if !(r.Factor > 0) || !(r.LowFrequencyFactor > 0) || !(r.HighFrequencyFactor > r.LowFrequencyFactor) || r.OriginalContext < 1 {
			return fmt.Errorf("rope_scaling: factor %g, low %g, high %g, original context %d: want positive numbers, low below high",
				r.Factor, r.LowFrequencyFactor, r.HighFrequencyFactor, r.OriginalContext)
		}
		return nil
	case PerPairScaling:
		rotated, err := c.rotated(c.HeadSize)
		if err == nil && len(r.Factors) != rotated/2 {
			err = fmt.Errorf("rope_scaling: %d factors for %d rotated pairs", len(r.Factors), rotated/2)
		}
		for _, f := range r.Factors {
			if !(f > 0) {
				err = fmt.Errorf("rope_scaling: a factor is %g, want positive numbers", f)
			}
		}
		return err
	}
	return fmt.Errorf("rope_scaling: kind %q is not supported (supported: %s, %s, %s)", r.Kind, LinearScaling, Llama3Scaling, PerPairScaling)
}

// rotated is how many of a head's first dimensions turn, for heads of a size. They turn in pairs, so it must be even.
func (c Config) rotated(headSize int) (int, error) {
	exact := float64(headSize)
	if c.RotaryFraction > 0 {
		exact *= c.RotaryFraction
	}
	n := int(math.Round(exact))
	if math.Abs(exact-float64(n)) > 1e-6 || n%2 != 0 {
		return 0, fmt.Errorf("head_size: of %d dimensions %.4g turn; rotary positions need an even number", headSize, exact)
	}
	return n, nil
}

// Frequencies are the angles, in radians per position, by which the pairs of a head's first dimensions turn, for heads of
// a size: pair i of R rotated dimensions turns by theta^(-2i/R), before scaling (Su et al. 2021, arXiv 2104.09864). In the
// "rotate half" layout of Hugging Face, pair i is made of dimensions i and i+R/2.
// It panics on a head size that does not rotate an even number of dimensions; Validate reports those.
func (c Config) Frequencies(headSize int) []float64 {
	rotated, err := c.rotated(headSize)
	if err != nil {
		panic("slm.Config.Frequencies: " + err.Error())
	}
	out := make([]float64, rotated/2)
	for i := range out {
		out[i] = c.RopeScaling.scale(math.Pow(c.RopeTheta, -2*float64(i)/float64(rotated)), i)
	}
	return out
}

// scale is a pair's scaled frequency, as in transformers' modeling_rope_utils.
func (r RopeScaling) scale(frequency float64, pair int) float64 {
	switch r.Kind {
	case LinearScaling:
		return frequency / r.Factor
	case PerPairScaling:
		if pair < len(r.Factors) { // a smaller head has the first of them
			return frequency / r.Factors[pair]
		}
	case Llama3Scaling:
		turns := float64(r.OriginalContext) * frequency / (2 * math.Pi) // over the original context
		switch {
		case turns < r.LowFrequencyFactor:
			return frequency / r.Factor
		case turns > r.HighFrequencyFactor:
			return frequency
		}
		smooth := (turns - r.LowFrequencyFactor) / (r.HighFrequencyFactor - r.LowFrequencyFactor)
		return (1-smooth)*frequency/r.Factor + smooth*frequency
	}
	return frequency
}

// RotaryPairs is a set of n head dimensions that keeps rotated pairs together, for sub-networks with [Kept]: the first
// pairs of the rotated part, and the first of the rest, in the teacher's proportion. n must be even.
func (c Config) RotaryPairs(n int) Indices {
	rotated, err := c.rotated(c.HeadSize)
	if err != nil || n%2 != 0 || n < 2 || n > c.HeadSize {
		panic(fmt.Sprintf("slm.Config.RotaryPairs(%d): want an even number of the head's %d dimensions", n, c.HeadSize))
	}
	pairs := max(1, int(math.Round(float64(n)*float64(rotated)/float64(c.HeadSize)/2)))
	pairs = max(min(pairs, rotated/2, n/2), (n-(c.HeadSize-rotated)+1)/2)
	var s Indices
	s.add(0, pairs-1)
	s.add(rotated/2, rotated/2+pairs-1)
	if rest := n - 2*pairs; rest > 0 {
		s.add(rotated, rotated+rest-1)
	}
	return s
}

// checkPairs reports a rotated dimension that is kept without its partner.
func (c Config) checkPairs(headSize Indices) error {
	rotated, err := c.rotated(c.HeadSize)
	if err != nil || headSize.IsZero() {
		return err
	}
	half := rotated / 2
	for i := range half {
		if headSize.Contains(i) != headSize.Contains(i+half) {
			return fmt.Errorf("head_size: dimensions %d and %d turn together; with rotary %q keep both or none", i, i+half, Kept)
		}
	}
	return nil
}

// Frequencies are the angles per position of the rotated pairs of a kept layer's heads: its first 2·len dimensions turn.
// They follow s.Rotary.
func (s Subnet) Frequencies(teacher Config, l LayerSubnet) []float64 {
	if s.Rotary != Kept || l.HeadSize.IsZero() {
		return teacher.Frequencies(l.HeadSize.Len(teacher.HeadSize))
	}
	all := teacher.Frequencies(teacher.HeadSize)
	var kept []float64
	for i, f := range all {
		if l.HeadSize.Contains(i) {
			kept = append(kept, f)
		}
	}
	return kept
}

// AttentionScale multiplies the scores of a kept layer: 1/√n for heads of n dimensions; with [Kept], the teacher's n.
func (s Subnet) AttentionScale(teacher Config, l LayerSubnet) float64 {
	if s.Rotary == Kept {
		return 1 / math.Sqrt(float64(teacher.HeadSize))
	}
	return 1 / math.Sqrt(float64(l.HeadSize.Len(teacher.HeadSize)))
}
