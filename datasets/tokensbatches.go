package datasets

import (
	"context"
	"fmt"
)

// WindowPosition is where a stream of windows goes on. It means something only to a stream of the same tokens, seed and
// seqLen; it marshals to JSON.
type WindowPosition struct {
	Epoch int64 `json:"epoch"` // how often the whole training half has been read
	Index int64 `json:"index"` // of the next window in the epoch's order, from 0
}

// Windows is a training stream: the training half cut into windows of seqLen+1 tokens, each epoch in an order of its own
// drawn from the seed. The first seqLen tokens of a window are inputs, its last seqLen their targets. The last token of a
// window is the first of the next one in the text, so each token is predicted once in an epoch (but for the very first, and
// fewer than seqLen at the end). Windows span documents, each of which ends with the separator.
//
// A Windows is for one goroutine at a time.
type Windows struct {
	half    *tokensHalf
	seed    uint64
	batch   int
	seqLen  int
	at      WindowPosition
	order   permutation // of the epoch orderOf
	orderOf int64
}

// Train opens a training stream at its beginning; each batch has batch windows of seqLen+1 tokens. The order depends on the
// tokens, the seed and seqLen, but not on batch. It panics if batch or seqLen is not positive.
func (t *Tokens) Train(seed uint64, batch, seqLen int) *Windows {
	if batch < 1 || seqLen < 1 {
		panic(fmt.Sprintf("datasets.Tokens.Train: batch %d and seqLen %d must be positive", batch, seqLen))
	}
	return &Windows{half: t.training, seed: seed, batch: batch, seqLen: seqLen, orderOf: -1}
}

// Next is the next batch: batch*(seqLen+1) ids, row-major. After an error the position is where it was, so the same batch
// can be asked for again. The stream has no end: after the last window the next epoch begins.
func (w *Windows) Next(ctx context.Context) ([]int32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	count := w.half.windows(w.seqLen)
	if count == 0 {
		return nil, fmt.Errorf("tokens: the training half has %d tokens, too few for a window of %d: tokenize more text", w.half.count(), w.seqLen+1)
	}
	width, at := w.seqLen+1, w.at
	ids := make([]int32, w.batch*width)
	for row := range w.batch {
		first := w.window(at, count) * int64(w.seqLen)
		if err := w.half.read(first, ids[row*width:(row+1)*width]); err != nil {
			return nil, fmt.Errorf("tokens: %w", err)
		}
		if at.Index++; at.Index == count {
			at = WindowPosition{Epoch: at.Epoch + 1}
		}
	}
	w.at = at
	return ids, nil
}

// window is the window at a place of an epoch's order.
func (w *Windows) window(at WindowPosition, count int64) int64 {
	if w.orderOf != at.Epoch {
		w.order, w.orderOf = newPermutation(uint64(count), w.seed, uint64(at.Epoch)), at.Epoch
	}
	return int64(w.order.at(uint64(at.Index)))
}

// Position is where the next batch begins: saved with a run's other state, it lets Seek continue to the token.
func (w *Windows) Position() WindowPosition { return w.at }

// Seek moves the stream to a position that Position gave. A position that this stream cannot have is an error, and the
// stream stays where it was.
func (w *Windows) Seek(p WindowPosition) error {
	if count := w.half.windows(w.seqLen); p.Epoch < 0 || p.Index < 0 || p.Index > 0 && p.Index >= count {
		return fmt.Errorf("tokens: there is no position %+v: an epoch has %d windows of %d tokens", p, count, w.seqLen+1)
	}
	w.at = p
	return nil
}
