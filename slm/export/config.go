package export

import (
	"bytes"
	"encoding/json"
	"maps"
	"strconv"

	"github.com/offshoot-ml/offshoot/slm"
)

// object is JSON whose keys come sorted, as Hugging Face's files have them.
type object map[string]any

func (o object) text() ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false) // <|endoftext|> stays readable
	e.SetIndent("", "  ")
	err := e.Encode(o)
	return out.Bytes(), err
}

// decimal is a number that Python reads as a float, also where it is whole: transformers 4 warns of integers.
type decimal float64

// MarshalJSON implements json.Marshaler.
func (d decimal) MarshalJSON() ([]byte, error) {
	text := strconv.AppendFloat(nil, float64(d), 'g', -1, 64)
	if !bytes.ContainsAny(text, ".e") {
		text = append(text, ".0"...)
	}
	return text, nil
}

func decimals(values []float64) []decimal {
	out := make([]decimal, len(values))
	for i, v := range values {
		out[i] = decimal(v)
	}
	return out
}

// configJSON is the config.json of a plain model, in the keys of transformers 4, which transformers 5 reads too.
func configJSON(c slm.Config, dtype DType, t Tokenizer) object {
	name, modelType := plainClass(c)
	o := object{"architectures": []string{name}, "model_type": modelType, "vocab_size": c.Vocab, "hidden_size": c.Embd, "intermediate_size": c.FFN, "num_hidden_layers": c.Layers,
		"num_attention_heads": c.Heads, "max_position_embeddings": c.Context, "tie_word_embeddings": c.Tied, "use_cache": true,
		"torch_dtype": dtype, "bos_token_id": t.BOS, "eos_token_id": t.EOS, "pad_token_id": t.Padding, "rope_scaling": scalingJSON(c)}
	if c.Family == slm.GPTNeoX {
		maps.Copy(o, neoxKeys(c))
	} else {
		maps.Copy(o, llamaKeys(c, modelType))
	}
	return o
}

// class is the class of transformers that runs what was written.
func class(r Record) string {
	if r.Layers == Code {
		return "OffshootForCausalLM"
	}
	name, _ := plainClass(r.Model)
	return name
}

// plainClass is the class of transformers for a plain model, and its model_type. Where heads do not divide the embedding
// dimension, transformers 5 refuses the configuration of a Llama; a Mistral without a sliding window computes the same, and
// takes any sizes.
func plainClass(c slm.Config) (name, modelType string) {
	switch {
	case c.Family == slm.GPTNeoX:
		return "GPTNeoXForCausalLM", "gpt_neox"
	case c.Family == slm.Qwen3:
		return "Qwen3ForCausalLM", "qwen3"
	case c.Embd%c.Heads != 0:
		return "MistralForCausalLM", "mistral"
	}
	return "LlamaForCausalLM", "llama"
}

func neoxKeys(c slm.Config) object {
	fraction := c.RotaryFraction
	if fraction == 0 {
		fraction = 1
	}
	return object{"layer_norm_eps": decimal(c.NormEps), "rotary_emb_base": decimal(c.RopeTheta), "rotary_pct": decimal(fraction),
		"use_parallel_residual": c.ParallelResidual, "hidden_act": "gelu", "attention_bias": true}
}

// llamaKeys are those of Llama, Mistral and Qwen3.
func llamaKeys(c slm.Config, modelType string) object {
	o := object{"num_key_value_heads": c.QueryGroups, "head_dim": c.HeadSize, "rms_norm_eps": decimal(c.NormEps),
		"rope_theta": decimal(c.RopeTheta), "hidden_act": "silu"}
	switch modelType {
	case "llama":
		maps.Copy(o, object{"attention_bias": false, "mlp_bias": false})
	case "mistral":
		o["sliding_window"] = nil
	case "qwen3":
		maps.Copy(o, object{"attention_bias": false, "use_sliding_window": false, "sliding_window": nil, "max_window_layers": c.Layers})
	}
	return o
}

// scalingJSON is transformers' rope_scaling; nil for none.
func scalingJSON(c slm.Config) object {
	r := c.RopeScaling
	switch r.Kind {
	case slm.LinearScaling:
		return object{"rope_type": "linear", "factor": decimal(r.Factor)}
	case slm.Llama3Scaling:
		return object{"rope_type": "llama3", "factor": decimal(r.Factor), "low_freq_factor": decimal(r.LowFrequencyFactor),
			"high_freq_factor": decimal(r.HighFrequencyFactor), "original_max_position_embeddings": r.OriginalContext}
	case slm.PerPairScaling: // equal at every length, and without LongRoPE's scaling of cosines
		return object{"rope_type": "longrope", "short_factor": decimals(r.Factors), "long_factor": decimals(r.Factors), "factor": decimal(1),
			"attention_factor": decimal(1), "original_max_position_embeddings": c.Context}
	}
	return nil
}
