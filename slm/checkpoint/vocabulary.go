package checkpoint

import (
	"errors"
	"fmt"

	"github.com/offshoot-ml/offshoot/slm"
)

// Vocabulary is what a GGUF says about its tokens: enough to build the tokenizer that made the teacher's training text.
type Vocabulary struct {
	Model        string   // "gpt2" is byte-level BPE, the only one that package datasets builds a tokenizer for
	PreTokenizer string   // how text is cut before merging: "smollm", "gpt-2", …
	Tokens       []string // by id
	Types        []int32  // by id, see the Token constants; empty when the file has none
	Merges       []string // "left right", best first
	BOS, EOS     int      // ids; -1 when the file names none
	Unknown      int      // id; -1 when the file names none
	AddBOS       bool     // texts start with BOS
}

// Token types of a GGUF vocabulary.
const (
	TokenNormal      int32 = 1
	TokenUnknown     int32 = 2
	TokenControl     int32 = 3 // special: never made from plain text
	TokenUserDefined int32 = 4 // added to the vocabulary, matched before merging
)

// vocabulary takes the tokens from the header; they must be no more than the embedding has rows.
func (g *gguf) vocabulary(c slm.Config) (Vocabulary, error) {
	k := &ggufKeys{gguf: g}
	v := Vocabulary{Model: k.text("tokenizer.ggml.model"), PreTokenizer: k.text("tokenizer.ggml.pre"),
		Tokens: k.texts("tokenizer.ggml.tokens"), Merges: k.texts("tokenizer.ggml.merges")}
	if len(v.Tokens) > c.Vocab || len(v.Tokens) == 0 {
		return v, fmt.Errorf("its vocabulary has %d tokens, its embedding %d rows", len(v.Tokens), c.Vocab)
	}
	if types, ok := g.values["tokenizer.ggml.token_type"].(ggufNumbers); ok {
		if v.Types = types.int32s(); len(v.Types) != len(v.Tokens) {
			return v, fmt.Errorf("its vocabulary has %d tokens, but %d token types", len(v.Tokens), len(v.Types))
		}
	}
	v.BOS = k.id("tokenizer.ggml.bos_token_id", len(v.Tokens))
	v.EOS = k.id("tokenizer.ggml.eos_token_id", len(v.Tokens))
	v.Unknown = k.id("tokenizer.ggml.unknown_token_id", len(v.Tokens))
	v.AddBOS, _ = g.values["tokenizer.ggml.add_bos_token"].(bool)
	return v, errors.Join(k.wrong...)
}
