package slm

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// published lists architectures by name, from their config.json files on the Hugging Face hub, with the repository.
var published = map[string]struct {
	repo   string
	config Config
}{
	"smollm2-135m":   {"HuggingFaceTB/SmolLM2-135M", llama(30, 576, 9, 3, 64, 1536, 49152, 8192, 100000, tied)},
	"smollm2-360m":   {"HuggingFaceTB/SmolLM2-360M", llama(32, 960, 15, 5, 64, 2560, 49152, 8192, 100000, tied)},
	"smollm2-1.7b":   {"HuggingFaceTB/SmolLM2-1.7B", llama(24, 2048, 32, 32, 64, 8192, 49152, 8192, 130000, tied)},
	"tinyllama-1.1b": {"TinyLlama/TinyLlama_v1.1", llama(22, 2048, 32, 4, 64, 5632, 32000, 2048, 10000, untied)},
	"llama-2-7b":     {"meta-llama/Llama-2-7b-hf", llama(32, 4096, 32, 32, 128, 11008, 32000, 4096, 10000, untied)},
	"llama-3.1-8b":   {"meta-llama/Llama-3.1-8B", llama3(32, 4096, 32, 8, 128, 14336, 8, untied)},
	"llama-3.2-1b":   {"meta-llama/Llama-3.2-1B", llama3(16, 2048, 32, 8, 64, 8192, 32, tied)},
	"llama-3.2-3b":   {"meta-llama/Llama-3.2-3B", llama3(28, 3072, 24, 8, 128, 8192, 32, tied)},
	"qwen3-0.6b":     {"Qwen/Qwen3-0.6B-Base", qwen3(28, 1024, 16, 3072, tied)},
	"qwen3-1.7b":     {"Qwen/Qwen3-1.7B-Base", qwen3(28, 2048, 16, 6144, tied)},
	"qwen3-4b":       {"Qwen/Qwen3-4B-Base", qwen3(36, 2560, 32, 9728, tied)},
	"qwen3-8b":       {"Qwen/Qwen3-8B-Base", qwen3(36, 4096, 32, 12288, untied)},
	"pythia-14m":     {"EleutherAI/pythia-14m", pythia(6, 128, 4, 50304)},
	"pythia-31m":     {"EleutherAI/pythia-31m", pythia(6, 256, 8, 50304)},
	"pythia-70m":     {"EleutherAI/pythia-70m", pythia(6, 512, 8, 50304)},
	"pythia-160m":    {"EleutherAI/pythia-160m", pythia(12, 768, 12, 50304)},
	"pythia-410m":    {"EleutherAI/pythia-410m", pythia(24, 1024, 16, 50304)},
	"pythia-1b":      {"EleutherAI/pythia-1b", pythia(16, 2048, 8, 50304)},
	"pythia-1.4b":    {"EleutherAI/pythia-1.4b", pythia(24, 2048, 16, 50304)},
	"pythia-2.8b":    {"EleutherAI/pythia-2.8b", pythia(32, 2560, 32, 50304)},
	"pythia-6.9b":    {"EleutherAI/pythia-6.9b", pythia(32, 4096, 32, 50432)},
	"pythia-12b":     {"EleutherAI/pythia-12b", pythia(36, 5120, 40, 50688)},
}

const (
	tied   = true
	untied = false
)

// pythia is the architecture of Biderman et al. 2023, arXiv 2304.01373: an FFN four times as wide as the embedding, a
// quarter of each head rotated.
func pythia(layers, embd, heads, vocab int) Config {
	return Config{Family: GPTNeoX, Layers: layers, Embd: embd, Heads: heads, QueryGroups: heads, HeadSize: embd / heads,
		FFN: 4 * embd, Vocab: vocab, Context: 2048, NormEps: 1e-5, RopeTheta: 10000, RotaryFraction: 0.25, ParallelResidual: true}
}

func llama(layers, embd, heads, groups, headSize, ffn, vocab, context int, theta float64, tied bool) Config {
	return Config{Family: Llama, Layers: layers, Embd: embd, Heads: heads, QueryGroups: groups, HeadSize: headSize, FFN: ffn,
		Vocab: vocab, Context: context, NormEps: 1e-5, RopeTheta: theta, Tied: tied}
}

func llama3(layers, embd, heads, groups, headSize, ffn int, factor float64, tied bool) Config {
	c := llama(layers, embd, heads, groups, headSize, ffn, 128256, 131072, 500000, tied)
	c.RopeScaling = RopeScaling{Kind: Llama3Scaling, Factor: factor, LowFrequencyFactor: 1, HighFrequencyFactor: 4, OriginalContext: 8192}
	return c
}

func qwen3(layers, embd, heads, ffn int, tied bool) Config {
	return Config{Family: Qwen3, Layers: layers, Embd: embd, Heads: heads, QueryGroups: 8, HeadSize: 128, FFN: ffn,
		Vocab: 151936, Context: 32768, NormEps: 1e-6, RopeTheta: 1000000, Tied: tied}
}

// Published returns a published architecture by name, in any case, for work that needs no weights: spaces, bins, counts
// and plans. The error of an unknown name lists the known ones.
func Published(name string) (Config, error) {
	p, ok := published[strings.ToLower(name)]
	if !ok {
		return Config{}, fmt.Errorf("no published architecture is called %q; known: %s", name, strings.Join(PublishedNames(), ", "))
	}
	p.config.Name = strings.ToLower(name)
	return p.config, nil
}

// PublishedNames lists the names that [Published] knows.
func PublishedNames() []string { return slices.Sorted(maps.Keys(published)) }

// Repository is the Hugging Face repository of a published architecture's weights, "owner/name"; "" for an unknown name.
func Repository(name string) string { return published[strings.ToLower(name)].repo }
