package datasets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sort"

	"github.com/offshoot-ml/offshoot/slm"
	"golang.org/x/exp/mmap"
	"golang.org/x/sync/errgroup"
)

// Tokens are the tokens of a source in a folder, as [Tokenize] writes them: two halves, for training and for validation,
// in shards that are mapped into memory. Several goroutines may use it, until Close.
type Tokens struct {
	dir        string
	record     *tokensRecord
	separator  int32 // ends each document
	training   *tokensHalf
	validation *tokensHalf
}

// OpenTokens opens a folder that Tokenize completed, for the tokenizer of the model that will read them. It checks the
// header and the size of each shard; [Tokens.Verify] reads them whole. Errors: a folder without tokens or with unfinished
// ones, tokens of another tokenizer, a shard that is damaged. Close frees the tokens.
func OpenTokens(dir string, tokenizer *Tokenizer) (*Tokens, error) {
	record, err := openRecord(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("tokens: %s holds none: make them with Tokenize: %w", dir, err)
	case err != nil:
		return nil, fmt.Errorf("tokens: %w", err)
	case !record.Complete:
		return nil, fmt.Errorf("tokens: those in %s are unfinished: call Tokenize again, which goes on where it was stopped", dir)
	case record.Tokenizer != tokenizer.Hash() || record.Vocab != tokenizer.Vocab():
		return nil, fmt.Errorf("tokens: those in %s were made with another tokenizer (%.12s, %d tokens): make them again, in another folder, with this model's (%.12s, %d tokens)",
			dir, record.Tokenizer, record.Vocab, tokenizer.Hash(), tokenizer.Vocab())
	}
	t := &Tokens{dir: dir, record: record, separator: tokenizer.Separator()}
	if t.training, err = openHalf(dir, trainingHalf, record.Vocab, record.Training); err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	if t.validation, err = openHalf(dir, validationHalf, record.Vocab, record.Validation); err != nil {
		return nil, errors.Join(fmt.Errorf("tokens: %w", err), t.training.close())
	}
	return t, nil
}

// Name is what the source was called when it was read: its data, with the version of Go where that is a part of it.
func (t *Tokens) Name() string { return t.record.name() }

// Data is where the text comes from.
func (t *Tokens) Data() slm.Data { return t.record.Data }

// Hash identifies the tokens: the SHA-256, in hexadecimal, of the tokenizer and of all shards. The same hash means the
// same tokens.
func (t *Tokens) Hash() string { return t.record.sum() }

// Count is the number of tokens in the two halves.
func (t *Tokens) Count() (training, validation int64) {
	return t.training.count(), t.validation.count()
}

// Documents counts the documents in the two halves.
func (t *Tokens) Documents() (training, validation int64) {
	return t.training.documents(), t.validation.documents()
}

// Skipped counts the documents that were left out.
func (t *Tokens) Skipped() SkippedDocuments { return t.record.Skipped }

// Verify reads all shards, and reports the first that does not have the checksum with which it was written.
func (t *Tokens) Verify(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, half := range []*tokensHalf{t.training, t.validation} {
		for _, f := range half.shards {
			group.Go(func() error {
				if err := ctx.Err(); err != nil {
					return err
				}
				return f.use(func(s *shard) error { return s.verify() })
			})
		}
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("tokens: %w", err)
	}
	return nil
}

// Close unmaps the shards. The tokens and their streams must not be in use, and cannot be used afterwards.
func (t *Tokens) Close() error {
	return errors.Join(t.training.close(), t.validation.close())
}

// tokensHalf is one half as a single row of tokens.
type tokensHalf struct {
	shards []*shardFile
	starts []int64 // of each shard's tokens in the row, and their number at the end
}

func openHalf(dir, name string, vocab int, records []shardRecord) (*tokensHalf, error) {
	h := &tokensHalf{starts: make([]int64, 1, len(records)+1)}
	for i, r := range records {
		f, err := openShardFile(filepath.Join(dir, shardName(name, i)), vocab, r)
		if err != nil {
			return nil, errors.Join(err, h.close())
		}
		h.shards = append(h.shards, f)
		h.starts = append(h.starts, h.starts[i]+int64(r.Tokens))
	}
	return h, nil
}

func (h *tokensHalf) count() int64 { return h.starts[len(h.shards)] }

func (h *tokensHalf) documents() (n int64) {
	for _, f := range h.shards {
		n += int64(f.Documents)
	}
	return n
}

// windows is how many windows of seqLen+1 tokens the half has. The last token of one is the first of the next; fewer than
// seqLen tokens at the end are in none.
func (h *tokensHalf) windows(seqLen int) int64 { return max(h.count()-1, 0) / int64(seqLen) }

// read fills out with the tokens from first on, which the half must have, from one shard or from several.
func (h *tokensHalf) read(first int64, out []int32) error {
	i := sort.Search(len(h.shards), func(i int) bool { return h.starts[i+1] > first })
	for len(out) > 0 {
		n := min(h.starts[i+1]-first, int64(len(out)))
		at, piece := uint64(first-h.starts[i]), out[:n]
		if err := h.shards[i].use(func(s *shard) error { return s.read(at, piece) }); err != nil {
			return err
		}
		first, out, i = first+n, out[n:], i+1
	}
	return nil
}

func (h *tokensHalf) close() (err error) {
	for _, f := range h.shards {
		err = errors.Join(err, f.mapped.Close())
	}
	return err
}

// shardFile is a shard that is mapped into memory: the system reads a page when it is first used.
type shardFile struct {
	*shard
	path   string
	mapped *mmap.ReaderAt
}

// openShardFile maps a shard and checks that it is the one that the record lists.
func openShardFile(path string, vocab int, record shardRecord) (*shardFile, error) {
	mapped, err := mmap.Open(path)
	if err != nil {
		return nil, err
	}
	s, err := readShard(mapped, int64(mapped.Len()))
	if err == nil {
		err = record.check(s.shardHeader, vocab)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), mapped.Close())
	}
	return &shardFile{s, path, mapped}, nil
}

// use reads from a shard. A file that was cut short since it was mapped, or whose disk fails, is an error: reading it would
// otherwise end the process.
func (f *shardFile) use(do func(*shard) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch problem := recover().(type) {
		case nil:
		case interface{ Addr() uintptr }: // a fault of memory
			err = fmt.Errorf("%s was cut short since it was opened, or its disk fails: %w", f.path, errDamagedShard)
		default:
			panic(problem)
		}
	}()
	if err := do(f.shard); err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	return nil
}
