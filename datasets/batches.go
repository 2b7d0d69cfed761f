package datasets

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
)

// Position is where a training stream goes on. It means something only to a stream of the same corpus and seed whose
// batches have the same size; it marshals to JSON.
type Position struct {
	Rows []Place `json:"rows"` // of each row of a batch
}

// Place is the next token of a row.
type Place struct {
	Epoch   int `json:"epoch"`   // how often the whole training half has been read
	Passage int `json:"passage"` // place in the epoch's order, from 0
	Token   int `json:"token"`   // offset in the passage's tokens
}

// Batches is a training stream: the training half in passages, parts of a document that hold two windows or more; each
// epoch in an order of its own drawn from the seed; each passage followed by the separator token.
//
// The rows of a batch are apart in the text, so that a step learns from as many documents as it has rows: row r of B reads
// every B-th passage from the r-th on, cut into windows. A window has seqLen+1 tokens: its first seqLen are inputs, its last
// seqLen their targets. The last token of a window is the first of the row's next, so every token of the stream is predicted
// exactly once (but for each row's very first) and none twice. A window may span passages.
//
// A Batches is for one goroutine at a time.
type Batches struct {
	corpus   *Corpus
	passages passages
	seed     uint64
	seqLen   int
	rows     []row
}

// row reads the passages of one row.
type row struct {
	at     Place
	order  []int   // of the passages in the epoch orderOf
	tokens []int32 // of the passage tokensOf
	// What order and tokens belong to; -1 in the epoch when to nothing.
	orderOf  int
	tokensOf Place
}

// Train opens a training stream at its beginning; each batch has batch windows of seqLen+1 tokens. The stream depends on
// the corpus and all three. It panics if batch or seqLen is not positive.
func (c *Corpus) Train(seed uint64, batch, seqLen int) *Batches {
	if batch < 1 || seqLen < 1 {
		panic(fmt.Sprintf("datasets.Corpus.Train: batch %d and seqLen %d must be positive", batch, seqLen))
	}
	b := &Batches{corpus: c, passages: cutIntoPassages(c.training, passageBytes(seqLen)), seed: seed, seqLen: seqLen, rows: make([]row, batch)}
	for r := range b.rows {
		b.rows[r] = row{at: b.later(Place{}, r), orderOf: -1, tokensOf: Place{Epoch: -1}}
	}
	return b
}

// Next is the next batch: batch*(seqLen+1) ids, row-major. After an error the position is where it was, so the same batch
// can be asked for again. The stream has no end: after the last passage the next epoch begins.
func (b *Batches) Next(ctx context.Context) ([]int32, error) {
	out, next := make([]int32, 0, len(b.rows)*(b.seqLen+1)), make([]Place, len(b.rows))
	for r := range b.rows {
		var err error
		if out, next[r], err = b.window(ctx, &b.rows[r], out); err != nil {
			return nil, err
		}
	}
	for r := range b.rows {
		b.rows[r].at = next[r]
	}
	return out, nil
}

// window appends a row's next window to out, and says where the one after it begins.
func (b *Batches) window(ctx context.Context, r *row, out []int32) (_ []int32, next Place, err error) {
	at, missing := r.at, b.seqLen+1
	for missing > 0 {
		tokens, err := b.passage(ctx, r, at)
		if err != nil {
			return nil, next, err
		}
		n := min(len(tokens)-at.Token, missing)
		if n == missing { // the last token of the window is the first of the next one
			next = at
			next.Token += n - 1
		}
		out, missing = append(out, tokens[at.Token:at.Token+n]...), missing-n
		at = b.later(at, len(b.rows))
	}
	return out, next, nil
}

// later is the beginning of the n-th passage after p's.
func (b *Batches) later(p Place, n int) Place {
	count := b.passages.count()
	return Place{p.Epoch + (p.Passage+n)/count, (p.Passage + n) % count, 0}
}

// passage is the tokens of the passage at p, kept until the row asks for another.
func (b *Batches) passage(ctx context.Context, r *row, p Place) ([]int32, error) {
	p.Token = 0
	if r.tokensOf == p {
		return r.tokens, nil
	}
	if r.orderOf != p.Epoch {
		r.order, r.orderOf = rand.New(rand.NewPCG(b.seed, uint64(p.Epoch))).Perm(b.passages.count()), p.Epoch
	}
	document, part := b.passages.of(r.order[p.Passage])
	d := b.corpus.training[document]
	text, err := b.corpus.read(ctx, d)
	if err != nil {
		return nil, err
	}
	tokens, err := b.corpus.encode(d, b.passages.text(text, part))
	if err != nil {
		return nil, err
	}
	r.tokens, r.tokensOf = tokens, p
	return tokens, nil
}

// Position is where the next batch begins: saved with a run's other state, it lets Seek continue to the token.
func (b *Batches) Position() Position {
	p := Position{Rows: make([]Place, len(b.rows))}
	for r := range b.rows {
		p.Rows[r] = b.rows[r].at
	}
	return p
}

// Seek moves the stream to a position that Position gave. A position that this stream cannot have is an error, and the
// stream stays where it was.
func (b *Batches) Seek(p Position) error {
	if len(p.Rows) == 0 {
		return errors.New("the position in the training text is of an older version of this program, whose batches had other rows: start the run anew")
	}
	if len(p.Rows) != len(b.rows) {
		return fmt.Errorf("the position in the training text is of batches of %d rows, these have %d", len(p.Rows), len(b.rows))
	}
	for r := range p.Rows {
		if err := b.check(&b.rows[r], p.Rows[r]); err != nil {
			return err
		}
	}
	for r := range p.Rows {
		b.rows[r].at = p.Rows[r]
	}
	return nil
}

// check reports a place that a row cannot have.
func (b *Batches) check(r *row, p Place) error {
	if p.Epoch < 0 || p.Passage < 0 || p.Passage >= b.passages.count() || p.Token < 0 {
		return fmt.Errorf("corpus %s has no position %+v: its training half has %d passages", b.corpus.name, p, b.passages.count())
	}
	if p.Token == 0 {
		return nil
	}
	tokens, err := b.passage(context.Background(), r, p)
	if err == nil && p.Token >= len(tokens) {
		err = fmt.Errorf("corpus %s has no position %+v: the passage has %d tokens", b.corpus.name, p, len(tokens))
	}
	return err
}
