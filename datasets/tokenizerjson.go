package datasets

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// The types below are the parts of a tokenizer.json, the format of Hugging Face's tokenizers, that byte-level BPE needs.

type tokenizerFile struct {
	Version       string       `json:"version"`
	Truncation    *struct{}    `json:"truncation"`
	Padding       *struct{}    `json:"padding"`
	AddedTokens   []addedToken `json:"added_tokens"`
	Normalizer    *struct{}    `json:"normalizer"`
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

// preTokenizer is how text is cut before merging, by the name a GGUF gives it.
func preTokenizer(name string) (any, error) {
	gpt2 := byteLevel{Type: "ByteLevel", TrimOffsets: true, UseRegex: true}
	switch name {
	case "smollm": // each digit is a token of its own, then GPT-2's pattern
		return sequence{"Sequence", []any{digits{"Digits", true}, gpt2}}, nil
	case "gpt-2":
		return gpt2, nil
	}
	return nil, fmt.Errorf("pre-tokenizer %q is not supported (supported: smollm, gpt-2)", name)
}

// tokenizerJSON writes a vocabulary as the tokenizer.json of a byte-level BPE tokenizer. Equal vocabularies give equal
// bytes.
func tokenizerJSON(v checkpoint.Vocabulary) ([]byte, error) {
	if v.Model != "gpt2" {
		return nil, fmt.Errorf("tokenizer model %q is not supported (supported: gpt2, which is byte-level BPE)", v.Model)
	}
	cut, err := preTokenizer(v.PreTokenizer)
	if err != nil {
		return nil, err
	}
	file := tokenizerFile{Version: "1.0", AddedTokens: addedTokens(v), PreTokenizer: cut,
		Decoder: byteLevel{Type: "ByteLevel", AddPrefixSpace: true, TrimOffsets: true, UseRegex: true},
		Model:   bpeModel{Type: "BPE", Vocab: make(map[string]int, len(v.Tokens)), Merges: make([][2]string, len(v.Merges))}}
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
