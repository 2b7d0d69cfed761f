package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/offshoot-ml/offshoot/datasets"
	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/distill"
	"github.com/offshoot-ml/offshoot/slm/export"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// pretrained is what `lab pretrain` prints.
type pretrained struct {
	Model      string  `json:"model"` // its folder
	Parameters int64   `json:"params"`
	Steps      int     `json:"steps"`
	Tokens     int64   `json:"tokens"`     // predicted in them
	Loss       float64 `json:"loss"`       // on held-out text, in nats per token
	Perplexity float64 `json:"perplexity"` // exp(Loss)
	Resumed    int     `json:"resumed"`    // the step from which this process went on; 0 for the first
	Seconds    float64 `json:"seconds"`    // since then, with reading the text and writing the folder
}

// pretrain trains a model from random weights on the Go installation's text, and writes it as a folder that is a teacher. A
// checkpoint beside the folder lets the same command go on where it was stopped; it stays, so that a model that is finished
// can be written again, as another type of number.
func pretrain(ctx context.Context, request ask.Request, out io.Writer, m *meter) error {
	asked, begin := request.(*ask.Pretrain), time.Now()
	p, err := newPretraining(ctx, asked, m)
	if err != nil {
		return err
	}
	defer p.close()
	done := pretrained{Model: asked.Out, Parameters: slm.Subnet{}.Parameters(p.architecture()).Total(), Resumed: p.Steps()}
	if err := p.train(ctx, m); err != nil {
		return err
	}
	if done.Loss, err = p.loss(ctx, m); err != nil {
		return err
	}
	if err := p.write(ctx, asked, done.Loss, m); err != nil {
		return err
	}
	m.end()
	done.Steps, done.Tokens = p.Steps(), int64(p.Steps()*p.Distillation.StepTokens())
	done.Perplexity, done.Seconds = math.Exp(done.Loss), time.Since(begin).Seconds()
	return printPretrained(out, asked.JSON, done)
}

func printPretrained(out io.Writer, asJSON bool, p pretrained) error {
	if asJSON {
		return printJSON(out, p)
	}
	since := ""
	if p.Resumed > 0 {
		since = fmt.Sprintf(", since step %d", p.Resumed)
	}
	_, err := fmt.Fprintf(out, "model          %s\nparams         %d\nsteps          %d\ntokens         %d\nheld-out loss  %.4f\nperplexity     %.2f\ntime           %s%s\n",
		p.Model, p.Parameters, p.Steps, p.Tokens, p.Loss, p.Perplexity, time.Duration(p.Seconds*float64(time.Second)).Round(time.Second), since)
	return err
}

// pretraining is a model that learns.
type pretraining struct {
	*distill.Trainer
	tokenizer  *datasets.Tokenizer // the text is tokenized as the training reads it
	eos        int
	corpus     string // names the text
	steps      int    // when it is done
	checkpoint string // the file
	curve      pretrainingCurve
}

