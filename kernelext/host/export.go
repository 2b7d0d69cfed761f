package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
	"github.com/offshoot-ml/offshoot/kernelext/host/resident"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/distill"
	"github.com/offshoot-ml/offshoot/slm/export"
)

// exportStudent writes the student of a lab's run, or a model's sub-network, for other programs.
func exportStudent(ctx context.Context, request ask.Request, out io.Writer, m *meter) error {
	asked := request.(*ask.Export)
	options := export.Options{Layers: export.Layers(asked.Layers), DType: export.DType(asked.DType), GGUF: asked.GGUF}
	if asked.Model != "" {
		return exportModel(ctx, asked.Model, asked.Subnet, asked.Out, options, out, m)
	}
	return exportRun(ctx, asked, options, out, m)
}

// exportModel writes what a sub-network keeps of a model, untrained.
func exportModel(ctx context.Context, reference, subnet, dir string, options export.Options, out io.Writer, m *meter) error {
	opened, err := openModel(ctx, reference, subnet, m)
	if err != nil {
		return err
	}
	defer opened.Close()
	s, err := opened.student(ctx, m)
	if err != nil {
		return err
	}
	return writeStudent(ctx, s, dir, options, out, m)
}

// student is the model's sub-network with the weights that it has there; an exported student stays what it was. The weights
// of a whole model are read when they are written, a part of them is cut out on the device.
func (o *opened) student(ctx context.Context, m *meter) (s export.Student, err error) {
	if o.exported != nil {
		return *o.exported, nil
	}
	s = export.Student{Teacher: o.Config, Subnet: o.subnet, Weights: o.Source, Provenance: newProvenance(o.name)}
	if s.Tokenizer, err = studentTokenizer(o.Teacher); err != nil {
		return s, err
	}
	if s.Provenance.Teacher, err = teacherOrigin(ctx, o.Teacher, o.name); err != nil || len(o.subnet.Layers) == 0 && o.subnet.Embd.IsZero() {
		return s, err
	}
	teacher, err := o.load(ctx, m)
	if err != nil {
		return s, err
	}
	defer teacher.Close()
	s.Weights, err = teacher.Extract(o.subnet)
	return s, err
}

// exportRun writes the student of a run as of its last checkpoint. It asks the lab's folder, not a host: one that is
// training goes on.
func exportRun(ctx context.Context, asked *ask.Export, options export.Options, out io.Writer, m *meter) error {
	home, err := kernelext.Home()
	if err != nil {
		return err
	}
	history, err := resident.ReadHistory(ctx, home, asked.Lab, asked.Run)
	if err != nil {
		return err
	}
	saved, err := distill.ReadSaved(history.Checkpoint, history.Curve.Teacher)
	if err != nil {
		return fmt.Errorf("run %s of lab %s cannot be read: %w; a run has a checkpoint once it has taken steps", asked.Run, asked.Lab, err)
	}
	teacher, err := openModel(ctx, saved.Distillation.Teacher, "", m)
	if err != nil {
		return fmt.Errorf("the student's tokenizer is its teacher's: %w", err)
	}
	defer teacher.Close()
	s := export.Student{Teacher: history.Curve.Teacher, Subnet: saved.Distillation.Subnet, Weights: saved.Weights,
		Provenance: runProvenance(history, saved)}
	if s.Tokenizer, err = studentTokenizer(teacher.Teacher); err != nil {
		return err
	}
	if s.Provenance.Teacher, err = teacherOrigin(ctx, teacher.Teacher, saved.Distillation.Teacher); err != nil {
		return err
	}
	if now := s.Provenance.Teacher.SHA256; history.SHA256 != "" && now != history.SHA256 {
		return fmt.Errorf("teacher %s is not the one that the run learned from: its SHA-256 is %s, it was %s; put the old file back",
			saved.Distillation.Teacher, now, history.SHA256)
	}
	return writeStudent(ctx, s, asked.Out, options, out, m)
}

// writeStudent writes a student and says what came of it.
func writeStudent(ctx context.Context, s export.Student, dir string, options export.Options, out io.Writer, m *meter) error {
	options.Progress = m.part("writing "+dir, "bytes")
	e, err := export.Write(ctx, dir, s, options)
	if err != nil {
		return err
	}
	m.end()
	form := string(e.Layers)
	if e.Padding > 0 {
		form += ", padding of " + slm.Count(e.Padding)
	}
	_, err = fmt.Fprintf(out, "%s: a student of %s, %s parameters (%s), %.1f MB in %s\n", e.Dir, s.Provenance.Teacher.Name,
		slm.Count(e.Parameters), form, float64(e.Bytes)/1e6, e.DType)
	if err == nil && e.GGUF != "" {
		_, err = fmt.Fprintf(out, "%s: for llama.cpp\n", e.GGUF)
	}
	return err
}

// newProvenance is what is known of every student.
func newProvenance(name string) export.Provenance {
	return export.Provenance{Name: name, Software: software(), Created: time.Now().UTC().Truncate(time.Second)}
}

// software is this program with its version, and its commit where it was built from one.
func software() string {
	text := "Offshoot"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return text
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		text += " " + v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			text += " " + s.Value
		}
	}
	return text
}

// teacherOrigin says which model a teacher is. Its license is not known: models do not carry it in the files that are read.
func teacherOrigin(ctx context.Context, t *checkpoint.Teacher, name string) (export.Origin, error) {
	hash, err := t.Hash(ctx)
	return export.Origin{Name: name, Repository: t.Origin.Repository, Revision: t.Origin.Revision, SHA256: hash}, err
}

// runProvenance is what a lab knows of a run's student.
func runProvenance(h resident.History, saved distill.Saved) export.Provenance {
	p := newProvenance(h.Curve.Name)
	text := corpusOf(saved)
	p.Training = &export.Training{Name: h.Curve.Name, Distillation: saved.Distillation, Steps: saved.Steps, Tokens: saved.Tokens, Corpus: text}
	if f := h.Search; f != nil {
		p.Search = &export.Search{Name: f.Name, Search: f.Search, Evaluated: f.Evaluated, Candidate: f.ID, Generation: f.Generation, Loss: f.Loss}
	}
	if t := h.Measurement; t != nil {
		p.Measured = append(p.Measured, export.Loss{Model: "the teacher", Loss: t.Loss, Tokens: t.Tokens, Window: t.Window, Corpus: t.Corpus})
	}
	d := saved.Distillation
	held := func(model string, loss float64) export.Loss {
		return export.Loss{Model: model, Loss: loss, Tokens: ((d.EvalTokens-1)/d.SeqLen + 1) * d.SeqLen, Window: d.SeqLen, Corpus: text}
	}
	first, last := validations(h.Curve.Points, saved.Steps)
	if first.Validation > 0 {
		p.Measured = append(p.Measured, held("the student before training", first.Validation))
	}
	if last.Step > first.Step {
		p.Measured = append(p.Measured, held(fmt.Sprintf("the student after %d steps", last.Step), last.Validation))
	}
	return p
}

// validations are the point before training, if it was measured, and the last measured one up to a step: what came after
// the checkpoint is not in the weights.
func validations(points []slm.Point, steps int) (first, last slm.Point) {
	for _, p := range points {
		if p.Validation == 0 || p.Step > steps {
			continue
		}
		if p.Step == 0 {
			first = p
		}
		last = p
	}
	return first, last
}

// corpusOf names the training text by its hash: the lab does not keep more of it.
func corpusOf(saved distill.Saved) string {
	var at position
	if json.Unmarshal(saved.Position, &at) != nil || at.Corpus == "" {
		return ""
	}
	return "text with SHA-256 " + at.Corpus
}
