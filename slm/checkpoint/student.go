package checkpoint

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/offshoot-ml/offshoot/slm"
)

// llamaConfig is the config.json of a LlamaForCausalLM.
type llamaConfig struct {
	Architectures []string `json:"architectures"`
	ModelType     string   `json:"model_type"`
	Vocab         int      `json:"vocab_size"`
	Embd          int      `json:"hidden_size"`
	FFN           int      `json:"intermediate_size"`
	Layers        int      `json:"num_hidden_layers"`
	Heads         int      `json:"num_attention_heads"`
	QueryGroups   int      `json:"num_key_value_heads"`
	HeadSize      int      `json:"head_dim"`
	Context       int      `json:"max_position_embeddings"`
	NormEps       float64  `json:"rms_norm_eps"`
	RopeTheta     float64  `json:"rope_theta"`
	Tied          bool     `json:"tie_word_embeddings"`
	Activation    string   `json:"hidden_act"`
	AttentionBias bool     `json:"attention_bias"`
	MLPBias       bool     `json:"mlp_bias"`
	Type          string   `json:"torch_dtype"`
}

// WriteStudent writes a student into the folder dir as transformers loads it: model.safetensors and config.json.
// c is the teacher's architecture, subnet what the student is of it, and w the student's own weights with its layers
// numbered from 0.
//
// It refuses what a LlamaForCausalLM cannot be: layers of different sizes, and query groups with different numbers of
// heads. Heads with fewer dimensions than the teacher's have rotary frequencies of their own, here as in transformers.
func WriteStudent(dir string, c slm.Config, subnet slm.Subnet, w Weights) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if err := subnet.Validate(c); err != nil {
		return fmt.Errorf("student: %w", err)
	}
	shape, err := uniformShape(c, subnet)
	if err != nil {
		return fmt.Errorf("student cannot be written for transformers: %w", err)
	}
	if err := w.check(layout(c, subnet)); err != nil {
		return fmt.Errorf("student's weights: %w", err)
	}
	text, err := json.MarshalIndent(llamaConfig{
		Architectures: []string{"LlamaForCausalLM"}, ModelType: "llama", Vocab: c.Vocab, Embd: subnet.Embd.Len(c.Embd),
		FFN: shape.FFN, Layers: len(subnet.KeptLayers(c)), Heads: shape.Heads, QueryGroups: shape.QueryGroups,
		HeadSize: shape.HeadSize, Context: c.Context, NormEps: c.NormEps, RopeTheta: c.RopeTheta, Tied: c.Tied,
		Activation: "silu", Type: "float32"}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// The configuration comes last: a folder with one is complete.
	if err := SaveSafetensors(filepath.Join(dir, "model.safetensors"), w, map[string]string{"format": "pt"}); err != nil {
		return err
	}
	return writeAtomic(filepath.Join(dir, "config.json"), int64(len(text)+1), func(out io.Writer) error {
		_, err := out.Write(append(text, '\n'))
		return err
	})
}

// uniformShape is the shape that all layers of the student share, or why it is not a LlamaForCausalLM.
func uniformShape(c slm.Config, subnet slm.Subnet) (slm.Shape, error) {
	kept := subnet.KeptLayers(c)
	first := kept[0].Shape(c)
	for _, l := range kept {
		z := l.Shape(c)
		z.Layer = first.Layer
		if z != first {
			return first, fmt.Errorf("its layers differ in size (teacher's layers %d and %d); only uniform students can be", first.Layer, l.Layer)
		}
		perGroup := map[int]int{}
		for _, h := range l.Heads.Slice(c.Heads) {
			perGroup[h/c.HeadsPerGroup()]++
		}
		for _, n := range perGroup {
			if n*z.QueryGroups != z.Heads {
				return first, fmt.Errorf("the query groups of the teacher's layer %d keep different numbers of heads", l.Layer)
			}
		}
	}
	return first, nil
}
