package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/offshoot-ml/offshoot/slm"
)

// writeRandomModel writes a GPT-NeoX of an architecture into a folder as Hugging Face publishes the Pythias: bfloat16
// safetensors and config.json. The weights are random: what a model costs to load does not depend on what it has learnt.
func writeRandomModel(dir string, c slm.Config) error {
	if c.Family != slm.GPTNeoX {
		return fmt.Errorf("%s is a %s, want %s", c.Name, c.Family, slm.GPTNeoX)
	}
	config, err := json.Marshal(map[string]any{
		"architectures": []string{"GPTNeoXForCausalLM"}, "model_type": string(c.Family), "hidden_size": c.Embd,
		"num_hidden_layers": c.Layers, "num_attention_heads": c.Heads, "intermediate_size": c.FFN, "vocab_size": c.Vocab,
		"max_position_embeddings": c.Context, "layer_norm_eps": c.NormEps, "rotary_emb_base": c.RopeTheta, "rotary_pct": c.RotaryFraction,
		"use_parallel_residual": c.ParallelResidual, "tie_word_embeddings": c.Tied, "hidden_act": "gelu", "torch_dtype": "bfloat16",
	})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), config, 0o644); err != nil {
		return err
	}
	return writeRandomWeights(filepath.Join(dir, "model.safetensors"), c)
}

// writeRandomWeights draws values once and repeats them.
func writeRandomWeights(path string, c slm.Config) error {
	type entry struct {
		Type    string   `json:"dtype"`
		Shape   []int    `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	header, end, whole := map[string]entry{}, int64(0), slm.Subnet{}
	for name, t := range whole.Tensors(c) {
		shape, bytes := t.MatrixShape(whole.Sizes(c, t.Layer, t.Weight)), int64(2)
		for _, n := range shape {
			bytes *= int64(n)
		}
		header[name] = entry{"BF16", shape, [2]int64{end, end + bytes}}
		end += bytes
	}
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	out := bufio.NewWriterSize(file, 1<<20)
	out.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(text))))
	out.Write(text)
	block := make([]byte, 0, 1<<20)
	for r := rand.New(rand.NewPCG(1, 0)); len(block) < cap(block); {
		block = binary.LittleEndian.AppendUint16(block, uint16(math.Float32bits(float32(0.02*r.NormFloat64()))>>16))
	}
	for left := end; left > 0; left -= int64(len(block)) {
		out.Write(block[:min(left, int64(len(block)))])
	}
	if err := out.Flush(); err != nil { // a bufio.Writer keeps its first error
		return err
	}
	return file.Close()
}
