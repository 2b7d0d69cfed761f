package checkpoint

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gomlx/go-huggingface/models/gguf"
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

// header reads typed values of a GGUF header, and remembers what was missing or of another type.
type header struct {
	file    *gguf.File
	family  string
	missing []error
}

// integer reads a positive count below 2^24 under the family's prefix.
func (h *header) integer(key string) int {
	key = h.family + "." + key
	kv, ok := h.file.GetKeyValue(key)
	n := kv.Int64()
	if !ok || n <= 0 || n > 1<<24 {
		h.missing = append(h.missing, fmt.Errorf("header value %q is %v, want a whole number from 1 to %d", key, kv.Raw(), 1<<24))
		return 0
	}
	return int(n)
}

// optional reads a count that may be absent.
func (h *header) optional(key string, preset int) int {
	if _, ok := h.file.GetKeyValue(h.family + "." + key); !ok {
		return preset
	}
	return h.integer(key)
}

// float reads a float32 as the shortest decimal that means it: 1e-5, not 9.99999974e-06.
func (h *header) float(key string, preset float64) float64 {
	kv, ok := h.file.GetKeyValue(h.family + "." + key)
	if !ok {
		return preset
	}
	if single, ok := kv.Raw().(float32); ok {
		shortest, _ := strconv.ParseFloat(strconv.FormatFloat(float64(single), 'g', -1, 32), 64)
		return shortest
	}
	return kv.Float64()
}

// id reads a token's number; -1 when the file names none.
func (h *header) id(key string, tokens int) int {
	kv, ok := h.file.GetKeyValue(key)
	if !ok {
		return -1
	}
	if n := kv.Int64(); n >= 0 && n < int64(tokens) {
		return int(n)
	}
	h.missing = append(h.missing, fmt.Errorf("header value %q is %v, want a token's id below %d", key, kv.Raw(), tokens))
	return -1
}

// readConfig takes the architecture from a GGUF header. It is named after the file.
func readConfig(file *gguf.File, path string) (slm.Config, error) {
	h := &header{file: file, family: file.Architecture()}
	name := strings.ToLower(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))
	if h.family != string(slm.Llama) {
		return slm.Config{}, fmt.Errorf("it holds a model of family %q; supported: %s", h.family, slm.Llama)
	}
	c := slm.Config{Name: name, Family: slm.Llama,
		Layers: h.integer("block_count"), Embd: h.integer("embedding_length"), Heads: h.integer("attention.head_count"),
		FFN: h.integer("feed_forward_length"), Context: h.integer("context_length"),
		NormEps: h.float("attention.layer_norm_rms_epsilon", 0), RopeTheta: h.float("rope.freq_base", 10000)}
	c.QueryGroups = h.optional("attention.head_count_kv", c.Heads)
	c.HeadSize = h.optional("attention.key_length", c.Embd/max(1, c.Heads))
	rotated := h.optional("rope.dimension_count", c.HeadSize)
	c.Vocab = h.optional("vocab_size", len(h.strings("tokenizer.ggml.tokens")))
	_, untied := file.GetTensorInfo("output.weight")
	c.Tied = !untied
	if err := errors.Join(h.missing...); err != nil {
		return c, err
	}
	if rotated != c.HeadSize {
		return c, fmt.Errorf("it rotates %d of %d dimensions of a head; only all of them is supported", rotated, c.HeadSize)
	}
	if kv, ok := file.GetKeyValue(h.family + ".rope.scaling.type"); ok && kv.String() != "none" {
		return c, fmt.Errorf("it scales rotary positions (%q), which is not supported", kv.String())
	}
	return c, c.Validate()
}

func (h *header) strings(key string) []string {
	kv, _ := h.file.GetKeyValue(key)
	return kv.Strings()
}

// readVocabulary takes the tokens from a GGUF header; they must be as many as the embedding has rows.
func readVocabulary(file *gguf.File, c slm.Config) (Vocabulary, error) {
	h := &header{file: file}
	text := func(key string) string { kv, _ := file.GetKeyValue(key); return kv.String() }
	v := Vocabulary{Model: text("tokenizer.ggml.model"), PreTokenizer: text("tokenizer.ggml.pre"),
		Tokens: h.strings("tokenizer.ggml.tokens"), Merges: h.strings("tokenizer.ggml.merges")}
	if len(v.Tokens) != c.Vocab {
		return v, fmt.Errorf("its vocabulary has %d tokens, its embedding %d rows", len(v.Tokens), c.Vocab)
	}
	if kv, ok := file.GetKeyValue("tokenizer.ggml.token_type"); ok {
		v.Types, _ = kv.Raw().([]int32)
		if len(v.Types) != len(v.Tokens) {
			return v, fmt.Errorf("its vocabulary has %d tokens, but %d token types", len(v.Tokens), len(v.Types))
		}
	}
	v.BOS = h.id("tokenizer.ggml.bos_token_id", len(v.Tokens))
	v.EOS = h.id("tokenizer.ggml.eos_token_id", len(v.Tokens))
	v.Unknown = h.id("tokenizer.ggml.unknown_token_id", len(v.Tokens))
	add, _ := file.GetKeyValue("tokenizer.ggml.add_bos_token")
	v.AddBOS = add.Bool()
	return v, errors.Join(h.missing...)
}
