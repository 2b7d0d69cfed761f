package datasets

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
)

// Position is the next token of a training stream. It means something only to a stream of the same corpus and seed; it
// marshals to JSON.
type Position struct {
	Epoch    int `json:"epoch"`    // how often the whole training half has been read
	Document int `json:"document"` // place in the epoch's order, from 0
	Token    int `json:"token"`    // offset in the document's tokens
}

// Batches is a training stream: the documents of the training half, each epoch in an order of its own drawn from the
// seed, each followed by the separator token, cut into windows.
//
// A window has seqLen+1 tokens: its first seqLen are inputs, its last seqLen their targets. The last token of a window
// is the first of the next, so every token of the stream is predicted exactly once (but for the very first) and none
// twice. A window may span documents.
//
// A Batches is for one goroutine at a time.
type Batches struct {
	corpus        *Corpus
	seed          uint64
	batch, seqLen int

	at     Position
	order  []int   // of the epoch orderOf
	tokens []int32 // of the document tokensOf
	// What order and tokens belong to; -1 in Epoch when to nothing.
	orderOf  int
	tokensOf Position
}

// Train opens a training stream at its beginning; each batch has batch windows of seqLen+1 tokens. The stream depends on
// the corpus and the seed alone: other sizes cut the same tokens differently. It panics if batch or seqLen is not
// positive.
func (c *Corpus) Train(seed uint64, batch, seqLen int) *Batches {
	if batch < 1 || seqLen < 1 {
		panic(fmt.Sprintf("datasets.Corpus.Train: batch %d and seqLen %d must be positive", batch, seqLen))
	}
	return &Batches{corpus: c, seed: seed, batch: batch, seqLen: seqLen, orderOf: -1, tokensOf: Position{Epoch: -1}}
}

// Next is the next batch: batch*(seqLen+1) ids, row-major. After an error the position is where it was, so the same batch
// can be asked for again. The stream has no end: after the last document the next epoch begins.
func (b *Batches) Next(ctx context.Context) ([]int32, error) {
	step := b.batch * b.seqLen
	flat := make([]int32, 0, step+1)
	at := b.at
	var next Position
	for len(flat) <= step {
		tokens, err := b.document(ctx, at)
		if err != nil {
			return nil, err
		}
		n := min(len(tokens)-at.Token, step+1-len(flat))
		if len(flat)+n > step { // the last token of the batch is the first of the next one
			next = at
			next.Token += step - len(flat)
		}
		flat = append(flat, tokens[at.Token:at.Token+n]...)
		if at.Token += n; at.Token == len(tokens) {
			at = b.after(at)
		}
	}
	b.at = next
	out := make([]int32, 0, b.batch*(b.seqLen+1))
	for w := range b.batch {
		out = append(out, flat[w*b.seqLen:(w+1)*b.seqLen+1]...)
	}
	return out, nil
}

// after is the beginning of the document after p's.
func (b *Batches) after(p Position) Position {
	if p.Document+1 < len(b.corpus.training) {
		return Position{p.Epoch, p.Document + 1, 0}
	}
	return Position{p.Epoch + 1, 0, 0}
}

// document is the tokens of the document at p, kept until another is asked for.
func (b *Batches) document(ctx context.Context, p Position) ([]int32, error) {
	p.Token = 0
	if b.tokensOf == p {
		return b.tokens, nil
	}
	if b.orderOf != p.Epoch {
		b.order, b.orderOf = rand.New(rand.NewPCG(b.seed, uint64(p.Epoch))).Perm(len(b.corpus.training)), p.Epoch
	}
	tokens, err := b.corpus.tokens(ctx, b.corpus.training[b.order[p.Document]])
	if err != nil {
		return nil, err
	}
	b.tokens, b.tokensOf = tokens, p
	return tokens, nil
}

// Position is where the next batch begins: saved with a run's other state, it lets Seek continue to the token.
func (b *Batches) Position() Position { return b.at }

// Seek moves the stream to a position that Position gave. A position that is not in this corpus is an error, and the
// stream stays where it was.
func (b *Batches) Seek(p Position) error {
	if p.Epoch < 0 || p.Document < 0 || p.Document >= len(b.corpus.training) || p.Token < 0 {
		return fmt.Errorf("corpus %s has no position %+v: it has %d documents to train on", b.corpus.name, p, len(b.corpus.training))
	}
	if p.Token > 0 {
		tokens, err := b.document(context.Background(), p)
		if err != nil {
			return err
		}
		if p.Token >= len(tokens) {
			return errors.New("corpus " + b.corpus.name + fmt.Sprintf(" has no position %+v: the document has %d tokens", p, len(tokens)))
		}
	}
	b.at = p
	return nil
}
