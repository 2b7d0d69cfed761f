package slm

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Family names a transformer architecture whose graph the package slm/model can build.
type Family string

// Llama is the family of SmolLM2, TinyLlama and Llama 2 and 3: RMSNorm, rotary positions, grouped queries, SwiGLU.
const Llama Family = "llama"

// Config is a transformer's architecture: all that counting its parameters, drawing its sub-networks and building its
// graph need to know, without its weights.
type Config struct {
	Name        string  `json:"name"`
	Family      Family  `json:"family"`
	Layers      int     `json:"layers"`
	Embd        int     `json:"embd"`         // embedding dimension
	Heads       int     `json:"heads"`        // query heads in a layer
	QueryGroups int     `json:"query_groups"` // key/value heads in a layer, each serving Heads/QueryGroups query heads
	HeadSize    int     `json:"head_size"`
	FFN         int     `json:"ffn"`     // intermediate size of the feed-forward part
	Vocab       int     `json:"vocab"`   // rows of the token embedding
	Context     int     `json:"context"` // longest sequence, in tokens
	NormEps     float64 `json:"norm_eps"`
	RopeTheta   float64 `json:"rope_theta"`
	Tied        bool    `json:"tied"` // the output head is the token embedding, transposed
}

// published lists architectures by name, from their config.json files on the Hugging Face hub.
var published = map[string]Config{
	"smollm2-135m": {Name: "smollm2-135m", Family: Llama, Layers: 30, Embd: 576, Heads: 9, QueryGroups: 3, HeadSize: 64,
		FFN: 1536, Vocab: 49152, Context: 8192, NormEps: 1e-5, RopeTheta: 100000, Tied: true},
	"smollm2-360m": {Name: "smollm2-360m", Family: Llama, Layers: 32, Embd: 960, Heads: 15, QueryGroups: 5, HeadSize: 64,
		FFN: 2560, Vocab: 49152, Context: 8192, NormEps: 1e-5, RopeTheta: 100000, Tied: true},
	"smollm2-1.7b": {Name: "smollm2-1.7b", Family: Llama, Layers: 24, Embd: 2048, Heads: 32, QueryGroups: 32, HeadSize: 64,
		FFN: 8192, Vocab: 49152, Context: 8192, NormEps: 1e-5, RopeTheta: 130000, Tied: true},
}

// Published returns a published architecture by name, for work that needs no weights.
// The error of an unknown name lists the known ones.
func Published(name string) (Config, error) {
	if c, ok := published[strings.ToLower(name)]; ok {
		return c, nil
	}
	known := slices.Sorted(maps.Keys(published))
	return Config{}, fmt.Errorf("no published architecture is called %q; known: %s", name, strings.Join(known, ", "))
}

// HeadsPerGroup is the number of query heads that share one key/value head.
func (c Config) HeadsPerGroup() int { return c.Heads / c.QueryGroups }

// Validate reports the first thing that keeps c from being a transformer of its family.
func (c Config) Validate() error {
	if c.Family != Llama {
		return fmt.Errorf("architecture %q: family %q is not supported (supported: %s)", c.Name, c.Family, Llama)
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
	if c.Heads%c.QueryGroups != 0 {
		return fmt.Errorf("architecture %q: %d heads do not divide into %d query groups", c.Name, c.Heads, c.QueryGroups)
	}
	if c.HeadSize%2 != 0 {
		return fmt.Errorf("architecture %q: head_size %d is odd; rotary positions need pairs", c.Name, c.HeadSize)
	}
	if !(c.NormEps > 0) || !(c.RopeTheta > 0) {
		return fmt.Errorf("architecture %q: norm_eps %g and rope_theta %g must be positive", c.Name, c.NormEps, c.RopeTheta)
	}
	return nil
}
