package export

import (
	"cmp"
	"encoding/json"
	"fmt"
)

// Tokenizer is what a student's folder says about its tokens, which are its teacher's.
type Tokenizer struct {
	JSON    []byte `json:"-"`                // the tokenizer.json of Hugging Face's tokenizers; nil for none
	Config  []byte `json:"-"`                // the teacher's tokenizer_config.json, kept as it is; nil: one is made
	BOS     *int   `json:"bos,omitempty"`    // ids; nil for none
	EOS     *int   `json:"eos,omitempty"`    //
	Padding *int   `json:"pad,omitempty"`    //
	Unknown *int   `json:"unk,omitempty"`    //
	AddBOS  bool   `json:"add_bos,omitzero"` // texts begin with BOS
}

// tokenizerFile are the parts of a tokenizer.json that are looked at.
type tokenizerFile struct {
	AddedTokens []struct {
		ID      int    `json:"id"`
		Content string `json:"content"`
		Special bool   `json:"special"`
	} `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Model         struct {
		Type         string            `json:"type"`
		Vocab        json.RawMessage   `json:"vocab"`
		Merges       []json.RawMessage `json:"merges"`
		ByteFallback bool              `json:"byte_fallback"`
	} `json:"model"`
}

// parse reads the tokenizer.json, and the tokens by id, "" where an id has none.
func (t Tokenizer) parse() (file tokenizerFile, tokens []string, err error) {
	if err := json.Unmarshal(t.JSON, &file); err != nil {
		return file, nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	ids := map[string]int{}
	if err := json.Unmarshal(file.Model.Vocab, &ids); err != nil {
		var pieces [][]any // of Unigram: [text, score]
		if json.Unmarshal(file.Model.Vocab, &pieces) != nil {
			return file, nil, fmt.Errorf("tokenizer.json: its model's vocabulary cannot be read: %w", err)
		}
		clear(ids)
		for id, piece := range pieces {
			if len(piece) > 0 {
				ids[fmt.Sprint(piece[0])] = id
			}
		}
	}
	for _, added := range file.AddedTokens {
		ids[added.Content] = added.ID
	}
	last := -1
	for token, id := range ids {
		if id < 0 || id > 1<<24 {
			return file, nil, fmt.Errorf("tokenizer.json: token %q has the id %d", token, id)
		}
		last = max(last, id)
	}
	tokens = make([]string, last+1)
	for token, id := range ids {
		tokens[id] = token
	}
	return file, tokens, nil
}

// check reports tokens that the model has no row for, and special ones that have no text.
func (t Tokenizer) check(vocab int) error {
	var tokens []string
	if t.JSON != nil {
		var err error
		if _, tokens, err = t.parse(); err != nil {
			return err
		}
		if len(tokens) > vocab {
			return fmt.Errorf("tokenizer.json has %d tokens, the model's embedding %d rows", len(tokens), vocab)
		}
	}
	for name, id := range t.special() {
		if *id < 0 || *id >= vocab || (tokens != nil && (*id >= len(tokens) || tokens[*id] == "")) {
			return fmt.Errorf("tokenizer: %s has the id %d, which is no token", name, *id)
		}
	}
	return nil
}

// special are the special tokens that there are, by transformers' names.
func (t Tokenizer) special() map[string]*int {
	all := map[string]*int{"bos_token": t.BOS, "eos_token": t.EOS, "pad_token": t.Padding, "unk_token": t.Unknown}
	for name, id := range all {
		if id == nil {
			delete(all, name)
		}
	}
	return all
}

// configJSON is a tokenizer_config.json with which AutoTokenizer loads the tokenizer.json.
func (t Tokenizer) configJSON(context int) (object, error) {
	_, tokens, err := t.parse()
	if err != nil {
		return nil, err
	}
	o := object{"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": context, "clean_up_tokenization_spaces": false}
	for name, id := range t.special() {
		o[name] = tokens[*id]
	}
	return o, nil
}

// text is the tokenizer.json. Where texts begin with BOS, but the file does not say so, as one that was made of a GGUF does
// not, that is added.
func (t Tokenizer) text() ([]byte, error) {
	file, tokens, err := t.parse()
	if err != nil || !t.AddBOS || t.BOS == nil || (len(file.PostProcessor) > 0 && string(file.PostProcessor) != "null") {
		return t.JSON, err
	}
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(t.JSON, &whole); err != nil {
		return nil, err
	}
	bos := tokens[*t.BOS]
	special := func(kind int) object { return object{"SpecialToken": object{"id": bos, "type_id": kind}} }
	text := func(id string, kind int) object { return object{"Sequence": object{"id": id, "type_id": kind}} }
	whole["post_processor"], err = json.Marshal(object{"type": "TemplateProcessing",
		"single":         []object{special(0), text("A", 0)},
		"pair":           []object{special(0), text("A", 0), special(1), text("B", 1)},
		"special_tokens": object{bos: object{"id": bos, "ids": []int{*t.BOS}, "tokens": []string{bos}}}})
	if err != nil {
		return nil, err
	}
	return json.Marshal(whole)
}

// generationJSON is a generation_config.json: where texts begin and end.
func (t Tokenizer) generationJSON() object {
	o := object{}
	for name, id := range t.special() {
		if name != "unk_token" {
			o[name+"_id"] = *id
		}
	}
	return o
}

// files are the tokenizer's: tokenizer.json, tokenizer_config.json and generation_config.json.
func (t Tokenizer) files(b *texts, context int) {
	if t.JSON != nil {
		text, err := t.text()
		b.text("tokenizer.json", text, err)
		if t.Config != nil {
			b.text("tokenizer_config.json", t.Config, nil)
		} else {
			config, err := t.configJSON(context)
			b.err = cmp.Or(b.err, err)
			b.json("tokenizer_config.json", config)
		}
	}
	b.json("generation_config.json", t.generationJSON())
}
