package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"github.com/offshoot-ml/offshoot/kernelext/host/resident"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/export"
)

// Start reads the exported student with which a run is to begin.
func (e *engine) Start(ctx context.Context, folder string, teacher slm.Config, asked slm.Subnet) (start resident.Start, err error) {
	err = readStart(ctx, folder, func(s export.Student) error {
		own := s.Teacher
		own.Name = teacher.Name
		if asked.IsZero() && reflect.DeepEqual(own, teacher) {
			asked = s.Subnet
		}
		start.Subnet = asked
		if err := s.Fits(teacher, asked); err != nil {
			return err
		}
		start.SHA256, err = hashWeights(ctx, s)
		return err
	})
	return start, err
}

// Begin gives the student its first weights where they are an exported one's: those that were there when the run was named.
func (t *trainer) Begin(ctx context.Context) error {
	d := t.Distillation
	if d.Init != slm.FromExport {
		return nil
	}
	err := readStart(ctx, d.From, func(s export.Student) error {
		if err := s.Fits(t.Student.Teacher, d.Subnet); err != nil {
			return err
		}
		now, err := hashWeights(ctx, s)
		if err == nil && now != d.FromSHA256 {
			err = fmt.Errorf("it has changed since the run was named: the SHA-256 of its weights is %.12s, it was %.12s; name the run again to begin with the new ones", now, d.FromSHA256)
		}
		if err != nil {
			return err
		}
		return t.Trainer.Begin(s.Weights)
	})
	if err != nil {
		return fmt.Errorf("the student in %s: %w", d.From, err)
	}
	return nil
}

// readStart opens a student for as long as use takes: a folder that an export wrote, or a plain model's as transformers saves it.
func readStart(ctx context.Context, folder string, use func(export.Student) error) error {
	if _, err := os.Stat(filepath.Join(folder, "config.json")); err != nil {
		return fmt.Errorf("it is no exported student: %w", err)
	}
	o, err := openModel(ctx, folder, "", reported(func(string, int64, int64) {}))
	if err != nil {
		return err
	}
	s := export.Student{Teacher: o.Config, Weights: o.Source}
	if o.exported != nil {
		s = *o.exported
	}
	return errors.Join(use(s), o.Close())
}

// hashWeights is the SHA-256 of a student's weights, as float32 in the order of its tensors, however the files hold them.
func hashWeights(ctx context.Context, s export.Student) (string, error) {
	h := sha256.New()
	for name, t := range s.Subnet.Tensors(s.Teacher) {
		size := 1
		for _, n := range s.Subnet.Sizes(s.Teacher, t.Layer, t.Weight) {
			size *= n
		}
		weights := make([]float32, size)
		if err := errors.Join(ctx.Err(), s.Weights.Read(name, weights)); err != nil {
			return "", err
		}
		fmt.Fprintln(h, name)
		_ = binary.Write(h, binary.LittleEndian, weights) // a hash takes all that is written
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