// newPretraining makes the model, or goes on with the one in the checkpoint.
func newPretraining(ctx context.Context, asked *ask.Pretrain, m *meter) (*pretraining, error) {
	p := &pretraining{steps: asked.Steps, checkpoint: filepath.Clean(asked.Out) + ".checkpoint.safetensors", corpus: corpusName()}
	err := p.cutTokenizer(ctx, asked, m)
	if err == nil {
		err = p.newTrainer(ctx, asked, m)
	}
	if err == nil {
		err = p.Load(p.checkpoint)
	}
	if err == nil {
		p.curve, err = readCurve(p.checkpoint, p.Steps())
	}
	if errors.Is(err, fs.ErrNotExist) && p.Trainer != nil { // the first time
		err = os.MkdirAll(filepath.Dir(p.checkpoint), 0o755)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *pretraining) close() {
	if p.Trainer != nil {
		p.Trainer.Close()
	}
	if p.tokenizer != nil {
		p.tokenizer.Close()
	}
}

// newTrainer makes the model and opens its text.
func (p *pretraining) newTrainer(ctx context.Context, asked *ask.Pretrain, m *meter) error {
	reading, d := m.part("reading the corpus", "files"), asked.Training()
	corpus, err := datasets.GoRoot(ctx, p.tokenizer, func(done, total int) { reading(int64(done), int64(total)) })
	if err != nil {
		return err
	}
	held, err := corpus.Validation(d.EvalTokens, d.SeqLen)
	if err != nil {
		return err
	}
	backend, err := model.NewBackend()
	if err != nil {
		return err
	}
	data := corpus.Stream(d.ShuffleSeed, d.Batch, d.SeqLen)
	if p.Trainer, err = distill.NewAlone(backend, asked.Architecture(), d, data, held); err != nil {
		return err
	}
	if err := p.Spread(asked.Devices); err != nil {
		return fmt.Errorf("--devices: %w", err)
	}
	return nil
}

// cutTokenizer cuts the model's tokenizer out of a larger one.
func (p *pretraining) cutTokenizer(ctx context.Context, asked *ask.Pretrain, m *meter) error {
	text, err := largeTokenizer(ctx, asked.Tokenizer, m)
	if err != nil {
		return err
	}
	if text, p.eos, err = datasets.SmallerTokenizer(text, asked.Vocab); err != nil {
		return fmt.Errorf("--tokenizer %s, --vocab %d: %w", asked.Tokenizer, asked.Vocab, err)
	}
	p.tokenizer, err = datasets.ReadTokenizer(text, p.eos)
	return err
}

// largeTokenizer is a tokenizer.json, or a model's.
func largeTokenizer(ctx context.Context, reference string, m *meter) ([]byte, error) {
	if filepath.Ext(reference) == ".json" {
		return os.ReadFile(reference)
	}
	t, err := checkpoint.Open(ctx, installed(reference), checkpoint.Options{Progress: m.part("downloading "+reference, "bytes")})
	if err != nil {
		return nil, err
	}
	defer t.Close()
	tokenizer, err := studentTokenizer(t)
	return tokenizer.JSON, err
}

// train takes the steps that are missing. When it is interrupted, it keeps those it took.
func (p *pretraining) train(ctx context.Context, m *meter) error {
	before, begin := p.Steps(), time.Now()
	for p.Steps() < p.steps {
		point, err := p.Step(ctx)
		if err != nil && errors.Is(err, ctx.Err()) {
			return errors.Join(err, p.save())
		}
		if err != nil {
			return fmt.Errorf("%w; the checkpoint %s has what was learnt before", err, p.checkpoint)
		}
		if point.Step%p.Distillation.EvalEvery == 0 || p.Steps() == p.steps {
			// To its end also when interrupted: the step is taken, and its point belongs to the curve.
			if point.Validation, err = p.Validate(context.WithoutCancel(ctx)); err != nil {
				return err
			}
		}
		p.curve = append(p.curve, point)
		m.show(fmt.Sprintf("%s  step %d: loss %.4f, %.0f tokens/s", progressLine("training", "steps", int64(p.Steps()-before), int64(p.steps-before), time.Since(begin)),
			point.Step, point.Loss, float64(p.Distillation.StepTokens())/point.Seconds))
		if p.Steps()%p.Distillation.SaveEvery == 0 || p.Steps() == p.steps {
			if err := p.save(); err != nil {
				return err
			}
		}
	}
	return nil
}

// loss is the held-out loss of the model as it is, which its last step measured unless that was taken before curves were kept.
func (p *pretraining) loss(ctx context.Context, m *meter) (float64, error) {
	if n := len(p.curve); n > 0 && p.curve[n-1].Step == p.Steps() && p.curve[n-1].Validation != 0 {
		return p.curve[n-1].Validation, nil
	}
	m.part("measuring the held-out loss", "tokens")
	return p.Validate(ctx)
}

// save writes the curve before the checkpoint, so that no checkpoint is without the points up to it.
func (p *pretraining) save() error {
	return errors.Join(p.curve.write(curveOf(p.checkpoint)), p.Save(p.checkpoint))
}

func (p *pretraining) architecture() slm.Config { return p.Student.Teacher }

// write writes the model as a folder.
func (p *pretraining) write(ctx context.Context, asked *ask.Pretrain, loss float64, m *meter) error {
	weights, err := p.Student.Weights()
	if err != nil {
		return err
	}
	d := p.Distillation
	s := export.Student{Teacher: p.architecture(), Weights: weights, Tokenizer: export.Tokenizer{JSON: p.tokenizer.JSON(), EOS: &p.eos},
		Provenance: newProvenance(p.architecture().Name)}
	s.Provenance.License = asked.License
	s.Provenance.Training = &export.Training{Distillation: d, Steps: p.Steps(), Tokens: int64(p.Steps() * d.StepTokens()), Corpus: p.corpus}
	s.Provenance.Measured = []export.Loss{{Model: fmt.Sprintf("the model after %d steps", p.Steps()), Loss: loss,
		Tokens: d.HeldOut(), Window: d.SeqLen, Corpus: p.corpus + ", held out"}}
	if _, err = export.Write(ctx, asked.Out, s, export.Options{DType: export.DType(asked.DType), Progress: m.part("writing "+asked.Out, "bytes")}); err != nil {
		return err
	}
	return p.curve.thinned().write(filepath.Join(asked.Out, "curve.csv"))
}
