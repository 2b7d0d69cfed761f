package checkpoint

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/offshoot-ml/offshoot/slm"
)

// ParseConfig reads an architecture from the text of a config.json, as transformers 4 or 5 writes it, and names it.
// A key that is left out means what it means to transformers. The error names every key whose value is missing, of
// another type, or that asks for a part which the family's graph in slm/model does not have.
func ParseConfig(text []byte, name string) (slm.Config, error) {
	k, err := parseKeys(text)
	if err != nil {
		return slm.Config{}, err
	}
	return k.config(name)
}

// preset is what transformers' configuration class of a model_type takes for keys that are left out or null.
type preset struct {
	family     slm.Family
	norm       string   // the key of the norms' epsilon
	eps        float64  //
	groups     int      // query groups when the key is left out; 0: as many as heads
	headSize   int      // 0: the embedding dimension divided among the heads
	rotary     float64  // part of a head that is rotated; 0: all of it
	activation []string // the names of the one activation that the family's graph has
	biased     bool     // the attention has biases
}

// presets are those of the families, and of Mistral, which is a Llama where its window is as long as its context. Students
// come as such: transformers 5 refuses a Llama whose heads do not divide the embedding dimension.
var presets = map[string]preset{
	"gpt_neox": {family: slm.GPTNeoX, norm: "layer_norm_eps", eps: 1e-5, rotary: 0.25, activation: []string{"gelu"}, biased: true},
	"llama":    {family: slm.Llama, norm: "rms_norm_eps", eps: 1e-6, activation: []string{"silu", "swish"}},
	mistral:    {family: slm.Llama, norm: "rms_norm_eps", eps: 1e-6, groups: 8, activation: []string{"silu", "swish"}},
	"qwen3":    {family: slm.Qwen3, norm: "rms_norm_eps", eps: 1e-6, groups: 32, headSize: 128, activation: []string{"silu", "swish"}},
}

const mistral = "mistral"

func (k *keys) config(name string) (slm.Config, error) {
	kind := k.text("model_type", "")
	p, ok := presets[kind]
	c := slm.Config{Name: name, Family: p.family}
	if !ok {
		return c, fmt.Errorf("%q is %s; supported: %s", "model_type", k.shown("model_type"), strings.Join(slices.Sorted(maps.Keys(presets)), ", "))
	}
	c.Layers, c.Embd, c.FFN = k.count("num_hidden_layers", 0), k.count("hidden_size", 0), k.count("intermediate_size", 0)
	c.Heads, c.Vocab, c.Context = k.count("num_attention_heads", 0), k.count("vocab_size", 0), k.count("max_position_embeddings", 0)
	c.NormEps = k.number(p.norm, p.eps)
	c.Tied = k.truth("tie_word_embeddings", false)
	c.QueryGroups, c.HeadSize = c.Heads, c.Embd/max(1, c.Heads)
	if c.Family == slm.GPTNeoX {
		c.ParallelResidual = k.truth("use_parallel_residual", true)
	} else {
		c.QueryGroups, c.HeadSize = k.groups(p, c), k.count("head_dim", cmp.Or(p.headSize, c.HeadSize))
	}
	k.refuseOthers(c, p)
	if kind == mistral {
		k.refuseShortWindow(c)
	}
	k.rotary(&c, p)
	if err := k.err(); err != nil {
		return c, err
	}
	return c, c.Validate()
}

// groups tells a key that is null, one query group for each head, from one that is left out.
func (k *keys) groups(p preset, c slm.Config) int {
	if _, there := k.values["num_key_value_heads"]; !there && p.groups > 0 {
		return p.groups
	}
	return k.count("num_key_value_heads", c.Heads)
}

// refuseOthers reports what the family's graph does not compute.
func (k *keys) refuseOthers(c slm.Config, p preset) {
	if act := k.text("hidden_act", p.activation[0]); !slices.Contains(p.activation, act) {
		k.refuse("hidden_act", p.activation[0])
	}
	if k.truth("attention_bias", p.biased) != p.biased {
		k.refuse("attention_bias", fmt.Sprint(p.biased))
	}
	if k.truth("mlp_bias", false) {
		k.refuse("mlp_bias", "false")
	}
	if k.has("quantization_config") {
		k.wrong = append(k.wrong, fmt.Errorf("%q is %s: quantized safetensors are not supported; use the original weights or a GGUF file",
			"quantization_config", k.shown("quantization_config")))
	}
	if c.Family == slm.Qwen3 {
		k.refuseWindows(c)
	}
}

// refuseWindows reports layers that see only the last tokens. Qwen3's configurations name a window without using it.
func (k *keys) refuseWindows(c slm.Config) {
	if k.has("layer_types") {
		for _, kind := range read(k, "layer_types", "a list of texts", []string(nil)) {
			if kind != "full_attention" {
				k.refuse("layer_types", "full_attention in every layer")
				return
			}
		}
		return
	}
	_, named := k.values["sliding_window"] // left out it is 4096, but null is none
	used := k.truth("use_sliding_window", false) && (!named || k.has("sliding_window"))
	if used && read(k, "max_window_layers", "a whole number", 28) < c.Layers {
		k.refuse("use_sliding_window", "false")
	}
}

// refuseShortWindow reports a Mistral whose layers do not see the whole context. A window left out has 4,096 tokens, null is
// none.
func (k *keys) refuseShortWindow(c slm.Config) {
	_, named := k.values["sliding_window"]
	if named && !k.has("sliding_window") {
		return
	}
	if k.count("sliding_window", 4096) < c.Context {
		k.refuse("sliding_window", "null, or as many tokens as max_position_embeddings")
	}
}

// endOfText is the id of the token that ends a text, the first where there are several; -1 for none.
func (k *keys) endOfText() int {
	if !k.has("eos_token_id") {
		return -1
	}
	value := string(k.values["eos_token_id"])
	if strings.HasPrefix(value, "[") {
		if ids := read(k, "eos_token_id", "token ids", []int(nil)); len(ids) > 0 {
			return ids[0]
		}
		return -1
	}
	return read(k, "eos_token_id", "a token's id", -1)
}
