package slm

import (
	"fmt"
	"slices"
	"strings"
)

// Family names a transformer architecture whose graph the package slm/model can build.
type Family string

// The families; their names are the model_type of Hugging Face's config.json.
const (
	// GPTNeoX is the family of Pythia: LayerNorm, biases everywhere, part of each head rotated, a feed-forward part with
	// GELU that reads the same input as attention does (Black et al. 2022, arXiv 2204.06745).
	GPTNeoX Family = "gpt_neox"
	// Llama is the family of SmolLM2, TinyLlama and Llama 2 and 3: RMSNorm, rotary positions, grouped queries, SwiGLU
	// (Touvron et al. 2023, arXiv 2302.13971).
	Llama Family = "llama"
	// Qwen3 is Llama with an RMSNorm on each query and key (Yang et al. 2025, arXiv 2505.09388).
	Qwen3 Family = "qwen3"
)

// Families are the supported families.
var Families = []Family{GPTNeoX, Llama, Qwen3}

// Config is a transformer's architecture: all that counting its parameters, drawing its sub-networks and building its
// graph need to know, without its weights.
type Config struct {
	Name             string      `json:"name"`
	Family           Family      `json:"family"`
	Layers           int         `json:"layers"`
	Embd             int         `json:"embd"`         // embedding dimension
	Heads            int         `json:"heads"`        // query heads in a layer
	QueryGroups      int         `json:"query_groups"` // key/value heads in a layer, each serving Heads/QueryGroups query heads
	HeadSize         int         `json:"head_size"`
	FFN              int         `json:"ffn"`     // intermediate size of the feed-forward part
	Vocab            int         `json:"vocab"`   // rows of the token embedding
	Context          int         `json:"context"` // longest sequence, in tokens
	NormEps          float64     `json:"norm_eps"`
	RopeTheta        float64     `json:"rope_theta"`
	RopeScaling      RopeScaling `json:"rope_scaling,omitzero"`
	RotaryFraction   float64     `json:"rotary_fraction,omitzero"`   // part of a head's dimensions that is rotated; 0 means all
	ParallelResidual bool        `json:"parallel_residual,omitzero"` // attention and feed-forward read the same input; GPT-NeoX only
	Tied             bool        `json:"tied"`                       // the output head is the token embedding, transposed
}

// HeadsPerGroup is the number of query heads that share one key/value head.
func (c Config) HeadsPerGroup() int { return c.Heads / c.QueryGroups }

// Gated reports whether the feed-forward part is down(silu(gate(x))·up(x)) and not down(gelu(up(x))).
func (c Config) Gated() bool { return c.Family != GPTNeoX }

// Biased reports whether projections and norms have biases, which goes with LayerNorm instead of RMSNorm.
func (c Config) Biased() bool { return c.Family == GPTNeoX }

// Validate reports the first thing that keeps c from being a transformer of its family.
func (c Config) Validate() error {
	if !slices.Contains(Families, c.Family) {
		return fmt.Errorf("architecture %q: family %q is not supported (supported: %s)", c.Name, c.Family, listFamilies())
	}
	for _, f := range []struct {
		name  string
		value int
	}{{"layers", c.Layers}, {"embd", c.Embd}, {"heads", c.Heads}, {"query_groups", c.QueryGroups},
		{"head_size", c.HeadSize}, {"ffn", c.FFN}, {"vocab", c.Vocab}, {"context", c.Context}} {
		if f.value <= 0 || f.value > 1<<24 {
			return fmt.Errorf("architecture %q: %s is %d, want 1 to %d", c.Name, f.name, f.value, 1<<24)
		}
	}
	if c.Layers > 1<<12 {
		return fmt.Errorf("architecture %q: layers is %d, want at most %d", c.Name, c.Layers, 1<<12)
	}
	if c.Heads%c.QueryGroups != 0 {
		return fmt.Errorf("architecture %q: %d heads do not divide into %d query groups", c.Name, c.Heads, c.QueryGroups)
	}
	if c.Family == GPTNeoX && c.Heads != c.QueryGroups {
		return fmt.Errorf("architecture %q: %d heads in %d query groups: GPT-NeoX has a group for each head", c.Name, c.Heads, c.QueryGroups)
	}
	if c.Family != GPTNeoX && c.ParallelResidual {
		return fmt.Errorf("architecture %q: only GPT-NeoX has parallel residuals", c.Name)
	}
	if !(c.NormEps > 0) || !(c.RopeTheta > 0) || !(c.RotaryFraction >= 0) || c.RotaryFraction > 1 {
		return fmt.Errorf("architecture %q: norm_eps %g and rope_theta %g must be positive, rotary_fraction %g from 0 to 1",
			c.Name, c.NormEps, c.RopeTheta, c.RotaryFraction)
	}
	if _, err := c.rotated(c.HeadSize); err != nil {
		return fmt.Errorf("architecture %q: %w", c.Name, err)
	}
	if err := c.RopeScaling.validate(c); err != nil {
		return fmt.Errorf("architecture %q: %w", c.Name, err)
	}
	return nil
}

func listFamilies() string {
	names := make([]string, len(Families))
	for i, f := range Families {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}
