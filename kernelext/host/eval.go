package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/offshoot-ml/offshoot/datasets"
	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
	"github.com/offshoot-ml/offshoot/kernelext/host/resident"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint/hub"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// eval measures a model, a sub-network inside it, or a run's student, on one text or on documents of any source.
func eval(ctx context.Context, request ask.Request, out io.Writer, m *meter) error {
	asked := request.(*ask.Eval)
	var opened *opened
	var err error
	if asked.Run != "" {
		opened, err = openRun(ctx, asked.Lab, asked.Run, asked.Best, m)
	} else {
		opened, err = openModel(ctx, asked.Model, asked.Subnet, m)
	}
	if err != nil {
		return err
	}
	defer opened.Close()
	read := evalData
	if asked.Text != "" {
		read = evalText
	}
	text, err := read(ctx, asked, opened, m)
	if err != nil {
		return err
	}
	teacher, err := opened.load(ctx, m)
	if err != nil {
		return err
	}
	defer teacher.Close()
	e, err := text.evaluate(ctx, teacher, opened.subnet, asked.Batch, m)
	if err != nil {
		return err
	}
	m.end()
	e.Model, e.Steps = opened.name, opened.steps()
	e.Parameters, e.FLOPsPerToken = opened.sizes(asked.Seq)
	if asked.JSON {
		return printJSON(out, e)
	}
	return printEvaluated(out, e)
}

// evaluationText is a text in windows of seqLen+1 tokens, row-major.
type evaluationText struct {
	windows       []int32
	seqLen        int
	asked         *slm.Evaluation // nil for a text in one piece
	separator     *int32          // as in [model.Passes]
	documents     int
	bytesPerToken float64
}

// evalText reads one text. Its tokens, without any special ones added, are cut into windows that do not overlap; every token
// of a window but its first is predicted from those before it in the window. The tokens left over after the last whole window
// are dropped.
func evalText(_ context.Context, asked *ask.Eval, o *opened, _ *meter) (t evaluationText, err error) {
	text, err := asked.ReadText()
	if err != nil {
		return t, err
	}
	if asked.Seq > o.Config.Context {
		return t, fmt.Errorf("--seq is %d, but the context of %s has %d tokens", asked.Seq, o.name, o.Config.Context)
	}
	t.seqLen = asked.Seq - 1
	if t.windows, err = o.windows(text, asked.Seq); err != nil {
		return t, fmt.Errorf("text %s: %w", asked.Text, err)
	}
	return t, nil
}

// evalData reads documents of any source.
func evalData(ctx context.Context, asked *ask.Eval, o *opened, m *meter) (t evaluationText, err error) {
	e, err := asked.Evaluation()
	if err != nil {
		return t, err
	}
	return o.readEvaluation(ctx, e, m)
}

// readEvaluation reads a sample of the text of an evaluation, in the model's tokens.
func (o *opened) readEvaluation(ctx context.Context, e slm.Evaluation, p progress) (t evaluationText, err error) {
	tokenizer, err := datasets.TeacherTokenizer(o.Teacher)
	if err != nil {
		return t, err
	}
	defer tokenizer.Close()
	e.DocumentMask = e.DocumentMask || o.masked()
	return readEvaluation(ctx, e, tokenizer, o.Config, p)
}

// readEvaluation reads a sample of the text of an evaluation, in a model's tokens: see [datasets.ReadSample].
func readEvaluation(ctx context.Context, e slm.Evaluation, tokenizer *datasets.Tokenizer, c slm.Config, p progress) (t evaluationText, err error) {
	if e.SeqLen > c.Context {
		return t, fmt.Errorf("windows that predict %d tokens are too long: the model's context has %d", e.SeqLen, c.Context)
	}
	source, err := datasets.Open(ctx, e.Data, datasets.Options{Hub: hub.Settings{Progress: downloads(p)}})
	if err != nil {
		return t, err
	}
	reading := p.part("reading "+e.Data.String(), "tokens")
	sample, err := datasets.ReadSample(ctx, source, tokenizer, datasets.SampleOptions{Whole: e.Whole, Tokens: e.Tokens, Limit: e.Data.Tokens,
		Progress: func(tokens int64) { reading(tokens, 0) }})
	if err != nil {
		return t, err
	}
	t = evaluationText{seqLen: e.SeqLen, asked: &e, documents: sample.Documents, bytesPerToken: float64(sample.Bytes) / float64(sample.Tokens())}
	if e.DocumentMask {
		t.separator = new(tokenizer.Separator())
	}
	if t.windows, err = sample.Windows(e.Tokens, e.SeqLen); err != nil {
		return t, fmt.Errorf("data %s: %w; take shorter windows or more text", e.Data, err)
	}
	return t, nil
}

