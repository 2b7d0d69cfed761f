package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Token types of a GGUF's vocabulary.
const (
	ggufNormal      = 1
	ggufUnknown     = 2
	ggufControl     = 3
	ggufUserDefined = 4
	ggufUnused      = 5
	ggufByte        = 6
)

// ggufVocabulary are the header's values of a tokenizer, for a model with so many rows in its embedding.
func ggufVocabulary(t Tokenizer, vocab int) ([]ggufValue, error) {
	if t.JSON == nil {
		return nil, errors.New("a GGUF carries its tokenizer, and the student comes without one")
	}
	file, tokens, err := t.parse()
	if err != nil {
		return nil, err
	}
	if file.Model.Type != "BPE" && file.Model.Type != "" {
		return nil, fmt.Errorf("tokenizer.json: a tokenizer of the kind %q cannot be written to a GGUF; BPE can", file.Model.Type)
	}
	merges, err := mergesOf(file)
	if err != nil {
		return nil, err
	}
	kinds := tokenTypes(file, tokens, vocab)
	for id := range vocab {
		if id >= len(tokens) {
			tokens = append(tokens, "")
		}
		if tokens[id] == "" { // a row of the embedding without a token
			tokens[id] = fmt.Sprintf("[PAD%d]", id)
		}
	}
	var out []ggufValue
	if file.Model.ByteFallback {
		out = sentencePieces(file, tokens, kinds, merges)
	} else if out, err = byteLevel(file, tokens, kinds, merges); err != nil {
		return nil, err
	}
	return append(out, specialTokens(t)...), nil
}

// byteLevel describes BPE on bytes, GPT-2's.
func byteLevel(file tokenizerFile, tokens []string, kinds []int32, merges []string) ([]ggufValue, error) {
	cut, err := preTokenizer(file)
	if err != nil {
		return nil, err
	}
	return []ggufValue{{"tokenizer.ggml.model", "gpt2"}, {"tokenizer.ggml.pre", cut}, {"tokenizer.ggml.tokens", tokens},
		{"tokenizer.ggml.token_type", kinds}, {"tokenizer.ggml.merges", merges}}, nil
}

// sentencePieces describes BPE on characters with a fall-back to bytes, SentencePiece's. It has scores instead of merges:
// what is merged earlier scores higher.
func sentencePieces(file tokenizerFile, tokens []string, kinds []int32, merges []string) []ggufValue {
	rank := map[string]int{}
	for i, merge := range merges {
		joined := strings.Replace(merge, " ", "", 1)
		if _, ok := rank[joined]; !ok {
			rank[joined] = i
		}
	}
	scores := make([]float32, len(tokens))
	for id, token := range tokens {
		if i, ok := rank[token]; ok {
			scores[id] = -float32(i)
		} else if kinds[id] == ggufNormal { // a character: nothing is merged to it
			scores[id] = -float32(len(merges))
		}
	}
	prefixed := bytes.Contains(file.Normalizer, []byte(`"Prepend"`)) || bytes.Contains(file.PreTokenizer, []byte(`"first"`))
	return []ggufValue{{"tokenizer.ggml.model", "llama"}, {"tokenizer.ggml.pre", "default"}, {"tokenizer.ggml.tokens", tokens},
		{"tokenizer.ggml.scores", scores}, {"tokenizer.ggml.token_type", kinds}, {"tokenizer.ggml.add_space_prefix", prefixed}}
}

// specialTokens name the special tokens by their ids.
func specialTokens(t Tokenizer) []ggufValue {
	var out []ggufValue
	for _, s := range []struct {
		name string
		id   *int
	}{{"bos", t.BOS}, {"eos", t.EOS}, {"unknown", t.Unknown}, {"padding", t.Padding}} {
		if s.id != nil {
			out = append(out, ggufValue{"tokenizer.ggml." + s.name + "_token_id", uint32(*s.id)})
		}
	}
	out = append(out, ggufValue{"tokenizer.ggml.add_bos_token", t.AddBOS && t.BOS != nil}, ggufValue{"tokenizer.ggml.add_eos_token", false})
	var config struct {
		Template json.RawMessage `json:"chat_template"`
	}
	var template string
	if json.Unmarshal(t.Config, &config) == nil && json.Unmarshal(config.Template, &template) == nil && template != "" {
		out = append(out, ggufValue{"tokenizer.chat_template", template})
	}
	return out
}

