package checkpoint

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// teacherOf4 has four heads in two query groups.
var teacherOf4 = slm.Config{Name: "t", Family: slm.Llama, Layers: 3, Embd: 8, Heads: 4, QueryGroups: 2, HeadSize: 4, FFN: 12,
	Vocab: 5, Context: 64, NormEps: 1e-5, RopeTheta: 10000, Tied: true}

// weightsFor are zeros in the shapes of a sub-network.
func weightsFor(c slm.Config, s slm.Subnet) Weights {
	w := Weights{}
	for name, shape := range layout(c, s) {
		n, _ := elements(shape)
		w[name] = Tensor{shape, make([]float32, n)}
	}
	return w
}

func uniformOf(layers ...int) slm.Subnet {
	s := slm.Subnet{Embd: slm.First(6)}
	for _, l := range layers {
		s.Layers = append(s.Layers, slm.LayerSubnet{Layer: l, Heads: slm.IndicesOf(0, 2), FFN: slm.First(10)})
	}
	return s
}

func TestWriteStudent(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "student")
	s := uniformOf(0, 2)
	w := weightsFor(teacherOf4, s)
	if err := WriteStudent(dir, teacherOf4, s, w); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"architectures": []any{"LlamaForCausalLM"}, "model_type": "llama", "vocab_size": 5.0, "hidden_size": 6.0,
		"intermediate_size": 10.0, "num_hidden_layers": 2.0, "num_attention_heads": 2.0, "num_key_value_heads": 2.0, "head_dim": 4.0,
		"max_position_embeddings": 64.0, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": true,
		"hidden_act": "silu", "attention_bias": false, "mlp_bias": false, "torch_dtype": "float32"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("config.json %v, want %v", got, want)
	}
	read, metadata, err := LoadSafetensors(filepath.Join(dir, "model.safetensors"))
	if err != nil || !reflect.DeepEqual(read, w) || metadata["format"] != "pt" {
		t.Errorf("weights: %d tensors, %v, %v", len(read), metadata, err)
	}
}

func TestWriteStudentRefuses(t *testing.T) {
	layerWise := uniformOf(0, 2)
	layerWise.Layers[1].FFN = slm.First(11)
	uneven := uniformOf(0)
	uneven.Layers[0].Heads = slm.IndicesOf(0, 1, 2)
	outside := uniformOf(0, 7)
	good := uniformOf(0)
	short := weightsFor(teacherOf4, good)
	delete(short, "model.norm.weight")
	for _, test := range []struct {
		name   string
		subnet slm.Subnet
		w      Weights
		want   string
	}{
		{"layer-wise", layerWise, weightsFor(teacherOf4, layerWise), "layers differ in size"},
		{"uneven groups", uneven, weightsFor(teacherOf4, uneven), "different numbers of heads"},
		{"no sub-network", outside, nil, "layers[1]"},
		{"weights of another", good, short, `"model.norm.weight" is missing`},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "student")
			err := WriteStudent(dir, teacherOf4, test.subnet, test.w)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if _, err := os.Stat(dir); err == nil {
				t.Error("a folder was left behind")
			}
		})
	}
}

// TestLayoutCountsAsSLMDoes holds the shapes against the closed form of package slm.
func TestLayoutCountsAsSLMDoes(t *testing.T) {
	for _, s := range []slm.Subnet{{}, uniformOf(1), uniformOf(0, 1, 2)} {
		if got, want := weightsFor(teacherOf4, s).Parameters(), s.Parameters(teacherOf4).Total(); got != want {
			t.Errorf("%v: %d parameters in the layout, %d counted", s, got, want)
		}
	}
	untied := teacherOf4
	untied.Tied = false
	extra := maps.Clone(Layout(untied))
	maps.DeleteFunc(extra, func(name string, _ []int) bool { _, ok := Layout(teacherOf4)[name]; return ok })
	if want := map[string][]int{"lm_head.weight": {5, 8}}; !reflect.DeepEqual(extra, want) {
		t.Errorf("an untied model adds %v, want %v", extra, want)
	}
}
