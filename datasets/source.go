package datasets

import (
	"context"
	"iter"

	"github.com/offshoot-ml/offshoot/slm"
)

// Document is one whole text: a file, or a row of a table.
type Document struct {
	ID   string // tells it from the others of its source: a path, followed by the line or row where a file holds many
	Text string // UTF-8
}

// Source gives documents: the same ones in the same order each time.
type Source interface {
	// Data says where the documents come from, completely: the same Data opens the same source.
	Data() slm.Data

	// Documents gives the documents in order. An error is the last that it gives, and says in which file it lies.
	Documents(ctx context.Context) iter.Seq2[Document, error]
}

// nameOf names a source for people: by its data, and by what that does not say, as the version of Go.
func nameOf(s Source) string {
	if s, ok := s.(interface{ name() string }); ok {
		return s.name()
	}
	return s.Data().String()
}