// tokenTypes are the tokens' types, for every row of the embedding.
func tokenTypes(file tokenizerFile, tokens []string, vocab int) []int32 {
	kinds := make([]int32, vocab)
	for id := range kinds {
		switch {
		case id >= len(tokens) || tokens[id] == "":
			kinds[id] = ggufUnused
		case file.Model.ByteFallback && isByte(tokens[id]):
			kinds[id] = ggufByte
		default:
			kinds[id] = ggufNormal
		}
	}
	for _, added := range file.AddedTokens {
		switch {
		case added.Content == "<unk>" && file.Model.ByteFallback:
			kinds[added.ID] = ggufUnknown
		case added.Special:
			kinds[added.ID] = ggufControl
		default:
			kinds[added.ID] = ggufUserDefined
		}
	}
	return kinds
}

// isByte recognizes the tokens <0x00> to <0xFF>.
func isByte(token string) bool {
	return len(token) == 6 && strings.HasPrefix(token, "<0x") && strings.HasSuffix(token, ">")
}

// mergesOf are the merges as "left right", best first; a tokenizer.json has them as such texts or as pairs.
func mergesOf(file tokenizerFile) ([]string, error) {
	out := make([]string, len(file.Model.Merges))
	for i, raw := range file.Model.Merges {
		if json.Unmarshal(raw, &out[i]) == nil {
			continue
		}
		var pair []string
		if json.Unmarshal(raw, &pair) != nil || len(pair) != 2 {
			return nil, fmt.Errorf("tokenizer.json: merge %d is %s", i, raw)
		}
		out[i] = pair[0] + " " + pair[1]
	}
	return out, nil
}

// Regular expressions of published tokenizers.
const (
	llama3Pattern = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	qwen2Pattern  = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

// cutter is a pre-tokenizer of a tokenizer.json, or a sequence of them.
type cutter struct {
	Type       string   `json:"type"`
	Individual bool     `json:"individual_digits"`
	UseRegex   *bool    `json:"use_regex"`
	Parts      []cutter `json:"pretokenizers"`
	Pattern    struct {
		Regex string `json:"Regex"`
	} `json:"pattern"`
}

// preTokenizer is llama.cpp's name of how text is cut before merging, of the ways that are those of a supported family's
// published models.
func preTokenizer(file tokenizerFile) (string, error) {
	var whole cutter
	if err := json.Unmarshal(file.PreTokenizer, &whole); err != nil {
		return "", fmt.Errorf("tokenizer.json: pre_tokenizer: %w", err)
	}
	parts := whole.Parts
	if whole.Type != "Sequence" {
		parts = []cutter{whole}
	}
	if last := len(parts) - 1; last >= 0 && parts[last].Type == "ByteLevel" {
		gpt2 := parts[last].UseRegex == nil || *parts[last].UseRegex
		switch {
		case gpt2 && last == 0 && bytes.Contains(file.Normalizer, []byte(`"NFC"`)):
			return "olmo", nil // the tokenizer of GPT-NeoX and Pythia
		case gpt2 && last == 0:
			return "gpt-2", nil
		case gpt2 && last == 1 && parts[0].Type == "Digits" && parts[0].Individual:
			return "smollm", nil
		case !gpt2 && last == 1 && parts[0].Type == "Split" && parts[0].Pattern.Regex == llama3Pattern:
			return "llama-bpe", nil
		case !gpt2 && last == 1 && parts[0].Type == "Split" && parts[0].Pattern.Regex == qwen2Pattern:
			return "qwen2", nil
		}
	}
	const most = 300
	return "", fmt.Errorf("tokenizer.json: no name of llama.cpp's is known for its pre_tokenizer: %.*s", most, file.PreTokenizer)
}
