package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/offshoot-ml/offshoot/datasets"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/export"
)

// studentTokenizer is what a student's folder will say about its tokens: a folder's own files, or what a GGUF's header
// holds of them. A model without a tokenizer has students without one.
func studentTokenizer(t *checkpoint.Teacher) (export.Tokenizer, error) {
	switch {
	case len(t.TokenizerJSON) > 0:
		return folderTokenizer(t)
	case len(t.Vocabulary.Tokens) > 0:
		return ggufTokenizer(t)
	}
	return export.Tokenizer{EOS: id(t.EOS)}, nil
}

// folderTokenizer takes the tokenizer's files as they are, and the special tokens' ids from config.json.
func folderTokenizer(t *checkpoint.Teacher) (export.Tokenizer, error) {
	out := export.Tokenizer{JSON: t.TokenizerJSON, EOS: id(t.EOS)}
	var named struct {
		BOS     *int `json:"bos_token_id"`
		Padding *int `json:"pad_token_id"`
	}
	text, err := os.ReadFile(filepath.Join(t.Origin.Path, "config.json"))
	if err != nil {
		return out, err
	}
	if json.Unmarshal(text, &named) == nil { // some name several tokens, or none: then the student names none
		out.BOS, out.Padding = token(named.BOS, t.Config.Vocab), token(named.Padding, t.Config.Vocab)
	}
	out.Config, err = os.ReadFile(filepath.Join(t.Origin.Path, "tokenizer_config.json"))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return out, err
}

// ggufTokenizer writes the tokenizer.json that the vocabulary stands for.
func ggufTokenizer(t *checkpoint.Teacher) (export.Tokenizer, error) {
	tokenizer, err := datasets.NewTokenizer(t.Vocabulary)
	if err != nil {
		return export.Tokenizer{}, err
	}
	defer tokenizer.Close()
	v := t.Vocabulary
	return export.Tokenizer{JSON: tokenizer.JSON(), BOS: id(v.BOS), EOS: id(v.EOS), Unknown: id(v.Unknown), AddBOS: v.AddBOS}, nil
}

// id is nil for the -1 that stands for no token.
func id(n int) *int {
	if n < 0 {
		return nil
	}
	return &n
}

// token drops an id that the embedding has no row for: some models name a padding token that was never added.
func token(n *int, vocab int) *int {
	if n == nil || *n >= vocab {
		return nil
	}
	return id(*n)
}
