package datasets

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/offshoot-ml/offshoot/slm/atomicfile"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// TokenizeOptions says how much of a source becomes tokens. The zero value takes all of it.
type TokenizeOptions struct {
	Limit    int64                  // tokens: the document that reaches it is the last; 0 is none
	HeldOut  int                    // one document in so many is for validation; 0 is 50
	Progress func(TokenizeProgress) // told now and then, when not nil; calls do not overlap

	shardBytes int64 // 0 is 64 MiB
}

const shardBytes = 64 << 20

// Tokenize writes the tokens of a source's documents into a folder, each document followed by the tokenizer's separator,
// and opens them. It works on all cores and keeps the order of the documents; beside the two shards that are being filled
// it holds a few documents, or some hundred KiB of short ones, for each core, and a 64-bit hash of each document. Only one
// call at a time may write to a folder.
//
// A document's half is chosen by its ID alone, so that it is always on the same side. Of documents with the same text, as
// the hash tells, the first stays, so that no text is in both halves. Empty documents are left out.
//
// Shards appear whole or not at all. When Tokenize ends early, by its context, a full disk or a kill, calling it again with
// the same arguments goes on after the last whole shards, and the files become the same to the bit; documents that were
// read before are read again but not tokenized. A folder that is complete is opened as it is. Errors: a folder with tokens
// of another request, documents that are not those of before, a source that is too small for two halves.
func Tokenize(ctx context.Context, source Source, tokenizer *Tokenizer, dir string, options TokenizeOptions) (*Tokens, error) {
	b, err := newTokensBuilder(source, tokenizer, dir, options)
	if err != nil {
		return nil, fmt.Errorf("tokenize %s into %s: %w", source.Data(), dir, err)
	}
	if !b.record.Complete {
		if err := b.build(ctx, source, tokenizer); err != nil {
			return nil, fmt.Errorf("tokenize %s into %s: %w", source.Data(), dir, err)
		}
	}
	return OpenTokens(dir, tokenizer)
}

// tokensBuilder puts documents, one after the other, into the shards of their halves.
type tokensBuilder struct {
	dir     string
	source  string        // its name
	record  *tokensRecord // of the shards that are whole
	resumed int64         // documents that the shards of an earlier call cover
	had     string        // their digest

	training, validation openShard
	read                 int64               // documents of the source so far
	digest               [sha256.Size]byte   // of them
	seen                 map[uint64]struct{} // hashes of their texts
	skipped              SkippedDocuments
	meter                tokenizeMeter
}

