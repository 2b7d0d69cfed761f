package export_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm/export"
)

// tokenizerVocab is more than the test's tokenizers have tokens: the last rows of the embedding have none.
const tokenizerVocab = 300

type (
	list   = []any
	fields = map[string]any
)

// byteAlphabet is how byte-level BPE writes the bytes.
func byteAlphabet() []string {
	var out []string
	next := rune(256)
	for b := range 256 {
		r := rune(b)
		if !(b >= '!' && b <= '~') && !(b >= 0xa1 && b <= 0xac) && !(b >= 0xae && b <= 0xff) {
			r, next = next, next+1
		}
		out = append(out, string(r))
	}
	return out
}

// byteTokenizer is a byte-level BPE tokenizer with some merges, two special tokens and one that a user added.
func byteTokenizer(t *testing.T, normalizer, preTokenizer any) export.Tokenizer {
	t.Helper()
	tokens := append([]string{"<|endoftext|>", "<|start|>"}, byteAlphabet()...)
	merges := pairs("Ġ t", "h e", "Ġt he", "1 2", "12 3", "a n", "an d")
	tokens = append(tokens, "Ġt", "he", "Ġthe", "12", "123", "an", "and", "<tool>")
	special := func(id int, text string, special bool) any {
		return fields{"id": id, "content": text, "special": special, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false}
	}
	return tokenizer(t, tokens, fields{
		"added_tokens": list{special(0, tokens[0], true), special(1, tokens[1], true), special(len(tokens)-1, "<tool>", false)},
		"normalizer":   normalizer, "pre_tokenizer": preTokenizer,
		"decoder": fields{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
	}, fields{"merges": merges, "byte_fallback": false})
}

// pieceTokenizer is a tokenizer as SentencePiece's are converted: characters, with a fall-back to bytes.
func pieceTokenizer(t *testing.T) export.Tokenizer {
	t.Helper()
	tokens := []string{"<unk>", "<s>", "</s>"}
	for b := range 256 {
		tokens = append(tokens, fmt.Sprintf("<0x%02X>", b))
	}
	tokens = append(tokens, "▁t", "he", "▁the", "an", "and", "▁", "t", "h", "e", "a", "n", "d", "1", "2", "3", "m")
	added := list{}
	for id, token := range tokens[:3] {
		added = append(added, fields{"id": id, "content": token, "special": true, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false})
	}
	return tokenizer(t, tokens, fields{"added_tokens": added, "pre_tokenizer": nil,
		"normalizer": fields{"type": "Sequence", "normalizers": list{fields{"type": "Prepend", "prepend": "▁"},
			fields{"type": "Replace", "pattern": fields{"String": " "}, "content": "▁"}}},
		"decoder": fields{"type": "Sequence", "decoders": list{fields{"type": "Replace", "pattern": fields{"String": "▁"}, "content": " "},
			fields{"type": "ByteFallback"}, fields{"type": "Fuse"}, fields{"type": "Strip", "content": " ", "start": 1, "stop": 0}}},
	}, fields{"merges": pairs("▁ t", "h e", "▁t he", "a n", "an d"), "byte_fallback": true, "fuse_unk": true, "unk_token": "<unk>"})
}

// tokenizer builds a tokenizer.json of BPE whose first token ends texts and whose second begins them.
func tokenizer(t *testing.T, tokens []string, file, model fields) export.Tokenizer {
	t.Helper()
	vocab := map[string]int{}
	for id, token := range tokens {
		vocab[token] = id
	}
	if len(vocab) != len(tokens) || len(tokens) >= tokenizerVocab {
		t.Fatalf("%d tokens, %d different", len(tokens), len(vocab))
	}
	model["type"], model["vocab"] = "BPE", vocab
	file["version"], file["truncation"], file["padding"], file["post_processor"], file["model"] = "1.0", nil, nil, nil, model
	text, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	eos, bos := 0, 1
	return export.Tokenizer{JSON: text, BOS: &bos, EOS: &eos}
}

// The ways of cutting text that llama.cpp has names for.
var (
	gpt2Cutter   = fields{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}
	smolCutter   = fields{"type": "Sequence", "pretokenizers": list{fields{"type": "Digits", "individual_digits": true}, gpt2Cutter}}
	llama3Cutter = split(`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`)
	qwenCutter   = split(`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`)
	nfc          = fields{"type": "NFC"}
)

// split cuts by a regular expression.
func split(regex string) any {
	return fields{"type": "Sequence", "pretokenizers": list{
		fields{"type": "Split", "pattern": fields{"Regex": regex}, "behavior": "Isolated", "invert": false},
		fields{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}}}
}

// pairs writes merges as the library's newer versions do.
func pairs(merges ...string) (out list) {
	for _, merge := range merges {
		out = append(out, strings.Fields(merge))
	}
	return out
}
