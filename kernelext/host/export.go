package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"runtime/debug"
	"strings"
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
	history, err := readHistory(ctx, asked.Lab, asked.Run)
	if err != nil {
		return err
	}
	s, err := runStudent(ctx, history, m)
	if err != nil {
		return err
	}
	return writeAndTell(ctx, s, asked.Out, options, out, m)
}

// exportModel writes what a sub-network keeps of a model, untrained.
func exportModel(ctx context.Context, reference, subnet, dir string, options export.Options, out io.Writer, m *meter) error {
	opened, err := openModel(ctx, reference, subnet, m)
	if err != nil {
		return err
	}
	defer opened.Close()
	s, err := opened.student(ctx)
	if err != nil {
		return err
	}
	return writeAndTell(ctx, s, dir, options, out, m)
}

// student is the model's sub-network with the weights that it has there; an exported student stays what it was. Weights are
// read when they are written.
func (o *opened) student(ctx context.Context) (s export.Student, err error) {
	if o.exported != nil {
		return *o.exported, nil
	}
	s = export.Student{Teacher: o.Config, Subnet: o.subnet, Weights: export.Cut(o.Config, o.subnet, o.Source), Provenance: newProvenance(o.studentName())}
	if s.Tokenizer, err = studentTokenizer(o.Teacher); err != nil {
		return s, err
	}
	s.Provenance.Teacher, err = teacherOrigin(ctx, o.Teacher, o.name)
	return s, err
}

// studentName is such as "smollm2-135m-30M"; a whole model keeps its name.
func (o *opened) studentName() string {
	name := path.Base(filepath.ToSlash(o.name))
	if parameters := o.subnet.Parameters(o.Config).Total(); parameters < (slm.Subnet{}).Parameters(o.Config).Total() {
		name += "-" + slm.Count(parameters)
	}
	return name
}

// runStudent is the student of a run as of its last checkpoint. It asks the lab's folder, not a host: one that is training
// goes on.
func runStudent(ctx context.Context, history resident.History, p progress) (s export.Student, err error) {
	saved, err := distill.ReadSaved(history.Checkpoint, history.Curve.Teacher)
	if err != nil {
		return s, fmt.Errorf("run %s cannot be read: %w; a run has a checkpoint once it has taken steps", history.Curve.Name, err)
	}
	teacher, err := openTeacher(ctx, saved.Distillation.Teacher, slm.Subnet{}, p) // also of an exported student, whose files it learned from
	if err != nil {
		return s, fmt.Errorf("the student's tokenizer is its teacher's: %w", err)
	}
	defer teacher.Close()
	s = export.Student{Teacher: history.Curve.Teacher, Subnet: saved.Distillation.Subnet, Weights: saved.Weights,
		Provenance: runProvenance(history, saved)}
	if s.Tokenizer, err = studentTokenizer(teacher.Teacher); err != nil {
		return s, err
	}
	if s.Provenance.Teacher, err = teacherOrigin(ctx, teacher.Teacher, saved.Distillation.Teacher); err != nil {
		return s, err
	}
	if now := s.Provenance.Teacher.SHA256; history.SHA256 != "" && now != history.SHA256 {
		return s, fmt.Errorf("teacher %s is not the one that the run learned from: its SHA-256 is %s, it was %s; put the old file back",
			saved.Distillation.Teacher, now, history.SHA256)
	}
	return s, nil
}

// writeAndTell writes a student and says what came of it.
func writeAndTell(ctx context.Context, s export.Student, dir string, options export.Options, out io.Writer, m *meter) error {
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
	what := "a student of " + s.Provenance.Teacher.Name
	if s.Provenance.Teacher.Name == "" { // one of `lab pretrain`
		what = "a model"
	}
	_, err = fmt.Fprintf(out, "%s: %s, %s parameters (%s), %.1f MB in %s\n", e.Dir, what, slm.Count(e.Parameters), form, float64(e.Bytes)/1e6, e.DType)
	if err == nil && e.GGUF != "" {
		_, err = fmt.Fprintf(out, "%s: for llama.cpp\n", e.GGUF)
	}
	return err
}

// Export writes a student for a cell.
func (e *engine) Export(ctx context.Context, asked resident.Export, report resident.Report) (info kernelext.Exported, err error) {
	begin := time.Now()
	var s export.Student
	if asked.Run != nil {
		s, err = runStudent(ctx, *asked.Run, reported(report))
	} else {
		var from *opened
		if from, err = openPart(ctx, asked.Teacher, asked.Subnet, reported(report)); err == nil {
			defer from.Close()
			s, err = from.student(ctx)
		}
	}
	if err != nil {
		return info, err
	}
	written, err := export.Write(ctx, asked.Dir, s, export.Options{Layers: export.Layers(asked.Layers), DType: export.DType(asked.DType),
		GGUF: asked.GGUF, Progress: reported(report).part("writing "+asked.Dir, "bytes")})
	if err != nil {
		return info, err
	}
	info = kernelext.Exported{Layers: string(written.Layers), DType: string(written.DType), Class: written.Class,
		Parameters: written.Parameters, Padding: written.Padding, Bytes: written.Bytes, GGUF: written.GGUF,
		Tokenizer: s.Tokenizer.JSON != nil, Seconds: time.Since(begin).Seconds()}
	if s.Provenance.Training != nil {
		info.Steps = s.Provenance.Training.Steps
	}
	return info, nil
}

// openPart opens a model, or a teacher with a sub-network of it.
func openPart(ctx context.Context, reference string, subnet slm.Subnet, p progress) (*opened, error) {
	if len(subnet.Layers) == 0 && subnet.Embd.IsZero() {
		return openModel(ctx, reference, "", p)
	}
	return openTeacher(ctx, reference, subnet, p)
}

// reported is progress that the host's events carry.
type reported resident.Report

func (r reported) part(what, _ string) func(done, total int64) {
	return func(done, total int64) { r(what, done, total) }
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
	p.Training = &export.Training{Name: h.Curve.Name, Distillation: saved.Distillation, Changes: saved.Changes,
		Steps: saved.Steps, Tokens: saved.Tokens, Corpus: text}
	if f := h.Search; f != nil {
		p.Search = &export.Search{Name: f.Name, Search: f.Search, Evaluated: f.Evaluated, Candidate: f.ID, Generation: f.Generation, Loss: f.Loss}
	}
	if t := h.Measurement; t != nil {
		p.Measured = append(p.Measured, export.Loss{Model: "the teacher", Loss: t.Loss, Tokens: t.Tokens, Window: t.Window, Corpus: t.Corpus})
	}
	d, heldText := saved.Distillation, text
	if d.DocumentMask {
		heldText = strings.TrimPrefix(text+", attention within documents", ", ")
	}
	held := func(model string, loss float64) export.Loss {
		return export.Loss{Model: model, Loss: loss, Tokens: d.HeldOut(), Window: d.SeqLen, Corpus: heldText}
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
	var at struct {
		Corpus string `json:"corpus"`
	}
	if json.Unmarshal(saved.Position, &at) != nil || at.Corpus == "" {
		return ""
	}
	return "text with SHA-256 " + at.Corpus
}
