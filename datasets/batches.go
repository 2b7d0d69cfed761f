package datasets

import (
	"context"
	"fmt"
	"math/rand/v2"
)

// Position is the next token of a training stream. It means something only to a stream of the same corpus and seed whose
// windows have the same length; it marshals to JSON.
type Position struct {
	Epoch   int `json:"epoch"`   // how often the whole training half has been read
	Passage int `json:"passage"` // place in the epoch's order, from 0
	Token   int `json:"token"`   // offset in the passage's tokens
}

// Batches is a training stream: the training half in passages, parts of a document that hold two windows or more; each
// epoch in an order of its own drawn from the seed; each passage followed by the separator token; all that cut into
// windows.
//
// A window has seqLen+1 tokens: its first seqLen are inputs, its last seqLen their targets. The last token of a window
// is the first of the next, so every token of the stream is predicted exactly once (but for the very first) and none
// twice. A window may span passages.
//
// A Batches is for one goroutine at a time.
type Batches struct {
	corpus        *Corpus
	passages      passages
	seed          uint64
	batch, seqLen int

	at     Position
	order  []int   // of the passages in the epoch orderOf
	tokens []int32 // of the passage tokensOf
	// What order and tokens belong to; -1 in the epoch when to nothing.
	orderOf  int
	tokensOf Position
}

// Train opens a training stream at its beginning; each batch has batch windows of seqLen+1 tokens. The stream depends on
// the corpus, the seed and seqLen, not on batch. It panics if batch or seqLen is not positive.
func (c *Corpus) Train(seed uint64, batch, seqLen int) *Batches {
	if batch < 1 || seqLen < 1 {
		panic(fmt.Sprintf("datasets.Corpus.Train: batch %d and seqLen %d must be positive", batch, seqLen))
	}
	return &Batches{corpus: c, passages: cutIntoPassages(c.training, passageBytes(seqLen)), seed: seed, batch: batch, seqLen: seqLen,
		orderOf: -1, tokensOf: Position{Epoch: -1}}
}

// Next is the next batch: batch*(seqLen+1) ids, row-major. After an error the position is where it was, so the same batch
// can be asked for again. The stream has no end: after the last passage the next epoch begins.
func (b *Batches) Next(ctx context.Context) ([]int32, error) {
	step := b.batch * b.seqLen
	flat := make([]int32, 0, step+1)
	at := b.at
	var next Position
	for len(flat) <= step {
		tokens, err := b.passage(ctx, at)
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

// after is the beginning of the passage after p's.
func (b *Batches) after(p Position) Position {
	if p.Passage+1 < b.passages.count() {
		return Position{p.Epoch, p.Passage + 1, 0}
	}
	return Position{p.Epoch + 1, 0, 0}
}

// passage is the tokens of the passage at p, kept until another is asked for.
func (b *Batches) passage(ctx context.Context, p Position) ([]int32, error) {
	p.Token = 0
	if b.tokensOf == p {
		return b.tokens, nil
	}
	if b.orderOf != p.Epoch {
		b.order, b.orderOf = rand.New(rand.NewPCG(b.seed, uint64(p.Epoch))).Perm(b.passages.count()), p.Epoch
	}
	document, part := b.passages.of(b.order[p.Passage])
	text, err := b.corpus.read(ctx, b.corpus.training[document])
	if err != nil {
		return nil, err
	}
	b.tokens, b.tokensOf = b.corpus.encode(b.passages.text(text, part)), p
	return b.tokens, nil
}

// Position is where the next batch begins: saved with a run's other state, it lets Seek continue to the token.
func (b *Batches) Position() Position { return b.at }

// Seek moves the stream to a position that Position gave. A position that this stream cannot have is an error, and the
// stream stays where it was.
func (b *Batches) Seek(p Position) error {
	if p.Epoch < 0 || p.Passage < 0 || p.Passage >= b.passages.count() || p.Token < 0 {
		return fmt.Errorf("corpus %s has no position %+v: its training half has %d passages", b.corpus.name, p, b.passages.count())
	}
	if p.Token > 0 {
		tokens, err := b.passage(context.Background(), p)
		if err != nil {
			return err
		}
		if p.Token >= len(tokens) {
			return fmt.Errorf("corpus %s has no position %+v: the passage has %d tokens", b.corpus.name, p, len(tokens))
		}
	}
	b.at = p
	return nil
}
