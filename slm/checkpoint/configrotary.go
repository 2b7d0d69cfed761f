package checkpoint

import (
	"fmt"
	"slices"

	"github.com/offshoot-ml/offshoot/slm"
)

// rotary reads how positions rotate heads. transformers 5 has everything under rope_parameters; transformers 4 has the
// base and, for GPT-NeoX, the rotated part as keys of their own beside rope_scaling.
func (k *keys) rotary(c *slm.Config, p preset) {
	scaling := k.object("rope_scaling") // wins over the other, as in transformers
	if scaling == nil {
		scaling = k.object("rope_parameters")
	}
	if scaling == nil {
		scaling = &keys{within: "rope_parameters."}
	}
	base, part := "rope_theta", "partial_rotary_factor"
	if c.Family == slm.GPTNeoX {
		base, part = "rotary_emb_base", "rotary_pct"
	}
	c.RopeTheta = scaling.number("rope_theta", k.number(base, 10000))
	c.RotaryFraction = scaling.number("partial_rotary_factor", k.number(part, p.rotary))
	if c.RotaryFraction == 1 {
		c.RotaryFraction = 0 // all of it
	}
	if c.Family != slm.GPTNeoX && c.RotaryFraction != 0 {
		k.wrong = append(k.wrong, fmt.Errorf("%q is %g, want 1", part, c.RotaryFraction))
	}
	c.RopeScaling = scaling.scaling(k, c.Context)
	k.wrong = append(k.wrong, scaling.wrong...)
}

// scaling reads the kind of scaling and its parameters from the object that has them; outer is the one around it.
func (k *keys) scaling(outer *keys, context int) slm.RopeScaling {
	switch kind := k.text("rope_type", k.text("type", "default")); kind {
	case "default":
		if k.has("full_attention") || k.has("sliding_attention") {
			k.wrong = append(k.wrong, fmt.Errorf("%q differ by kind of layer, which is not supported", k.within[:len(k.within)-1]))
		}
		return slm.RopeScaling{}
	case slm.LinearScaling:
		return slm.RopeScaling{Kind: kind, Factor: k.positive("factor")}
	case slm.Llama3Scaling:
		original := k.count("original_max_position_embeddings", max(1, context))
		return slm.RopeScaling{Kind: kind, Factor: k.positive("factor"), LowFrequencyFactor: k.positive("low_freq_factor"),
			HighFrequencyFactor: k.positive("high_freq_factor"), OriginalContext: outer.count("original_max_position_embeddings", original)}
	case slm.PerPairScaling:
		return slm.RopeScaling{Kind: kind, Factors: k.factors()}
	}
	name := "rope_type"
	if !k.has(name) {
		name = "type"
	}
	k.refuse(name, fmt.Sprintf("default, %s, %s or %s", slm.LinearScaling, slm.Llama3Scaling, slm.PerPairScaling))
	return slm.RopeScaling{}
}

// positive reads a number that must be there.
func (k *keys) positive(name string) float64 {
	v := k.number(name, 0)
	if !(v > 0) {
		k.refuse(name, "a positive number")
	}
	return v
}

// factors reads the pairs' divisors of "longrope". Of what LongRoPE can say only what our own students need is supported:
// factors that are the same at every length, and cosines that are not scaled.
func (k *keys) factors() []float64 {
	short := read(k, "short_factor", "a list of numbers", []float64(nil))
	long := read(k, "long_factor", "a list of numbers", []float64(nil))
	if len(short) == 0 {
		k.refuse("short_factor", "a list of numbers")
	}
	if !slices.Equal(short, long) {
		k.refuse("long_factor", "the values of short_factor")
	}
	if k.number("attention_factor", 0) != 1 {
		k.refuse("attention_factor", "1")
	}
	return short
}
