package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"github.com/offshoot-ml/offshoot/datasets"
	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/kernelext/host/resident"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint/hub"
)

// training is the text that a run trains on, in the teacher's tokens. The Go installation's is tokenized as it is read; other
// data is tokenized once, into the state folder, for all labs and all teachers with the same tokenizer.
func (t *teacher) training(ctx context.Context, data slm.Data, report resident.Report) (datasets.TrainingText, error) {
	if data.IsZero() {
		return t.corpus(ctx, report)
	}
	key, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if text, ok := t.texts[string(key)]; ok {
		return text, nil
	}
	text, err := tokenized(ctx, data, t.tokenizer, report)
	if err != nil {
		return nil, fmt.Errorf("data %s: %w", data, err)
	}
	t.texts[string(key)] = text
	return text, nil
}

// tokenized is data in tokens, from the state folder, where it is put the first time.
func tokenized(ctx context.Context, data slm.Data, tokenizer *datasets.Tokenizer, report resident.Report) (*datasets.Tokens, error) {
	source, err := datasets.Open(ctx, data, datasets.Options{Hub: hub.Settings{Progress: fetching(report)}, Ahead: true})
	if err != nil {
		return nil, err
	}
	whole := source.Data() // with the commit that a branch stands for
	whole.Tokens = data.Tokens
	dir, err := madeOf("tokens", struct {
		Data      slm.Data
		Tokenizer string
	}{whole, tokenizer.Hash()})
	if err != nil {
		return nil, err
	}
	return datasets.Tokenize(ctx, source, tokenizer, dir, datasets.TokenizeOptions{Limit: data.Tokens, Progress: func(p datasets.TokenizeProgress) {
		message := fmt.Sprintf("tokenizing %s, %.0f tokens/s", data, p.Rate())
		if left, ok := p.Left(); ok {
			message += fmt.Sprintf(", %s left", left.Round(time.Second))
		}
		report(message, p.Tokens, data.Tokens)
	}})
}

// madeOf is a place in a folder of the state folder, named after what is made there: the same value gives the same place.
func madeOf(folder string, value any) (string, error) {
	home, err := kernelext.Home()
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return filepath.Join(home, folder, hex.EncodeToString(sum[:8])), nil
}