// downloads shows the files of a data set while they are fetched.
func downloads(p progress) func(hub.Progress) {
	file, report := "", func(int64, int64) {}
	return func(now hub.Progress) {
		if now.File != file {
			file, report = now.File, p.part("fetching "+now.File, "bytes")
		}
		report(now.Done, now.Total)
	}
}

// evaluate measures a sub-network of a model, in passes of so many windows.
func (t evaluationText) evaluate(ctx context.Context, m *model.Teacher, subnet slm.Subnet, batch int, p progress) (e slm.Evaluated, err error) {
	begin := time.Now()
	e = slm.Evaluated{Evaluation: t.asked, Documents: t.documents, Tokens: len(t.windows) / (t.seqLen + 1) * t.seqLen}
	report := p.part("evaluating", "tokens")
	passes := model.Passes{Batch: batch, Separator: t.separator, Done: func(windows int) { report(int64(windows*t.seqLen), int64(e.Tokens)) }}
	if e.Loss, err = m.Evaluate(ctx, subnet, t.windows, t.seqLen, passes); err != nil {
		return e, err
	}
	e.Perplexity = math.Exp(e.Loss)
	if t.asked != nil {
		e.BytesPerToken, e.BitsPerByte = t.bytesPerToken, slm.BitsPerByte(e.Loss, t.bytesPerToken)
		e.Seconds = time.Since(begin).Seconds()
	}
	return e, nil
}

func printEvaluated(out io.Writer, e slm.Evaluated) error {
	var text strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&text, "%-16s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("model", "%s", e.Model)
	if e.Steps > 0 {
		line("steps", "%d", e.Steps)
	}
	line("params", "%d", e.Parameters)
	line("flops_per_token", "%d", e.FLOPsPerToken)
	if e.Evaluation != nil {
		line("data", "%s", e.Evaluation.Text())
		line("documents", "%d", e.Documents)
	}
	line("tokens", "%d", e.Tokens)
	line("nll", "%.6f", e.Loss)
	line("perplexity", "%.4f", e.Perplexity)
	if e.Evaluation != nil {
		line("bits_per_byte", "%.4f", e.BitsPerByte)
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// Evaluate measures the teacher on a text.
func (t *teacher) Evaluate(ctx context.Context, e slm.Evaluation, report resident.Report) (slm.Evaluated, error) {
	text, err := readEvaluation(ctx, e, t.tokenizer, t.config, timed(report))
	if err != nil {
		return slm.Evaluated{}, err
	}
	out, err := text.evaluate(ctx, t.model, slm.Subnet{}, 0, timed(report))
	out.Parameters, out.FLOPsPerToken = slm.Subnet{}.Parameters(t.config).Total(), slm.Subnet{}.ForwardFLOPs(t.config, e.SeqLen+1)
	return out, err
}

// EvaluateRun measures a run's student on a text.
func (e *engine) EvaluateRun(ctx context.Context, history resident.History, asked slm.Evaluation, report resident.Report) (out slm.Evaluated, err error) {
	student, err := openHistory(ctx, history, asked.Best, timed(report))
	if err != nil {
		return out, err
	}
	text, err := student.readEvaluation(ctx, asked, timed(report))
	if err != nil {
		return out, err
	}
	loaded, err := model.Load(ctx, e.backend, student.Config, student.Source, nil)
	if err != nil {
		return out, err
	}
	defer loaded.Close()
	out, err = text.evaluate(ctx, loaded, slm.Subnet{}, 0, timed(report))
	out.Steps = student.steps()
	out.Parameters, out.FLOPsPerToken = student.sizes(asked.SeqLen + 1)
	return out, err
}

// timed is progress that the host's events carry, with its rate and the time left in words.
type timed resident.Report

func (t timed) part(what, unit string) func(done, total int64) {
	begin := time.Now()
	return func(done, total int64) { t(progressLine(what, unit, done, total, time.Since(begin)), done, total) }
}
