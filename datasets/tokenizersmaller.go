package datasets

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// SmallerTokenizer cuts a byte-level BPE tokenizer's tokenizer.json down to a vocabulary of so many tokens, for a small
// model of its own: <|endoftext|>, which is eos, then the 256 bytes, then what the first merges make, in their order. Ids
// are 0 to vocab-1 without a gap. Text is cut before merging as it was, and every text has tokens, even where the larger
// vocabulary lacks a byte; other special tokens are gone, and their text is text. Equal files give equal bytes.
//
// The error says why the file is no byte-level BPE, or how many tokens its merges are enough for.
func SmallerTokenizer(text []byte, vocab int) (smaller []byte, eos int, err error) {
	smaller, err = smallerTokenizer(text, vocab)
	if err != nil {
		return nil, -1, fmt.Errorf("tokenizer.json: %w", err)
	}
	return smaller, 0, nil
}

func smallerTokenizer(text []byte, vocab int) ([]byte, error) {
	var file, model map[string]json.RawMessage // what is not looked at stays as it is
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(file["model"], &model); err != nil {
		return nil, fmt.Errorf("its model cannot be read: %w", err)
	}
	if err := checkByteLevel(file["model"], file["pre_tokenizer"]); err != nil {
		return nil, err
	}
	ids, merges, err := firstMerges(model["merges"], vocab)
	if err != nil {
		return nil, err
	}
	set(model, map[string]any{"vocab": ids, "merges": merges, "unk_token": nil})
	set(file, map[string]any{"model": model, "truncation": nil, "padding": nil, "post_processor": nil,
		"added_tokens": []addedToken{{ID: 0, Content: endOfText, Special: true}}})
	return json.Marshal(file) // a map's keys come sorted
}

// set replaces values by the JSON of others, which can be marshalled.
func set(object map[string]json.RawMessage, values map[string]any) {
	for name, value := range values {
		object[name], _ = json.Marshal(value)
	}
}

// checkByteLevel reports a tokenizer that does not merge bytes.
func checkByteLevel(model, preTokenizer []byte) error {
	var kind struct {
		Type         string  `json:"type"`
		ByteFallback bool    `json:"byte_fallback"`
		Prefix       *string `json:"continuing_subword_prefix"`
		Suffix       *string `json:"end_of_word_suffix"`
	}
	if err := json.Unmarshal(model, &kind); err != nil {
		return fmt.Errorf("its model cannot be read: %w", err)
	}
	marked := func(s *string) bool { return s != nil && *s != "" }
	switch {
	case kind.Type != "BPE":
		return fmt.Errorf("its model is %q, want BPE", kind.Type)
	case !bytes.Contains(preTokenizer, []byte(`"ByteLevel"`)) || kind.ByteFallback:
		return errors.New("it merges letters, want one that merges bytes: byte-level BPE, such as GPT-2's, Pythia's or SmolLM2's")
	case marked(kind.Prefix) || marked(kind.Suffix):
		return errors.New("its tokens are marked as beginnings or ends of words, which byte-level BPE does not do")
	}
	return nil
}

// firstMerges are the ids of a vocabulary that the first merges fill, and these merges. One that makes a token that is
// there already, from other parts, needs no id.
func firstMerges(text []byte, vocab int) (map[string]int, [][2]string, error) {
	all, err := readMerges(text)
	if err != nil {
		return nil, nil, err
	}
	ids := map[string]int{endOfText: 0}
	for _, token := range byteTokens() {
		ids[token] = len(ids)
	}
	if vocab < len(ids) {
		return nil, nil, fmt.Errorf("%d tokens are too few: the bytes and %s are %d", vocab, endOfText, len(ids))
	}
	for i, merge := range all {
		for _, part := range merge {
			if _, ok := ids[part]; !ok {
				return nil, nil, fmt.Errorf("merge %d is of %q, which neither is a byte nor was made by a merge before", i, part)
			}
		}
		token := merge[0] + merge[1]
		if _, ok := ids[token]; ok {
			continue
		}
		if len(ids) == vocab {
			return ids, all[:i], nil
		}
		ids[token] = len(ids)
	}
	if len(ids) < vocab {
		return nil, nil, fmt.Errorf("its %d merges make %d tokens, want %d", len(all), len(ids), vocab)
	}
	return ids, all, nil
}

// readMerges reads merges in either form that files have them in: ["a","b"] or "a b".
func readMerges(text []byte) ([][2]string, error) {
	var pairs [][2]string
	if json.Unmarshal(text, &pairs) == nil {
		return pairs, nil
	}
	var lines []string
	if err := json.Unmarshal(text, &lines); err != nil {
		return nil, fmt.Errorf("its merges cannot be read: %w", err)
	}
	pairs = make([][2]string, len(lines))
	for i, line := range lines {
		left, right, ok := strings.Cut(line, " ")
		if !ok {
			return nil, fmt.Errorf("merge %d is %q, want two tokens with a space between", i, line)
		}
		pairs[i] = [2]string{left, right}
	}
	return pairs, nil
}

// byteTokens are the 256 bytes as byte-level BPE writes them: printable ones as themselves, the others as the letters from
// U+0100 on.
func byteTokens() []string {
	tokens, next := make([]string, 256), rune(256)
	for b := range tokens {
		r := rune(b)
		if b <= ' ' || (b >= 0x7f && b <= 0xa0) || b == 0xad {
			r = next
			next++
		}
		tokens[b] = string(r)
	}
	return tokens
}
