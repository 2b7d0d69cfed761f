package model

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

func openTiny(t *testing.T, folder string) *Teacher {
	t.Helper()
	var raw map[string]any
	text, _ := os.ReadFile(filepath.Join(folder, "config.json"))
	json.Unmarshal(text, &raw)
	num := func(k string, d float64) float64 {
		if v, ok := raw[k].(float64); ok {
			return v
		}
		return d
	}
	c := slm.Config{Name: "x", Family: slm.Family(raw["model_type"].(string)), Layers: int(num("num_hidden_layers", 0)), Embd: int(num("hidden_size", 0)),
		Heads: int(num("num_attention_heads", 0)), FFN: int(num("intermediate_size", 0)), Vocab: int(num("vocab_size", 0)), Context: int(num("max_position_embeddings", 0)),
		NormEps: num("layer_norm_eps", num("rms_norm_eps", 0))}
	c.QueryGroups = int(num("num_key_value_heads", float64(c.Heads)))
	c.HeadSize = int(num("head_dim", float64(c.Embd/c.Heads)))
	c.Tied, _ = raw["tie_word_embeddings"].(bool)
	c.ParallelResidual, _ = raw["use_parallel_residual"].(bool)
	raw = raw["rope_parameters"].(map[string]any)
	c.RopeTheta, c.RotaryFraction = num("rope_theta", 0), num("partial_rotary_factor", 0)
	if k := raw["rope_type"].(string); k != "default" {
		c.RopeScaling = slm.RopeScaling{Kind: k, Factor: num("factor", 0), LowFrequencyFactor: num("low_freq_factor", 0), HighFrequencyFactor: num("high_freq_factor", 0), OriginalContext: int(num("original_max_position_embeddings", 0))}
	}
	w := checkpoint.Weights{}
	files, _ := filepath.Glob(filepath.Join(folder, "*.safetensors"))
	for _, f := range files {
		one, _, err := checkpoint.LoadSafetensors(f)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(w, one)
	}
	b, _ := NewBackend()
	teacher, err := Load(context.Background(), b, c, w, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { teacher.Close(); b.Finalize() })
	return teacher
}
