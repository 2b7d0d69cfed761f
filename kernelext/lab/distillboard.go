package main

import (
	"errors"
	"path/filepath"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/tensorboard"
)

// board writes a run for TensorBoard while it trains; nil where nobody asked for it. A disk that is full ends the writing, not the
// training.
type board struct {
	writer *tensorboard.Writer
	err    error
}

func (d *distillation) openBoard(c slm.Curve) (*board, error) {
	if d.tensorboard == "" {
		return nil, nil
	}
	w, err := tensorboard.Open(filepath.Join(d.tensorboard, d.run), c)
	return &board{writer: w}, err
}

// watch takes a step.
func (b *board) watch(e kernelext.Event) {
	if b != nil && b.err == nil && e.Kind == kernelext.Point {
		b.err = b.writer.Add(*e.Point)
	}
}

// close ends the writing, and returns the first error of it.
func (b *board) close() error {
	if b == nil {
		return nil
	}
	return errors.Join(b.err, b.writer.Close())
}