func newTokensBuilder(source Source, tokenizer *Tokenizer, dir string, options TokenizeOptions) (*tokensBuilder, error) {
	if err := tokenizer.separates(); err != nil {
		return nil, err
	}
	if options.Limit < 0 || options.HeldOut < 0 || options.HeldOut == 1 {
		return nil, fmt.Errorf("a limit of %d tokens and one document in %d held out: want a limit that is not negative, and 2 or more (0: the usual)", options.Limit, options.HeldOut)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	name := nameOf(source)
	asked := &tokensRecord{Version: recordVersion, Data: source.Data(), Source: name, Tokenizer: tokenizer.Hash(), Vocab: tokenizer.Vocab(), Limit: options.Limit,
		HeldOut: cmp.Or(options.HeldOut, validationShare), ShardBytes: cmp.Or(options.shardBytes, shardBytes)}
	record, err := openRecord(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		record = asked
	case err != nil:
		return nil, err
	default:
		if err := record.differs(asked); err != nil {
			return nil, err
		}
	}
	b := &tokensBuilder{dir: dir, source: name, record: record, resumed: record.Read, had: record.Digest, seen: map[uint64]struct{}{},
		training: openShard{vocab: tokenizer.Vocab()}, validation: openShard{vocab: tokenizer.Vocab()}, meter: newTokenizeMeter(source, options)}
	b.meter.now.Tokens = int64(record.tokens())
	return b, nil
}

// build reads the source to its end or the limit.
func (b *tokensBuilder) build(ctx context.Context, source Source, tokenizer *Tokenizer) error {
	err := encodeAll(ctx, source, tokenizer, func(n int64, _ string) bool { return n >= b.resumed }, b.add)
	if err != nil && err != errLimit {
		return err
	}
	if b.read < b.resumed {
		return fmt.Errorf("the source has %d documents, it had %d or more before: delete the folder and tokenize again", b.read, b.resumed)
	}
	return b.finish()
}

// errLimit ends the reading of a source whose limit is reached.
var errLimit = errors.New("the limit of tokens is reached")

// add takes the next document of the source.
func (b *tokensBuilder) add(d encodedDocument) error {
	b.read++
	b.digest = sha256.Sum256(append(append(b.digest[:], d.sum[:]...), d.id...))
	key := binary.LittleEndian.Uint64(d.sum[:])
	_, duplicate := b.seen[key]
	b.seen[key] = struct{}{}
	b.meter.read(d.bytes)
	defer b.meter.tick(false)
	switch {
	case d.bytes == 0:
		b.skipped.Empty++
	case duplicate:
		b.skipped.Duplicate++
	case b.read > b.resumed:
		b.half(d.id).add(d.tokens)
		b.meter.made(d.bytes, int64(len(d.tokens)))
		return b.afterDocument()
	}
	if b.read == b.resumed && b.had != hex.EncodeToString(b.digest[:]) {
		return fmt.Errorf("its documents, those of %s, are not those of before, of %s: delete the folder and tokenize again", b.source, b.record.name())
	}
	return nil
}

// half is the shard that is filled of the half that a document belongs to.
func (b *tokensBuilder) half(id string) *openShard {
	if heldOut(id, b.record.HeldOut) {
		return &b.validation
	}
	return &b.training
}

// afterDocument writes the shards when one is full. errLimit says that no more documents are wanted.
func (b *tokensBuilder) afterDocument() error {
	if b.record.Limit > 0 && b.record.tokens()+b.training.length()+b.validation.length() >= uint64(b.record.Limit) {
		return errLimit
	}
	if int64(max(len(b.training.tokens), len(b.validation.tokens))) >= b.record.ShardBytes {
		return b.flush(false)
	}
	return nil
}

// finish writes what is left.
func (b *tokensBuilder) finish() error {
	if len(b.record.Training)+len(b.training.ends) == 0 || len(b.record.Validation)+len(b.validation.ends) == 0 {
		return fmt.Errorf("one half is empty: %d documents are too few to train on and to hold one in %d out; take more text, or hold out a larger share", b.read, b.record.HeldOut)
	}
	b.meter.tick(true)
	return b.flush(true)
}

// flush writes the shards of both halves and then the record, so that a kill in between loses nothing that the record
// lists.
func (b *tokensBuilder) flush(complete bool) error {
	next := *b.record
	var err error
	if next.Training, err = b.writeShard(trainingHalf, next.Training, &b.training); err != nil {
		return err
	}
	if next.Validation, err = b.writeShard(validationHalf, next.Validation, &b.validation); err != nil {
		return err
	}
	if err := b.removeAbandoned(); err != nil { // before the record is complete: nobody looks afterwards
		return err
	}
	next.Complete, next.Read, next.Skipped, next.Digest = complete, b.read, b.skipped, hex.EncodeToString(b.digest[:])
	if err := next.save(b.dir); err != nil {
		return err
	}
	b.record = &next
	return nil
}

// removeAbandoned removes the files that a kill left half-written.
func (b *tokensBuilder) removeAbandoned() error {
	entries, err := os.ReadDir(b.dir)
	for _, e := range entries {
		if atomicfile.IsPartial(e.Name()) {
			err = errors.Join(err, os.Remove(filepath.Join(b.dir, e.Name())))
		}
	}
	return err
}

// writeShard writes a shard that has documents, empties it, and lists it behind the others of its half.
func (b *tokensBuilder) writeShard(half string, listed []shardRecord, s *openShard) ([]shardRecord, error) {
	if len(s.ends) == 0 {
		return listed, nil
	}
	h := s.header()
	path := filepath.Join(b.dir, shardName(half, len(listed)))
	err := checkpoint.WriteAtomic(path, shardHeaderSize+h.body(), func(out io.Writer) error { return s.write(out, h) })
	if err != nil {
		return nil, fmt.Errorf("%w (the shards before it are kept; the same call goes on after them)", err)
	}
	s.tokens, s.ends = s.tokens[:0], s.ends[:0]
	return append(listed[:len(listed):len(listed)], shardRecord{h.Tokens, h.Documents, hex.EncodeToString(h.Sum[:])}), nil
}
