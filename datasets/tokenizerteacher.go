package datasets

import (
	"fmt"

	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// TeacherTokenizer builds the tokenizer that came with a teacher's weights: from its tokenizer.json, or from the vocabulary
// of its GGUF. It is an error if that has more tokens than the embedding has rows; fewer are filled up, as Pythia's are.
// Close frees the tokenizer.
func TeacherTokenizer(t *checkpoint.Teacher) (*Tokenizer, error) {
	tokenizer, err := teacherTokenizer(t)
	if err != nil {
		return nil, fmt.Errorf("teacher %s: %w", t.Config.Name, err)
	}
	if tokenizer.Vocab() > t.Config.Vocab {
		tokenizer.Close()
		return nil, fmt.Errorf("teacher %s: its tokenizer has %d tokens, its embedding only %d rows", t.Config.Name, tokenizer.Vocab(), t.Config.Vocab)
	}
	return tokenizer, nil
}

func teacherTokenizer(t *checkpoint.Teacher) (*Tokenizer, error) {
	switch {
	case len(t.TokenizerJSON) > 0:
		return ReadTokenizer(t.TokenizerJSON, t.EOS)
	case len(t.Vocabulary.Tokens) > 0:
		return NewTokenizer(t.Vocabulary)
	}
	return nil, fmt.Errorf("it comes without a tokenizer; put its tokenizer.json beside its config.json")
}
