package datasets

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// The types below are the parts of a tokenizer.json, the format of Hugging Face's tokenizers, that byte-level BPE needs.

type tokenizerFile struct {
	Version       string       `json:"version"`
	Truncation    *struct{}    `json:"truncation"`
	Padding       *struct{}    `json:"padding"`
	AddedTokens   []addedToken `json:"added_tokens"`
	Normalizer    any          `json:"normalizer"`
	PreTokenizer  any          `json:"pre_tokenizer"`
	PostProcessor *struct{}    `json:"post_processor"`
	Decoder       any          `json:"decoder"`
	Model         bpeModel     `json:"model"`
}

type addedToken struct {
	ID         int    `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

type bpeModel struct {
	Type                    string         `json:"type"`
	Dropout                 *float64       `json:"dropout"`
	UnknownToken            *string        `json:"unk_token"`
	ContinuingSubwordPrefix *string        `json:"continuing_subword_prefix"`
	EndOfWordSuffix         *string        `json:"end_of_word_suffix"`
	FuseUnknown             bool           `json:"fuse_unk"`
	ByteFallback            bool           `json:"byte_fallback"`
	IgnoreMerges            bool           `json:"ignore_merges"`
	Vocab                   map[string]int `json:"vocab"`
	Merges                  [][2]string    `json:"merges"`
}

type byteLevel struct {
	Type           string `json:"type"`
	AddPrefixSpace bool   `json:"add_prefix_space"`
	TrimOffsets    bool   `json:"trim_offsets"`
	UseRegex       bool   `json:"use_regex"`
}

type digits struct {
	Type       string `json:"type"`
	Individual bool   `json:"individual_digits"`
}

type sequence struct {
	Type          string `json:"type"`
	PreTokenizers []any  `json:"pretokenizers"`
}

type splitBy struct {
	Type     string            `json:"type"`
	Pattern  map[string]string `json:"pattern"`
	Behavior string            `json:"behavior"`
	Invert   bool              `json:"invert"`
}

type typed struct {
	Type string `json:"type"`
}

// cutting is what happens to text before merging.
type cutting struct {
	normalizer   any
	preTokenizer any
	ignoreMerges bool // a piece that is a token as a whole is not merged from parts
}

// cuttings are what happens to text before merging, by the names that a GGUF gives: those of llama.cpp's
// llama-vocab.cpp, in the words of the models' own tokenizer.json.
var cuttings = map[string]cutting{
	"gpt-2":     {preTokenizer: gpt2Cut},
	"smollm":    {preTokenizer: sequence{"Sequence", []any{digits{"Digits", true}, gpt2Cut}}}, // each digit is a token of its own
	"olmo":      {preTokenizer: gpt2Cut, normalizer: typed{"NFC"}},                            // GPT-NeoX's, and so Pythia's
	"qwen2":     {preTokenizer: cutBy(`\p{N}`), normalizer: typed{"NFC"}},                     // Qwen3's too
	"llama-bpe": {preTokenizer: cutBy(`\p{N}{1,3}`), ignoreMerges: true},                      // Llama 3's
}

var gpt2Cut = byteLevel{Type: "ByteLevel", TrimOffsets: true, UseRegex: true}

// cutBy is the pattern of GPT-4's successors, which differ in how many digits stay together.
func cutBy(number string) any {
	pattern := `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|` + number + `| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	return sequence{"Sequence", []any{splitBy{"Split", map[string]string{"Regex": pattern}, "Isolated", false}, byteLevel{Type: "ByteLevel"}}}
}

// tokenizerJSON writes a vocabulary as the tokenizer.json of a byte-level BPE tokenizer. Equal vocabularies give equal
// bytes.
func tokenizerJSON(v checkpoint.Vocabulary) ([]byte, error) {
	if v.Model != "gpt2" {
		return nil, fmt.Errorf("tokenizer model %q is not supported (supported: gpt2, which is byte-level BPE)", v.Model)
	}
	cut, ok := cuttings[v.PreTokenizer]
	if !ok {
		return nil, fmt.Errorf("pre-tokenizer %q is not supported (supported: %s)", v.PreTokenizer, strings.Join(slices.Sorted(maps.Keys(cuttings)), ", "))
	}
	file := tokenizerFile{Version: "1.0", AddedTokens: addedTokens(v), Normalizer: cut.normalizer, PreTokenizer: cut.preTokenizer,
		Decoder: byteLevel{Type: "ByteLevel", AddPrefixSpace: true, TrimOffsets: true, UseRegex: true},
		Model:   bpeModel{Type: "BPE", IgnoreMerges: cut.ignoreMerges, Vocab: make(map[string]int, len(v.Tokens)), Merges: make([][2]string, len(v.Merges))}}
	for id, token := range v.Tokens {
		if first, twice := file.Model.Vocab[token]; twice {
			return nil, fmt.Errorf("token %q has two ids, %d and %d", token, first, id)
		}
		file.Model.Vocab[token] = id
	}
	for i, merge := range v.Merges {
		left, right, ok := strings.Cut(merge, " ")
		if !ok || left == "" || right == "" {
			return nil, fmt.Errorf("merge %d is %q, want two tokens with a space between", i, merge)
		}
		file.Model.Merges[i] = [2]string{left, right}
	}
	return json.Marshal(file) // a map's keys come sorted
}

// addedTokens are those matched in a text before any cutting: special ones, and ones added by a user.
func addedTokens(v checkpoint.Vocabulary) []addedToken {
	added := []addedToken{}
	for id, kind := range v.Types {
		if special := kind == checkpoint.TokenControl; special || kind == checkpoint.TokenUserDefined {
			added = append(added, addedToken{ID: id, Content: v.Tokens[id], Special: special, Normalized: !special})
		}
	}
	return added
}
