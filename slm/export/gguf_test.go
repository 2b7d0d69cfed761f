package export_test

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/export"
)

// smallTokenizer is a byte-level BPE with 60 of the 64 tokens that the small teachers have rows for. cut is its
// pre-tokenizer, as tokenizer.json has it.
func smallTokenizer(t *testing.T, cut string) export.Tokenizer {
	t.Helper()
	vocab, merges := map[string]int{}, []string{"a b", "ab c"}
	for i := range 57 {
		vocab[string(rune('A'+i))] = i + 1
	}
	vocab["ab"], vocab["abc"] = 58, 59
	text, err := json.Marshal(map[string]any{
		"added_tokens":  []any{map[string]any{"id": 0, "content": "<|endoftext|>", "special": true}},
		"pre_tokenizer": json.RawMessage(cut), "decoder": map[string]any{"type": "ByteLevel"},
		"model": map[string]any{"type": "BPE", "vocab": vocab, "merges": merges},
	})
	if err != nil {
		t.Fatal(err)
	}
	end := 0
	return export.Tokenizer{JSON: text, EOS: &end, BOS: &end}
}

const (
	gpt2Cut    = `{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true}`
	unknownCut = `{"type":"Whitespace"}`
)

// exportGGUF writes a student with a GGUF beside its safetensors, and returns its path.
func exportGGUF(t *testing.T, s export.Student, dtype export.DType) (string, export.Exported) {
	t.Helper()
	s.Tokenizer = smallTokenizer(t, gpt2Cut)
	e, err := export.Write(t.Context(), filepath.Join(t.TempDir(), "student"), s, export.Options{GGUF: true, DType: dtype})
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(e.Dir, e.GGUF), e
}

// A GGUF says what the student is, to who reads it from its bytes: the architecture, every weight, the tokens.
func TestGGUFReadsBack(t *testing.T) {
	for _, c := range smallTeachers() {
		for name, s := range map[string]slm.Subnet{"whole": {}, "layer-wise": kinds(c)["layer-wise"]} {
			for dtype, rounding := range map[export.DType]float64{export.Float32: 0, export.Float16: 1.0 / 2048, export.BFloat16: 1.0 / 256} {
				t.Run(fmt.Sprint(c.Name, " ", name, " ", dtype), func(t *testing.T) {
					student := export.Student{Teacher: c, Subnet: s, Weights: spread(c, s, 3)}
					path, _ := exportGGUF(t, student, dtype)
					got, err := checkpoint.Open(t.Context(), path, checkpoint.Options{})
					if err != nil {
						t.Fatal(err)
					}
					defer got.Close()
					plain, weights, err := student.Plain()
					if err != nil {
						t.Fatal(err)
					}
					compareArchitecture(t, got.Config, plain)
					compareWeights(t, plain, got, weights, rounding)
					compareVocabulary(t, got.Vocabulary, plain.Vocab)
				})
			}
		}
	}
}

// compareArchitecture allows for what a GGUF does not say: Llama 3's scaling is there as its result, a divisor of each
// frequency, and the head of a GPT-NeoX is always there.
func compareArchitecture(t *testing.T, got, want slm.Config) {
	t.Helper()
	frequencies := want.Frequencies(want.HeadSize)
	for i, f := range got.Frequencies(got.HeadSize) {
		if math.Abs(f-frequencies[i]) > 1e-6*f {
			t.Errorf("pair %d turns by %g, want %g", i, f, frequencies[i])
		}
	}
	got.Name, want.Name = "", ""
	got.RopeScaling, want.RopeScaling = slm.RopeScaling{}, slm.RopeScaling{}
	if want.Family == slm.GPTNeoX {
		want.Tied = false
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("architecture\n%+v, want\n%+v", got, want)
	}
}

// compareWeights allows a matrix the rounding of its numbers; vectors have none.
func compareWeights(t *testing.T, c slm.Config, got *checkpoint.Teacher, want checkpoint.Source, rounding float64) {
	t.Helper()
	for name, tensor := range (slm.Subnet{}).Tensors(got.Config) {
		source := name
		if _, ok := want.Shape(name); !ok && tensor.Role == slm.OutputHead {
			source = c.OuterWeights()[0].Name // it is tied to the embedding
		}
		shape, ok := want.Shape(source)
		if gotShape, _ := got.Source.Shape(name); !ok || !slices.Equal(gotShape, shape) {
			t.Errorf("%s has shape %v, want %v", name, gotShape, shape)
			continue
		}
		n, allowed := 1, rounding
		for _, d := range shape {
			n *= d
		}
		if tensor.IsVector() {
			allowed = 0
		}
		a, b := make([]float32, n), make([]float32, n)
		if err := got.Source.Read(name, a); err != nil {
			t.Fatal(err)
		}
		if err := want.Read(source, b); err != nil {
			t.Fatal(err)
		}
		for i := range a {
			if math.Abs(float64(a[i]-b[i])) > allowed*math.Abs(float64(b[i]))+allowed*1e-4 {
				t.Fatalf("%s: value %d is %g, want %g", name, i, a[i], b[i])
			}
		}
	}
}

