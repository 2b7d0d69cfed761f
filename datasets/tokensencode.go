package datasets

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// encodedDocument is a document in tokens, and what is kept of its text.
type encodedDocument struct {
	id     string
	bytes  int64
	sum    [sha256.Size]byte // of the text
	tokens []int32           // the separator included; nil when they were not asked for, or the text is empty
	err    error             // of the tokenizer
}

// chunkBytes is the text that a core takes at a time: enough that handing it over costs nothing.
const (
	chunkBytes  = 64 << 10
	mostInChunk = 1024 // documents
)

// encodeAll gives the source's documents, from the first on and in order, to add; with tokens those that are wanted, by their
// number from 0 and their ID. It encodes on all cores, a few chunks ahead of add, and ends with the first error of add or of the
// tokenizer, or with the source's when all documents before it were added.
func encodeAll(ctx context.Context, source Source, tokenizer *Tokenizer, wanted func(n int64, id string) bool, add func(encodedDocument) error) error {
	cores := runtime.GOMAXPROCS(0)
	group, ctx := errgroup.WithContext(ctx)
	chunks := make(chan chan []encodedDocument, 2*cores) // in order, each filled when it is encoded
	var broken error                                     // the source's
	group.Go(func() error {
		defer close(chunks)
		var encoders errgroup.Group
		encoders.SetLimit(cores)
		defer encoders.Wait()
		broken = eachChunk(ctx, source, func(first int64, chunk []Document) error {
			encoded := make(chan []encodedDocument, 1)
			select {
			case chunks <- encoded:
			case <-ctx.Done():
				return ctx.Err()
			}
			encoders.Go(func() error {
				encoded <- encodeChunk(ctx, tokenizer, chunk, first, wanted)
				return nil
			})
			return nil
		})
		return nil
	})
	group.Go(func() error {
		for encoded := range chunks {
			documents := <-encoded
			if err := ctx.Err(); err != nil { // the chunk may be incomplete
				return err
			}
			for _, d := range documents {
				if d.err != nil {
					return fmt.Errorf("document %s: %w", d.id, d.err)
				}
				if err := add(d); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return cmp.Or(group.Wait(), broken)
}

// eachChunk puts the source's documents into chunks; first is the number of a chunk's first document, from 0. Documents
// before an error of the source are in chunks.
func eachChunk(ctx context.Context, source Source, do func(first int64, chunk []Document) error) error {
	var chunk []Document
	first, bytes := int64(0), 0
	flush := func() error {
		err := do(first, chunk)
		first, chunk, bytes = first+int64(len(chunk)), nil, 0
		return err
	}
	for d, err := range source.Documents(ctx) {
		if err != nil {
			return cmp.Or(flush(), err)
		}
		chunk, bytes = append(chunk, d), bytes+len(d.Text)
		if bytes < chunkBytes && len(chunk) < mostInChunk {
			continue
		}
		if err := flush(); err != nil {
			return err
		}
	}
	return cmp.Or(flush(), ctx.Err()) // a source may end quietly when the context does
}

// encodeChunk leaves the rest of a chunk out when the context is done: nobody waits for it.
func encodeChunk(ctx context.Context, tokenizer *Tokenizer, chunk []Document, first int64, wanted func(n int64, id string) bool) []encodedDocument {
	out := make([]encodedDocument, 0, len(chunk))
	for i, d := range chunk {
		if ctx.Err() != nil {
			return out
		}
		e := encodedDocument{id: d.ID, bytes: int64(len(d.Text)), sum: sha256.Sum256([]byte(d.Text))}
		if wanted(first+int64(i), d.ID) {
			e.tokens, e.err = tokenizer.encodeDocument(d.Text)
		}
		out = append(out, e)
	}
	return out
}
