package datasets

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
)

// TrainingText is what a model trains on and is held against: a [Corpus], which is tokenized when it is read, or [Tokens].
type TrainingText interface {
	Name() string
	Hash() string // the same hash means the same tokens
	// Stream opens the training half at its beginning, as Train does.
	Stream(seed uint64, batch, seqLen int) Stream
	// Validation is a fixed sample of the other half, as windows of seqLen+1 ids, row-major.
	Validation(tokens, seqLen int) ([]int32, error)
}

// Stream gives the batches of a training text. Its position is JSON that cites the text, so that it cannot be taken for one
// in another text.
type Stream interface {
	// Next is the next batch: batch*(seqLen+1) ids, row-major.
	Next(ctx context.Context) ([]int32, error)
	// Position is where the next batch begins.
	Position() ([]byte, error)
	// Seek goes to a position that Position gave; one in another text is an error.
	Seek(position []byte) error
	// Separator is the token that ends each document, and no document holds.
	Separator() int32
}

// Stream is Train with positions that cite the corpus.
func (c *Corpus) Stream(seed uint64, batch, seqLen int) Stream {
	return cited[Position]{c.Train(seed, batch, seqLen), c, c.tokenizer.Separator(), true}
}

// Stream is Train with positions that cite the tokens.
func (t *Tokens) Stream(seed uint64, batch, seqLen int) Stream {
	return cited[WindowPosition]{t.Train(seed, batch, seqLen), t, t.separator, false}
}

// batches is Batches, whose position is a Position, or Windows, whose position is a WindowPosition.
type batches[P any] interface {
	Next(ctx context.Context) ([]int32, error)
	Position() P
	Seek(P) error
}

// cited is a stream whose positions are those of its batches with two fields more: "corpus", the hash of their text, and "text",
// its name.
type cited[P any] struct {
	batches[P]
	text      TrainingText
	separator int32
	old       bool // positions of older checkpoints, which cite no text, are taken
}

func (s cited[P]) Separator() int32 { return s.separator }

func (s cited[P]) Position() ([]byte, error) {
	text, err := json.Marshal(s.batches.Position())
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, err
	}
	fields["corpus"], _ = json.Marshal(s.text.Hash())
	fields["text"], _ = json.Marshal(s.text.Name())
	return json.Marshal(fields)
}

func (s cited[P]) Seek(position []byte) error {
	var at struct{ Corpus, Text string } // older positions have no text
	var p P
	if err := json.Unmarshal(position, &at); err != nil {
		return fmt.Errorf("position in the training text: %w", err)
	}
	if at.Corpus != s.text.Hash() && !(s.old && at.Corpus == "") {
		return fmt.Errorf("the training text is not that of before: it is %s with the hash %.12s, the position is in %s with %.12s; put that text back, which for goroot is a version of Go that GOROOT names, or begin anew",
			s.text.Name(), s.text.Hash(), cmp.Or(at.Text, "one"), at.Corpus)
	}
	if err := json.Unmarshal(position, &p); err != nil {
		return fmt.Errorf("position in the training text: %w", err)
	}
	return s.batches.Seek(p)
}
