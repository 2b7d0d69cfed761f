package distill

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/gomlx/gomlx/core/tensors"
	"golang.org/x/sync/errgroup"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// TeachFrom makes the trainer take the teacher's part of its loss from a file, and write there what it lacks. The file is of the
// trainer's batches, in their order; the trainer does not close it.
func (t *Trainer) TeachFrom(l *Logits) error {
	d := t.Distillation
	if l.of.DocumentMask != d.DocumentMask {
		return fmt.Errorf("logits %s are with document_mask %t, the run has %t", l.path, l.of.DocumentMask, d.DocumentMask)
	}
	if l.of.Batch != d.Batch || l.of.SeqLen != d.SeqLen || l.of.Vocab != t.Student.Teacher.Vocab || l.of.Seed != d.ShuffleSeed {
		return fmt.Errorf("logits %s are of batches of %d sequences of %d tokens, vocabulary %d and seed %d; the run has %d, %d, %d and %d", l.path,
			l.of.Batch, l.of.SeqLen, l.of.Vocab, l.of.Seed, d.Batch, d.SeqLen, t.Student.Teacher.Vocab, d.ShuffleSeed)
	}
	if err := l.serves(d.Loss); err != nil {
		return err
	}
	t.logits = l
	return nil
}

// serves reports a loss that the file's logits are not enough for.
func (l *Logits) serves(loss slm.Loss) error {
	k, temperature, err := loss.Kept()
	if err == nil && k > 0 && (k != l.of.TopK || temperature != l.of.Temperature) {
		err = fmt.Errorf("loss %s: the logits that are kept are the likeliest %d at temperature %g", loss, l.of.TopK, l.of.Temperature)
	}
	return err
}

// teach is the teacher's part of the loss of a batch: nothing, its logits [B·T, V] and hidden states [B, T, E], where they are
// compared, or its likeliest tokens and their log-probabilities, [B·T, K] each.
func (t *Trainer) teach(ctx context.Context, batch int, windows []int32, inputs *tensors.Tensor) ([]input, error) {
	if !t.now.Loss.NeedsTeacher() {
		return nil, nil
	}
	if t.logits == nil {
		return t.ask(ctx, inputs, model.Reading{Logits: t.now.Loss.NeedsLogits(), States: compared(t.Student.Teacher.Layers, t.now.Loss.Pairs()),
			Type: t.now.Type})
	}
	tokens, logs, ok, err := t.logits.Get(batch, windows)
	if err != nil && !errors.Is(err, ErrDamaged) {
		return nil, err
	}
	if !ok {
		if tokens, logs, err = t.likeliest(ctx, inputs); err != nil {
			return nil, fmt.Errorf("logits %s lack batch %d: %w", t.logits.path, batch, err)
		}
		if err := t.logits.Put(batch, windows, tokens, logs); err != nil {
			return nil, err
		}
		if tokens, logs, _, err = t.logits.Get(batch, windows); err != nil { // as the next student gets them
			return nil, err
		}
	}
	shape := []int{t.logits.of.positions(), t.logits.of.TopK}
	return []input{tensors.FromFlatDataAndDimensions(tokens, shape...), tensors.FromFlatDataAndDimensions(logs, shape...)}, nil
}

// ask asks the teacher for a batch: its logits, where they are wanted, and then its hidden states.
func (t *Trainer) ask(ctx context.Context, inputs *tensors.Tensor, r model.Reading) ([]input, error) {
	r.Separator = t.Student.Separator
	teacher, err := t.load(ctx)
	if err != nil {
		return nil, err
	}
	return t.devices.ask(ctx, teacher, inputs, func(ctx context.Context, teacher *model.Teacher, tokens *tensors.Tensor) ([]*tensors.Tensor, error) {
		logits, states, err := teacher.Read(ctx, tokens, r)
		if logits != nil {
			states = append([]*tensors.Tensor{logits}, states...)
		}
		return states, err
	})
}

// likeliest asks the teacher for a batch, on all cores: its likeliest tokens and their log-probabilities, [B·T, K] each. They are
// computed in float32, since the file serves runs of either type.
func (t *Trainer) likeliest(ctx context.Context, inputs *tensors.Tensor) (tokens []int32, logs []float32, err error) {
	out, err := t.ask(ctx, inputs, model.Reading{Logits: true})
	if err != nil {
		return nil, nil, err
	}
	defer out[0].FinalizeAll()
	logits, err := download(out[0])
	if err != nil {
		return nil, nil, err
	}
	of := t.logits.of
	tokens, logs = make([]int32, of.positions()*of.TopK), make([]float32, of.positions()*of.TopK)
	var work errgroup.Group
	work.SetLimit(runtime.NumCPU())
	for i := range of.positions() {
		work.Go(func() error {
			likeliest(logits[i*of.Vocab:(i+1)*of.Vocab], of.Temperature, tokens[i*of.TopK:(i+1)*of.TopK], logs[i*of.TopK:(i+1)*of.TopK])
			return nil
		})
	}
	return tokens, logs, work.Wait()
}
