package export_test

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/offshoot-ml/offshoot/datasets"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/export"
)

// The vocabulary of a teacher's GGUF is that of its student's, with a tokenizer.json in between.
func TestVocabularyOfAGGUFComesBack(t *testing.T) {
	want := checkpoint.Vocabulary{Model: "gpt2", Merges: []string{"Ġ t", "h e", "Ġt he"}, BOS: 1, EOS: 0, Unknown: -1, AddBOS: true}
	want.Tokens = append([]string{"<|endoftext|>", "<|start|>"}, byteAlphabet()...)
	want.Tokens = append(want.Tokens, "Ġt", "he", "Ġthe", "<tool>")
	for range want.Tokens {
		want.Types = append(want.Types, checkpoint.TokenNormal)
	}
	want.Types[0], want.Types[1], want.Types[len(want.Types)-1] = checkpoint.TokenControl, checkpoint.TokenControl, checkpoint.TokenUserDefined
	c := smallLlama
	c.Vocab = len(want.Tokens)
	for _, want.PreTokenizer = range []string{"gpt-2", "smollm", "olmo", "qwen2", "llama-bpe"} {
		tokenizer, err := datasets.NewTokenizer(want)
		if err != nil {
			t.Fatal(err)
		}
		s := export.Student{Teacher: c, Weights: spread(c, slm.Subnet{}, 1),
			Tokenizer: export.Tokenizer{JSON: tokenizer.JSON(), BOS: &want.BOS, EOS: &want.EOS, AddBOS: want.AddBOS}}
		e := write(t, t.TempDir(), s, export.Options{GGUF: true})
		tokenizer.Close()
		m, err := checkpoint.Open(t.Context(), filepath.Join(e.Dir, e.GGUF), checkpoint.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if !reflect.DeepEqual(m.Vocabulary, want) {
			t.Errorf("%s: %+v, want %+v", want.PreTokenizer, m.Vocabulary, want)
		}
	}
}
