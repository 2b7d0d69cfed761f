package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/gomlx/compute"

	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/distill"
	"github.com/offshoot-ml/offshoot/slm/export"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// measureDistillation takes a step for each line that it reads, always on the same batch, so that another process can take turns
// with it. With kept logits the teacher stays in its files.
func measureDistillation(ctx context.Context, backend compute.Backend, opened *opened, asked *ask.Measure, lines *json.Encoder) error {
	var d slm.Distillation
	if err := json.Unmarshal([]byte(asked.Distil), &d); err != nil {
		return fmt.Errorf("distillation: %w", err)
	}
	windows := ask.WindowTokens(d.Batch, d.SeqLen+1, opened.Config.Vocab)
	var teacher *model.Teacher
	defer func() {
		if teacher != nil {
			teacher.Close()
		}
	}()
	load := func(ctx context.Context) (_ *model.Teacher, err error) {
		if teacher == nil {
			teacher, err = model.Load(ctx, backend, opened.Config, opened.Source, nil)
		}
		return teacher, err
	}
	kept := export.Cut(opened.Config, d.Subnet, opened.Source)
	run, err := distill.NewOnDemand(backend, distill.OnDemand{Config: opened.Config, Kept: kept, Load: load}, d, repeated(windows), nil)
	if err != nil {
		return err
	}
	defer run.Close()
	if asked.Logits != "" {
		logits, err := keptForAll(run, d, opened.Config.Vocab, windows, asked.Logits)
		if err != nil {
			return err
		}
		defer logits.Close()
	}
	for turns := bufio.NewScanner(os.Stdin); turns.Scan(); {
		begin := time.Now()
		point, err := run.Step(ctx)
		if err != nil {
			return err
		}
		if err := lines.Encode(ask.Passed{Seconds: time.Since(begin).Seconds(), Loss: point.Loss, Peak: peakBytes()}); err != nil {
			return err
		}
	}
	return nil
}

// mostMeasured bounds the steps of a measurement that is taught from a file.
const mostMeasured = 100

// keptForAll makes a file of logits of so many batches, all the same, and makes the run learn from it. The teacher's logits are made up:
// reading them costs the same.
func keptForAll(run *distill.Trainer, d slm.Distillation, vocab int, windows []int32, path string) (*distill.Logits, error) {
	k, temperature, err := d.Loss.Kept()
	if err != nil {
		return nil, err
	}
	logits, err := distill.OpenLogits(path, distill.LogitsOf{Vocab: vocab, Seed: d.ShuffleSeed, Batch: d.Batch, SeqLen: d.SeqLen, TopK: k, Temperature: temperature})
	if err != nil {
		return nil, err
	}
	tokens, logs := make([]int32, d.Batch*d.SeqLen*k), make([]float32, d.Batch*d.SeqLen*k)
	for i := range tokens {
		tokens[i], logs[i] = int32(i%k), -8-float32(i%k)/1024
	}
	for batch := 0; batch < mostMeasured && err == nil; batch++ {
		err = logits.Put(batch, windows, tokens, logs)
	}
	if err == nil {
		err = run.TeachFrom(logits)
	}
	if err != nil {
		logits.Close()
		return nil, err
	}
	return logits, nil
}

// repeated is the same batch again and again.
type repeated []int32

func (r repeated) Next(context.Context) ([]int32, error) { return r, nil }
func (repeated) Position() ([]byte, error)               { return []byte("{}"), nil }
func (repeated) Seek([]byte) error                       { return nil }
func (repeated) Separator() int32                        { return 0 }
