package export

import (
	_ "embed" // the modelling files
)

// A student whose layers differ can be described by a small model of our own, which transformers runs for who trusts it.
// Its weights are the student's, unchanged.
var (
	//go:embed code/configuration_offshoot.py
	configurationCode []byte
	//go:embed code/modeling_offshoot.py
	modelingCode []byte
)

// codeConfigJSON is the config.json of a student that our own model runs.
func codeConfigJSON(s Student, dtype DType) object {
	c := s.Teacher
	layers := []object{}
	for _, a := range anatomies(c, s.Subnet) {
		layers = append(layers, object{"heads_per_group": a.Groups, "head_size": a.HeadSize, "ffn": a.FFN,
			"attention_scale": decimal(a.Scale), "frequencies": decimals(a.Frequencies)})
	}
	return object{"architectures": []string{"OffshootForCausalLM"}, "model_type": "offshoot",
		"auto_map": object{"AutoConfig": "configuration_offshoot.OffshootConfig", "AutoModelForCausalLM": "modeling_offshoot.OffshootForCausalLM"},
		"family":   c.Family, "vocab_size": c.Vocab, "hidden_size": s.Subnet.Embd.Len(c.Embd), "layers": layers,
		"max_position_embeddings": c.Context, "norm_eps": decimal(c.NormEps), "parallel_residual": c.ParallelResidual,
		"tie_word_embeddings": c.Tied, "torch_dtype": dtype, "use_cache": true,
		"bos_token_id": s.Tokenizer.BOS, "eos_token_id": s.Tokenizer.EOS, "pad_token_id": s.Tokenizer.Padding}
}
