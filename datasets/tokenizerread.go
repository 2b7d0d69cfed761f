package datasets

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// ReadTokenizer builds a tokenizer from a tokenizer.json, as Hugging Face's models have one. eos is the token that ends
// texts where the vocabulary has no <|endoftext|>; -1 for none. What the file says of cutting texts short or filling them
// up does not count. The error says what is wrong with it. Close frees the tokenizer.
func ReadTokenizer(text []byte, eos int) (*Tokenizer, error) {
	text, err := wholeTexts(text)
	if err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	vocabulary, err := readVocabulary(text)
	if err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	size := 0
	for _, id := range vocabulary {
		size = max(size, id+1)
	}
	id := func(token string, otherwise int) int {
		if id, ok := vocabulary[token]; ok {
			return id
		}
		return otherwise
	}
	nul := id("<0x00>", -1) // of a vocabulary that falls back to bytes
	if bytes.Contains(text, []byte(`"ByteLevel"`)) {
		nul = id(nulToken, -1)
	}
	return newTokenizer(text, size, id(endOfText, eos), nul)
}

// wholeTexts switches off truncation and padding, and leaves a text without them as it is.
func wholeTexts(text []byte) ([]byte, error) {
	var file map[string]json.RawMessage
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	changed := false
	for _, name := range []string{"truncation", "padding"} {
		if value := file[name]; len(value) > 0 && string(value) != "null" {
			file[name], changed = json.RawMessage("null"), true
		}
	}
	if !changed {
		return text, nil
	}
	return json.Marshal(file)
}

// readVocabulary is the tokens and their ids, of every model that has them as an object or, as Unigram does, as a list of
// pieces with scores.
func readVocabulary(text []byte) (map[string]int, error) {
	var file struct {
		AddedTokens []addedToken `json:"added_tokens"`
		Model       struct {
			Vocab json.RawMessage `json:"vocab"`
		} `json:"model"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	vocabulary := map[string]int{}
	if err := json.Unmarshal(file.Model.Vocab, &vocabulary); err != nil {
		var pieces [][]any
		if json.Unmarshal(file.Model.Vocab, &pieces) != nil {
			return nil, fmt.Errorf("its model's vocabulary cannot be read: %w", err)
		}
		vocabulary = map[string]int{}
		for id, piece := range pieces {
			if len(piece) > 0 {
				vocabulary[fmt.Sprint(piece[0])] = id
			}
		}
	}
	for _, t := range file.AddedTokens {
		vocabulary[t.Content] = t.ID
	}
	if len(vocabulary) == 0 {
		return nil, fmt.Errorf("its vocabulary is empty")
	}
	return vocabulary, nil
}
