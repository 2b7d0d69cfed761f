package main

import (
	"os"
	"path/filepath"

	"github.com/offshoot-ml/offshoot/slm/distill"
)

// keepLogits makes a trainer keep the teacher's logits in the state folder, where every run on the same batches finds them.
func (t *teacher) keepLogits(run *distill.Trainer, corpus string) (*distill.Logits, error) {
	d := run.Distillation
	k, temperature, err := d.Loss.Kept()
	if err != nil {
		return nil, err
	}
	of := distill.LogitsOf{Teacher: t.sha256, Vocab: t.config.Vocab, Corpus: corpus, Seed: d.ShuffleSeed, Batch: d.Batch, SeqLen: d.SeqLen,
		TopK: k, Temperature: temperature, DocumentMask: d.DocumentMask}
	path, err := madeOf("logits", of)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	l, err := distill.OpenLogits(path, of)
	if err != nil {
		return nil, err
	}
	if err := run.TeachFrom(l); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}
