package datasets

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Sample is text on which models are measured: whole documents, of any source, in a model's tokens.
type Sample struct {
	IDs       []int32 // a separator, then the documents, each followed by a separator
	Documents int     // how many those are
	Bytes     int64   // of their text in UTF-8
}

// SampleOptions says which documents are in a sample. The zero value takes all that are held out.
type SampleOptions struct {
	Whole    bool               // take all documents, not only the one in 50 that [Tokenize] and [Corpus] hold out
	Tokens   int                // the document that reaches them is the last; 0 is none
	Limit    int64              // tokens of the source, as in [TokenizeOptions]: a sample of what a run's data is limited to
	Progress func(tokens int64) // told now and then how many were read, when not nil
}

// spreadBytes is how much text is read for each wanted token, about 16 times what it takes, so that a sample comes from many
// places. It is in bytes, so that every tokenizer reads the same text.
const spreadBytes = 64

// ReadSample reads a sample of a source. Of the first 64 bytes of text for each token that is wanted, about 16 times as much as
// it needs, it takes documents in the order of a hash of their IDs: the same ones for every tokenizer, as far as its tokens
// reach. Which documents are held out is the rule of [Tokenize], so that no run on the same data trains on them; of documents
// with the same text only the first counts. The memory that it takes is that of the tokens it reads.
//
// Errors: a source without documents, or without any that are held out.
func ReadSample(ctx context.Context, source Source, tokenizer *Tokenizer, o SampleOptions) (Sample, error) {
	if err := tokenizer.separates(); err != nil {
		return Sample{}, err
	}
	s := sampler{SampleOptions: o, seen: map[uint64]struct{}{}}
	wanted := func(_ int64, id string) bool { return o.Limit > 0 || s.takes(id) } // a limit counts the tokens of all
	if err := encodeAll(ctx, source, tokenizer, wanted, s.add); err != nil && !errors.Is(err, errLimit) {
		return Sample{}, fmt.Errorf("sample of %s: %w", source.Data(), err)
	}
	if len(s.documents) == 0 {
		return Sample{}, fmt.Errorf("sample of %s: none of its %d documents is held out, which one in %d is by a hash of its name; take the whole text instead",
			source.Data(), len(s.seen), validationShare)
	}
	return s.sample(tokenizer.Separator()), nil
}

// sampler collects the documents of a sample.
type sampler struct {
	SampleOptions
	documents     []encodedDocument // of which the sample is chosen
	tokens, bytes int64             // of them
	read          int64             // tokens of the source, when it is limited
	seen          map[uint64]struct{}
}

func (s *sampler) takes(id string) bool { return s.Whole || heldOut(id, validationShare) }

// add takes the next document of the source.
func (s *sampler) add(d encodedDocument) error {
	key := binary.LittleEndian.Uint64(d.sum[:])
	if _, duplicate := s.seen[key]; duplicate || d.bytes == 0 {
		return nil
	}
	s.seen[key] = struct{}{}
	s.read += int64(len(d.tokens))
	if s.takes(d.id) {
		s.documents = append(s.documents, d)
		s.tokens, s.bytes = s.tokens+int64(len(d.tokens)), s.bytes+d.bytes
		if s.Progress != nil {
			s.Progress(s.tokens)
		}
	}
	if s.Limit > 0 && s.read >= s.Limit || s.Tokens > 0 && s.bytes >= spreadBytes*int64(s.Tokens) {
		return errLimit
	}
	return nil
}

// sample chooses among the documents.
func (s *sampler) sample(separator int32) Sample {
	slices.SortStableFunc(s.documents, func(a, b encodedDocument) int {
		return cmp.Compare(pathHash("order", a.id), pathHash("order", b.id))
	})
	out := Sample{IDs: []int32{separator}}
	for _, d := range s.documents {
		out.IDs, out.Documents, out.Bytes = append(out.IDs, d.tokens...), out.Documents+1, out.Bytes+d.bytes
		if s.Tokens > 0 && len(out.IDs) > s.Tokens {
			break
		}
	}
	return out
}

// Tokens is how many tokens can be predicted: all but the first separator.
func (s Sample) Tokens() int { return len(s.IDs) - 1 }

// Windows cuts the sample into windows of seqLen+1 ids, row-major, that predict at least so many tokens, or with 0 all; fewer
// than seqLen at the end are in none. The last token of a window is the first of the next one, so that each token is predicted
// once.
//
// These are the windows of lm-eval's rolling log-likelihood with a context of one token and a separator for prefix
// (get_rolling_token_windows), where documents follow each other.
func (s Sample) Windows(tokens, seqLen int) ([]int32, error) {
	count := s.Tokens() / seqLen
	if count == 0 {
		return nil, fmt.Errorf("its %d tokens are too few for a window that predicts %d", s.Tokens(), seqLen)
	}
	if tokens > 0 {
		count = min(count, (tokens+seqLen-1)/seqLen)
	}
	windows := make([]int32, 0, count*(seqLen+1))
	for i := range count {
		windows = append(windows, s.IDs[i*seqLen:(i+1)*seqLen+1]...)
	}
	return windows, nil
}