func compareVocabulary(t *testing.T, v checkpoint.Vocabulary, rows int) {
	t.Helper()
	if v.Model != "gpt2" || v.PreTokenizer != "gpt-2" || v.EOS != 0 || v.BOS != 0 || v.AddBOS || !slices.Equal(v.Merges, []string{"a b", "ab c"}) {
		t.Errorf("the vocabulary says %q, cut as %q, ends with %d, begins with %d (%v), merges %q", v.Model, v.PreTokenizer, v.EOS, v.BOS, v.AddBOS, v.Merges)
	}
	if len(v.Tokens) != rows || v.Tokens[0] != "<|endoftext|>" || v.Tokens[1] != "A" || v.Tokens[59] != "abc" || v.Tokens[60] == "" {
		t.Errorf("tokens are %q, want one for each of %d rows", v.Tokens, rows)
	}
	if len(v.Types) != rows || v.Types[0] != checkpoint.TokenControl || v.Types[1] != checkpoint.TokenNormal || v.Types[60] == checkpoint.TokenNormal {
		t.Errorf("the tokens' types are %v", v.Types)
	}
}

// transformers reads GGUFs of Llama and Qwen3 (of GPT-NeoX it cannot), and computes the logits of the student in its
// teacher. It overlooks scaled rotary frequencies, so the students have none, and the head size of a Qwen3, which it takes
// for 128.
func TestTransformersComputesTheSameFromGGUF(t *testing.T) {
	referencePython(t)
	backend := newBackend(t)
	untied, qwen := smallLlama, smallTeachers()[2]
	untied.Name, untied.Tied = "small-llama-untied", false
	qwen.Name, qwen.HeadSize = "small-qwen-128", 128
	var names, paths []string
	var want [][]float32
	for _, c := range []slm.Config{smallLlama, untied, qwen} {
		teacher := load(t, backend, c, spread(c, slm.Subnet{}, 5))
		for _, kind := range []string{"whole", "uniform", "layer-wise"} {
			s := kinds(c)[kind]
			if c.Family == slm.Qwen3 {
				s = wholeHeads(s)
			}
			weights, err := teacher.Extract(s)
			if err != nil {
				t.Fatal(err)
			}
			path, _ := exportGGUF(t, export.Student{Teacher: c, Subnet: s, Weights: weights}, export.Float32)
			names, paths, want = append(names, c.Name+" "+kind), append(paths, path), append(want, logits(t, teacher, s))
		}
	}
	for i, found := range byTransformers(t, paths) {
		d := distance(t, found.logits(t), want[i])
		t.Logf("%-32s %-16s logits differ by %.1e", names[i], found.Class, d)
		if !(d <= agreement) {
			t.Errorf("%s as %s: logits differ by %g", names[i], found.Class, d)
		}
	}
}

// wholeHeads lets a sub-network keep all dimensions of its heads.
func wholeHeads(s slm.Subnet) slm.Subnet {
	s.Layers = slices.Clone(s.Layers)
	for i := range s.Layers {
		s.Layers[i].HeadSize = slm.Indices{}
	}
	return s
}

// What llama.cpp could not run is refused before anything is written.
func TestGGUFRefusals(t *testing.T) {
	qwen := smallTeachers()[2]
	slow := slm.Subnet{Rotary: slm.Kept, Layers: []slm.LayerSubnet{{Layer: 0, HeadSize: slm.IndicesOf(1, 2, 5, 6)}}}
	for _, c := range []struct {
		name      string
		teacher   slm.Config
		subnet    slm.Subnet
		tokenizer export.Tokenizer
		options   export.Options
		want      string
	}{
		{"no tokenizer", smallLlama, slm.Subnet{}, export.Tokenizer{}, export.Options{}, "tokenizer"},
		{"unknown pre-tokenizer", smallLlama, slm.Subnet{}, smallTokenizer(t, unknownCut), export.Options{}, `"Whitespace"`},
		{"frequencies of a Qwen3", qwen, slow, smallTokenizer(t, gpt2Cut), export.Options{}, "rotary"},
		{"code", smallLlama, slm.Subnet{}, smallTokenizer(t, gpt2Cut), export.Options{Layers: export.Code}, "plain models"},
	} {
		dir := filepath.Join(t.TempDir(), "student")
		c.options.GGUF = true
		student := export.Student{Teacher: c.teacher, Subnet: c.subnet, Weights: spread(c.teacher, c.subnet, 1), Tokenizer: c.tokenizer}
		_, err := export.Write(t.Context(), dir, student, c.options)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one about %q", c.name, err, c.want)
		}
		if left, _ := filepath.Glob(dir + "*"); len(left) > 0 {
			t.Errorf("%s: left %q", c.name, left)
		}
	}
}
