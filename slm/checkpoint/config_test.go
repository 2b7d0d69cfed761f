package checkpoint

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// transformersCases are folders as transformers writes them: see make.py there.
const transformersCases = "../model/testdata/transformers"

// TestConfigsOfBothMajorVersions reads what transformers 5 wrote, and the same in the keys of transformers 4.
func TestConfigsOfBothMajorVersions(t *testing.T) {
	want := map[string]slm.Config{
		"neox": {Family: slm.GPTNeoX, Layers: 3, Embd: 48, Heads: 3, QueryGroups: 3, HeadSize: 16, FFN: 48, Vocab: 64, Context: 64,
			NormEps: 1e-5, RopeTheta: 10000, RotaryFraction: 0.25, ParallelResidual: true},
		"neox-sequential": {Family: slm.GPTNeoX, Layers: 2, Embd: 32, Heads: 2, QueryGroups: 2, HeadSize: 16, FFN: 48, Vocab: 64, Context: 64,
			NormEps: 1e-5, RopeTheta: 5000, Tied: true},
		"llama-untied": {Family: slm.Llama, Layers: 2, Embd: 32, Heads: 4, QueryGroups: 4, HeadSize: 8, FFN: 48, Vocab: 64, Context: 64,
			NormEps: 1e-5, RopeTheta: 10000},
		"llama-linear-rope": {Family: slm.Llama, Layers: 2, Embd: 24, Heads: 4, QueryGroups: 2, HeadSize: 8, FFN: 48, Vocab: 64, Context: 64,
			NormEps: 1e-5, RopeTheta: 10000, RopeScaling: slm.RopeScaling{Kind: slm.LinearScaling, Factor: 4}, Tied: true},
		"llama3-rope": {Family: slm.Llama, Layers: 2, Embd: 24, Heads: 2, QueryGroups: 1, HeadSize: 16, FFN: 48, Vocab: 64, Context: 512,
			NormEps: 1e-5, RopeTheta: 10000, Tied: true, RopeScaling: slm.RopeScaling{Kind: slm.Llama3Scaling, Factor: 8,
				LowFrequencyFactor: 1, HighFrequencyFactor: 4, OriginalContext: 64}},
		"qwen3": {Family: slm.Qwen3, Layers: 3, Embd: 24, Heads: 4, QueryGroups: 2, HeadSize: 12, FFN: 48, Vocab: 64, Context: 64,
			NormEps: 1e-6, RopeTheta: 1000000, Tied: true},
	}
	folders, err := filepath.Glob(filepath.Join(transformersCases, "*", "config.json"))
	if err != nil || len(folders) < len(want) {
		t.Fatalf("%d cases, %v", len(folders), err)
	}
	for _, path := range folders {
		name := filepath.Base(filepath.Dir(path))
		newer, older := parseFile(t, path), parseFile(t, filepath.Join(filepath.Dir(path), "config-4x.json"))
		if !reflect.DeepEqual(newer, older) {
			t.Errorf("%s: transformers 5 wrote\n%+v, transformers 4\n%+v", name, newer, older)
		}
		if w, ok := want[name]; ok && !reflect.DeepEqual(newer, w) {
			t.Errorf("%s:\n%+v, want\n%+v", name, newer, w)
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("cases are missing: %v", slices.Sorted(maps.Keys(want)))
	}
}

func parseFile(t *testing.T, path string) slm.Config {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseConfig(text, "")
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return c
}

// TestPublishedConfigs reads the config.json of published models, less the keys that say nothing of the architecture.
func TestPublishedConfigs(t *testing.T) {
	for name, text := range map[string]string{
		"pythia-70m": `{"architectures": ["GPTNeoXForCausalLM"], "bos_token_id": 0, "eos_token_id": 0, "hidden_act": "gelu", "hidden_size": 512,
			"intermediate_size": 2048, "layer_norm_eps": 1e-05, "max_position_embeddings": 2048, "model_type": "gpt_neox",
			"num_attention_heads": 8, "num_hidden_layers": 6, "rotary_emb_base": 10000, "rotary_pct": 0.25, "tie_word_embeddings": false,
			"torch_dtype": "float16", "use_cache": true, "use_parallel_residual": true, "vocab_size": 50304}`,
		"smollm2-135m": `{"architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0, "bos_token_id": 0,
			"eos_token_id": 0, "hidden_act": "silu", "hidden_size": 576, "intermediate_size": 1536, "is_llama_config": true,
			"max_position_embeddings": 8192, "model_type": "llama", "num_attention_heads": 9, "num_hidden_layers": 30,
			"num_key_value_heads": 3, "pretraining_tp": 1, "rms_norm_eps": 1e-05, "rope_interleaved": false, "rope_scaling": null,
			"rope_theta": 100000, "tie_word_embeddings": true, "torch_dtype": "bfloat16", "vocab_size": 49152}`,
		"llama-3.2-1b": `{"architectures": ["LlamaForCausalLM"], "attention_bias": false, "bos_token_id": 128000, "eos_token_id": 128001,
			"head_dim": 64, "hidden_act": "silu", "hidden_size": 2048, "intermediate_size": 8192, "max_position_embeddings": 131072,
			"mlp_bias": false, "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 16, "num_key_value_heads": 8,
			"rms_norm_eps": 1e-05, "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
			"original_max_position_embeddings": 8192, "rope_type": "llama3"}, "rope_theta": 500000.0, "tie_word_embeddings": true,
			"torch_dtype": "bfloat16", "vocab_size": 128256}`,
		"qwen3-0.6b": `{"architectures": ["Qwen3ForCausalLM"], "attention_bias": false, "bos_token_id": 151643, "eos_token_id": 151643,
			"head_dim": 128, "hidden_act": "silu", "hidden_size": 1024, "intermediate_size": 3072, "max_position_embeddings": 32768,
			"max_window_layers": 28, "model_type": "qwen3", "num_attention_heads": 16, "num_hidden_layers": 28, "num_key_value_heads": 8,
			"rms_norm_eps": 1e-06, "rope_scaling": null, "rope_theta": 1000000, "sliding_window": null, "tie_word_embeddings": true,
			"torch_dtype": "bfloat16", "use_sliding_window": false, "vocab_size": 151936}`,
	} {
		want, err := slm.Published(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ParseConfig([]byte(text), name); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v, %v, want\n%+v", name, got, err, want)
		}
	}
}

// smallest has only the keys that must be there.
const smallest = `{"model_type": "llama", "num_hidden_layers": 2, "hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
	"vocab_size": 10, "max_position_embeddings": 32}`

// changed is a config.json with some keys replaced; a value of nil takes the key away.
func changed(t testing.TB, text string, changes map[string]any) []byte {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	for key, value := range changes {
		if all[key] = value; value == nil {
			delete(all, key)
		}
	}
	out, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

type object = map[string]any

func TestConfigPresets(t *testing.T) {
	base := slm.Config{Family: slm.Llama, Layers: 2, Embd: 64, Heads: 4, QueryGroups: 4, HeadSize: 16, FFN: 96, Vocab: 10, Context: 32,
		NormEps: 1e-6, RopeTheta: 10000}
	null := json.RawMessage("null")
	for name, test := range map[string]struct {
		changes object
		want    func(c *slm.Config)
	}{
		"llama": {nil, func(*slm.Config) {}},
		"nulls": {object{"num_key_value_heads": null, "head_dim": null, "rope_scaling": null, "rope_parameters": null}, func(*slm.Config) {}},
		"swish": {object{"hidden_act": "swish"}, func(*slm.Config) {}},
		"neox": {object{"model_type": "gpt_neox"}, func(c *slm.Config) {
			c.Family, c.NormEps, c.RotaryFraction, c.ParallelResidual = slm.GPTNeoX, 1e-5, 0.25, true
		}},
		"qwen3": {object{"model_type": "qwen3", "num_attention_heads": 32}, func(c *slm.Config) {
			c.Family, c.Heads, c.QueryGroups, c.HeadSize = slm.Qwen3, 32, 32, 128
		}},
		"qwen3 without groups": {object{"model_type": "qwen3", "num_key_value_heads": null}, func(c *slm.Config) { c.Family, c.HeadSize = slm.Qwen3, 128 }},
		"mistral":              {object{"model_type": "mistral", "num_attention_heads": 16}, func(c *slm.Config) { c.Heads, c.QueryGroups, c.HeadSize = 16, 8, 4 }},
		"mistral without a window": {object{"model_type": "mistral", "num_key_value_heads": 4, "sliding_window": null, "max_position_embeddings": 8192},
			func(c *slm.Config) { c.Context = 8192 }},
		"a window that no layer uses": {object{"model_type": "qwen3", "num_key_value_heads": null, "use_sliding_window": true, "max_window_layers": 2},
			func(c *slm.Config) { c.Family, c.HeadSize = slm.Qwen3, 128 }},
		"no window": {object{"model_type": "qwen3", "num_key_value_heads": null, "use_sliding_window": true, "max_window_layers": 0, "sliding_window": null},
			func(c *slm.Config) { c.Family, c.HeadSize = slm.Qwen3, 128 }},
		"the older name of rope_type": {object{"rope_scaling": object{"type": "linear", "factor": 2}},
			func(c *slm.Config) { c.RopeScaling = slm.RopeScaling{Kind: "linear", Factor: 2} }},
		"a theta inside": {object{"rope_theta": 5, "rope_parameters": object{"rope_type": "default", "rope_theta": 7}},
			func(c *slm.Config) { c.RopeTheta = 7 }},
		"llama3 at its own context": {object{"rope_scaling": object{"rope_type": "llama3", "factor": 2, "low_freq_factor": 1, "high_freq_factor": 4}},
			func(c *slm.Config) {
				c.RopeScaling = slm.RopeScaling{Kind: "llama3", Factor: 2, LowFrequencyFactor: 1, HighFrequencyFactor: 4, OriginalContext: 32}
			}},
		"a factor for each pair": {object{"head_dim": 4, "rope_scaling": object{"rope_type": "longrope", "short_factor": []float64{1, 2.5},
			"long_factor": []float64{1, 2.5}, "attention_factor": 1, "original_max_position_embeddings": 32}}, func(c *slm.Config) {
			c.HeadSize, c.RopeScaling = 4, slm.RopeScaling{Kind: "longrope", Factors: []float64{1, 2.5}}
		}},
	} {
		want := base
		test.want(&want)
		if got, err := ParseConfig(changed(t, smallest, test.changes), ""); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v, %v, want\n%+v", name, got, err, want)
		}
	}
}

func TestConfigRefuses(t *testing.T) {
	scaled := func(o object) object { return object{"rope_scaling": o} }
	for _, test := range []struct {
		name    string
		changes object
		want    []string
	}{
		{"another family", object{"model_type": "gpt2"}, []string{`"model_type" is "gpt2"`, "gpt_neox, llama, mistral, qwen3"}},
		{"a short window", object{"model_type": "mistral", "num_key_value_heads": 4, "sliding_window": 16}, []string{`"sliding_window" is 16, want null`}},
		{"a preset window", object{"model_type": "mistral", "num_key_value_heads": 4, "max_position_embeddings": 8192}, []string{`"sliding_window" is missing`}},
		{"no family", object{"model_type": nil}, []string{`"model_type" is missing`}},
		{"no layers", object{"num_hidden_layers": nil}, []string{`"num_hidden_layers" is missing`}},
		{"two at once", object{"num_hidden_layers": nil, "hidden_size": "wide"}, []string{`"num_hidden_layers" is missing`, `"hidden_size" is "wide"`}},
		{"a part of a layer", object{"num_hidden_layers": 2.5}, []string{`"num_hidden_layers" is 2.5`, "whole number"}},
		{"no heads", object{"num_attention_heads": 0}, []string{`"num_attention_heads" is 0`}},
		{"negative", object{"vocab_size": -1}, []string{`"vocab_size" is -1`}},
		{"huge", object{"hidden_size": 1 << 40}, []string{`"hidden_size" is 1099511627776`}},
		{"heads that do not divide", object{"num_key_value_heads": 3}, []string{"query groups"}},
		{"an odd head", object{"head_dim": 5}, []string{"head_size"}},
		{"another activation", object{"hidden_act": "gelu"}, []string{`"hidden_act" is "gelu", want silu`}},
		{"a fast GELU", object{"model_type": "gpt_neox", "hidden_act": "gelu_fast"}, []string{`"hidden_act" is "gelu_fast", want gelu`}},
		{"biases", object{"attention_bias": true}, []string{`"attention_bias" is true, want false`}},
		{"no biases", object{"model_type": "gpt_neox", "attention_bias": false}, []string{`"attention_bias" is false, want true`}},
		{"biases in the feed-forward part", object{"mlp_bias": true}, []string{`"mlp_bias" is true, want false`}},
		{"quantized", object{"quantization_config": object{"quant_method": "gptq"}}, []string{"quantization_config", "gptq"}},
		{"windows", object{"model_type": "qwen3", "num_key_value_heads": 4, "use_sliding_window": true, "max_window_layers": 1}, []string{`"use_sliding_window" is true`}},
		{"layers with windows", object{"model_type": "qwen3", "num_key_value_heads": 4, "layer_types": []string{"full_attention", "sliding_attention"}}, []string{`"layer_types" is ["full_attention","sliding_attention"]`}},
		{"half a head rotated", object{"partial_rotary_factor": 0.5}, []string{`"partial_rotary_factor" is 0.5`}},
		{"a negative theta", object{"rope_theta": -1}, []string{"rope_theta -1"}},
		{"yarn", scaled(object{"rope_type": "yarn", "factor": 4}), []string{`"rope_scaling.rope_type" is "yarn"`, "default, linear, llama3 or longrope"}},
		{"dynamic", scaled(object{"type": "dynamic", "factor": 4}), []string{`"rope_scaling.type" is "dynamic"`}},
		{"linear without a factor", scaled(object{"rope_type": "linear"}), []string{`"rope_scaling.factor" is missing, want a positive number`}},
		{"llama3 without a bound", object{"rope_parameters": object{"rope_type": "llama3", "factor": 2, "low_freq_factor": 1}}, []string{`"rope_parameters.high_freq_factor" is missing`}},
		{"a long factor", scaled(object{"rope_type": "longrope", "short_factor": []float64{1}, "long_factor": []float64{2}, "attention_factor": 1}), []string{`"rope_scaling.long_factor" is [2]`}},
		{"scaled attention", scaled(object{"rope_type": "longrope", "short_factor": []float64{1}, "long_factor": []float64{1}}), []string{`"rope_scaling.attention_factor" is missing, want 1`}},
		{"too few factors", scaled(object{"rope_type": "longrope", "short_factor": []float64{1}, "long_factor": []float64{1}, "attention_factor": 1}), []string{"1 factors for 8 rotated pairs"}},
		{"rotation by kind of layer", object{"rope_parameters": object{"full_attention": object{"rope_theta": 1}}}, []string{"rope_parameters", "kind of layer"}},
		{"rotation that is a list", object{"rope_scaling": []int{1}}, []string{`"rope_scaling" is [1], want an object`}},
		{"a long value", object{"hidden_act": strings.Repeat("x", 1000)}, []string{"xxx…"}},
	} {
		_, err := ParseConfig(changed(t, smallest, test.changes), "")
		if err == nil {
			t.Errorf("%s: no error", test.name)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %q lacks %q", test.name, err, want)
			}
		}
		if len(err.Error()) > 400 {
			t.Errorf("%s: an error of %d letters", test.name, len(err.Error()))
		}
	}
	for _, text := range []string{"", "[]", "null x", "{"} {
		if _, err := ParseConfig([]byte(text), ""); err == nil || !strings.Contains(err.Error(), "not a JSON object") {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

// FuzzParseConfig holds that no text panics or costs memory out of proportion, and that what comes is valid.
func FuzzParseConfig(f *testing.F) {
	for _, name := range []string{"neox", "llama3-rope", "qwen3"} {
		for _, file := range []string{"config.json", "config-4x.json"} {
			text, err := os.ReadFile(filepath.Join(transformersCases, name, file))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Add(changed(f, smallest, object{"head_dim": 4, "rope_scaling": object{"rope_type": "longrope", "short_factor": []float64{1, 2}, "long_factor": []float64{1, 2}, "attention_factor": 1}}))
	f.Add([]byte(`{"model_type":"qwen3","eos_token_id":[1,2],"layer_types":["a"]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		c, err := ParseConfig(text, "x")
		runtime.ReadMemStats(&after)
		if spent := after.TotalAlloc - before.TotalAlloc; spent > uint64(1<<20+256*len(text)) {
			t.Errorf("%d bytes of text cost %d bytes of memory", len(text), spent)
		}
		if err == nil && c.Validate() != nil {
			t.Errorf("an invalid architecture came without an error: %+v", c)
		}
	})
}
