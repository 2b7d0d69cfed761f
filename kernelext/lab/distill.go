package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
	"github.com/offshoot-ml/offshoot/slm"
)

// distillation is what `lab distill` was asked.
type distillation struct {
	lab, run, teacher, student, start, tokens string
	csv, tensorboard, out                     string
	random, json                              bool
	alpha, beta, temperature, hidden          float64
	divergence, decay, dtype                  string
	topK, pairs, devices                      int
	text                                      ask.Data
	slm.Distillation
}

// distill trains a student as a run of a lab, so that it goes on where it was stopped, here or in a notebook.
func distill(ctx context.Context, l *lab, args []string) error {
	d := distillation{}
	if err := parseNone(d.flags(flags("distill", l.stdout)), args); err != nil {
		return err
	}
	budget, err := d.settle()
	if err != nil {
		return fmt.Errorf("lab distill: %w", err)
	}
	if err := l.prepare(ctx); err != nil {
		return err
	}
	defer l.useHome()()
	client, err := kernelext.Connect(ctx, d.lab)
	if err != nil {
		return err
	}
	defer client.Close()
	c, err := d.train(ctx, client, budget, l.stderr)
	if d.csv != "" && len(c.Points) > 0 {
		var table bytes.Buffer
		err = errors.Join(err, slm.WritePoints(&table, c.Points), writeFile(d.csv, table.Bytes(), 0o644))
	}
	if err != nil {
		return err
	}
	if d.out != "" {
		if _, err := client.ExportRun(ctx, d.run, kernelext.Export{Dir: d.out}, nil); err != nil {
			return err
		}
	}
	if d.json {
		return printJSON(l.stdout, c)
	}
	return printRun(l.stdout, c)
}

func (d *distillation) flags(set *flag.FlagSet) *flag.FlagSet {
	set.StringVar(&d.teacher, "teacher", "smollm2-135m", "the teacher's `NAME`, repository or file")
	set.StringVar(&d.student, "student", "", "the student's architecture: bin:30M (±5%, at the teacher's proportions), or a sub-network's JSON `FILE`")
	set.BoolVar(&d.random, "random", false, "begin with random weights, not the teacher's")
	set.StringVar(&d.start, "start", "", "begin with the weights of the exported student in a `FOLDER`, not the teacher's; --student may be left out where it is one of this teacher's")
	set.StringVar(&d.tokens, "tokens", "", "how many tokens `N` the run has in all, such as 1M; the same command trains what is missing")
	d.text.Flags(set, "goroot")
	set.Float64Var(&d.alpha, "alpha", 0.3, "weight of the cross-entropy")
	set.Float64Var(&d.beta, "beta", 0.7, "weight of the divergence from the teacher; 0 trains without the teacher")
	set.StringVar(&d.divergence, "divergence", string(slm.ForwardKLTerm), fmt.Sprintf("one of %v", slm.Divergences))
	set.Float64Var(&d.temperature, "temperature", 1, "of the divergence")
	set.IntVar(&d.topK, "top-k", 0, "compare the teacher's `K` likeliest tokens and the rest as one; 0 compares all")
	set.Float64Var(&d.hidden, "hidden-states", 0, "`WEIGHT` of the difference from the teacher's hidden states, which are projected from the student's; 0 leaves them alone")
	set.IntVar(&d.pairs, "pairs", 1, "of layers whose hidden states are compared, evenly spaced; 1 is the last layers")
	set.BoolVar(&d.DocumentMask, "document-mask", false, "keep attention within a document where a sequence has several, also on held-out text")
	set.BoolVar(&d.KeepLogits, "keep-logits", false, "keep the teacher's --top-k logits on the disk: the next run on the same batches does without the teacher, which then stays out of memory")
	set.IntVar(&d.Batch, "batch", 4, "sequences in a batch")
	set.IntVar(&d.SeqLen, "seq", 128, "tokens in a sequence")
	set.IntVar(&d.Accumulate, "accumulate", 1, "batches in a step")
	set.StringVar(&d.dtype, "dtype", string(slm.Float32), "`TYPE` of matrix products: f32 or bf16; weights and their updates are float32 with either")
	set.BoolVar(&d.Checkpointing, "checkpointing", false, "keep only layers' inputs, and compute the rest again in the backward pass: less memory, more time")
	set.Float64Var(&d.Schedule.Peak, "rate", 1e-3, "the highest learning rate")
	set.IntVar(&d.Schedule.Warmup, "warmup", 0, "steps in which the learning rate rises; 0 is a tenth")
	set.StringVar(&d.decay, "decay", "cosine", "how it falls until --tokens: cosine, linear, or wsd (at the end only)")
	set.Float64Var(&d.Schedule.Final, "final", 0.1, "share of the learning rate at the end")
	set.IntVar(&d.EvalEvery, "eval-every", 10, "steps between validations")
	set.IntVar(&d.SaveEvery, "save-every", 50, "steps between checkpoints")
	set.Uint64Var(&d.ShuffleSeed, "seed", 1, "of the order of the text and of random weights")
	set.IntVar(&d.devices, "devices", 1, "share each batch evenly among so many devices `N` of the accelerator, such as GPUs")
	set.StringVar(&d.lab, "lab", "distill", "the lab `NAME` that holds the run")
	set.StringVar(&d.run, "run", "", "the run's `NAME` (default: from the student's)")
	set.StringVar(&d.csv, "csv", "", "write the run's points to a `FILE`")
	set.StringVar(&d.tensorboard, "tensorboard", "", "write the run's points while it trains, for TensorBoard: into a folder of the run's name in a `FOLDER`")
	set.StringVar(&d.out, "out", "", "write the student to a `FOLDER` at the end, as lab export does")
	set.BoolVar(&d.json, "json", false, "print JSON")
	return set
}

// settle reads what the flags mean together, and returns the tokens of the whole run. The student is read by [distillation.train],
// which knows the teacher.
func (d *distillation) settle() (budget int64, err error) {
	if d.student == "" && d.start == "" || d.tokens == "" {
		return 0, errors.New("name a student and a number of tokens, such as --student bin:30M --tokens 1M")
	}
	if budget, err = slm.ParseCount(d.tokens); err != nil {
		return 0, fmt.Errorf("--tokens: %w", err)
	}
	if d.Loss, err = d.loss(); err != nil {
		return 0, err
	}
	if d.Data, err = d.text.Read(); err != nil {
		return 0, err
	}
	if err := d.begin(); err != nil {
		return 0, err
	}
	decays := map[string]slm.Decay{"cosine": slm.CosineDecay, "linear": slm.LinearDecay, "wsd": slm.WSD}
	var ok bool
	if d.Schedule.Decay, ok = decays[d.decay]; !ok {
		return 0, fmt.Errorf("--decay %q: want cosine, linear or wsd", d.decay)
	}
	if d.devices < 1 {
		return 0, fmt.Errorf("--devices %d: want at least 1", d.devices)
	}
	if d.Type = slm.NumberType(d.dtype); d.Type != slm.Float32 && d.Type != slm.BFloat16 {
		return 0, fmt.Errorf("--dtype %q: want %s or %s", d.dtype, slm.Float32, slm.BFloat16)
	}
	if d.Accumulate == 1 {
		d.Accumulate = 0
	}
	step := int64(d.StepTokens())
	if step < 1 || budget < step {
		return 0, fmt.Errorf("--tokens %s: a step has %d tokens", d.tokens, step)
	}
	d.Schedule.Horizon = int((budget + step - 1) / step)
	return budget, nil
}

// begin reads where the first weights come from.
func (d *distillation) begin() error {
	switch {
	case d.random && d.start != "":
		return errors.New("--random and --start: begin with one of them")
	case d.random:
		d.Init, d.WeightsSeed = slm.FromRandom, d.ShuffleSeed
	case d.start != "":
		d.Init, d.From = slm.FromExport, d.start
	default:
		d.Init = slm.FromTeacher
	}
	return nil
}

func (d *distillation) loss() (loss slm.Loss, err error) {
	if d.alpha > 0 {
		loss = slm.CE(d.alpha)
	}
	if d.beta > 0 {
		term := slm.LossTerm{Kind: slm.Divergence(d.divergence), Weight: d.beta, TopK: d.topK}
		if d.temperature != 1 {
			term.Temperature = d.temperature
		}
		loss = loss.Plus(slm.Loss{Terms: []slm.LossTerm{term}})
	}
	if d.hidden > 0 {
		term := slm.LossTerm{Kind: slm.HiddenStatesTerm, Weight: d.hidden}
		if d.pairs != 1 {
			term.Pairs = d.pairs
		}
		loss = loss.Plus(slm.Loss{Terms: []slm.LossTerm{term}})
	}
	return loss, loss.Validate()
}

// trainer is what a run needs of a [kernelext.Client].
type trainer interface {
	Architecture(ctx context.Context, teacher string, watch func(kernelext.Event)) (slm.Config, error)
	Distill(ctx context.Context, name string, d slm.Distillation, watch func(kernelext.Event)) (slm.Curve, error)
	TrainOn(ctx context.Context, run string, devices int, until slm.Until, watch func(kernelext.Event)) (slm.Curve, error)
	Curve(ctx context.Context, run string) (slm.Curve, error)
}

// train names the run and trains what it lacks. After an error it returns the run as far as it is.
func (d *distillation) train(ctx context.Context, client trainer, budget int64, out io.Writer) (slm.Curve, error) {
	teacher, err := client.Architecture(ctx, d.teacher, nil)
	if err != nil {
		return slm.Curve{}, err
	}
	d.Teacher = teacher.Name
	if d.student != "" {
		student, err := readStudent(d.student, teacher)
		if err != nil {
			return slm.Curve{}, err
		}
		d.Subnet = student.Subnet
	}
	if d.run == "" {
		d.run = defaultRun(teacher, d.Distillation)
	}
	c, err := client.Distill(ctx, d.run, d.Distillation, nil)
	if err != nil {
		return c, err
	}
	board, err := d.openBoard(c)
	if err != nil {
		return c, err
	}
	left := budget - int64(c.Steps()*d.StepTokens())
	if left <= 0 {
		return c, board.close()
	}
	line := startProgress(out, d.run)
	var last kernelext.Event
	watch := func(e kernelext.Event) {
		noteStep(line, e)
		board.watch(e)
		if e.Kind == kernelext.Point {
			last = e
		}
	}
	done, err := client.TrainOn(ctx, d.run, d.devices, slm.Until{Tokens: left}, watch)
	written := board.close()
	if err != nil {
		line.End("stopped; the same command goes on")
		c, _ = client.Curve(context.WithoutCancel(ctx), d.run)
		return c, errors.Join(err, written)
	}
	line.End(fmt.Sprintf("%d steps, held-out loss %.4f, %s", done.Steps(), done.Validation(), last.Speed(", ")))
	return done, written
}

// defaultRun names a run after its student, or the one that it begins with.
func defaultRun(teacher slm.Config, d slm.Distillation) string {
	if d.Init == slm.FromExport {
		return fmt.Sprintf("%s-from-%s", teacher.Name, filepath.Base(d.From))
	}
	return fmt.Sprintf("%s-%s-%s", teacher.Name, slm.Count(d.Subnet.Parameters(teacher).Total()), d.Init)
}

// noteStep shows how far a run is.
func noteStep(line *progress, e kernelext.Event) {
	switch {
	case e.Kind == kernelext.Point && e.Total > 0:
		line.Note("%d of %d steps, loss %.4f, %s left, %s", e.Done, e.Total, e.Point.Loss,
			time.Duration(e.Left*float64(time.Second)).Round(time.Second), e.Speed(", "))
	case e.Message != "":
		line.Note("%s", e.Message)
	}
}

func printRun(w io.Writer, c slm.Curve) error {
	last, seconds := slm.Point{}, c.Seconds()
	if len(c.Points) > 0 {
		last = c.Points[len(c.Points)-1]
	}
	_, err := fmt.Fprintf(w, "run            %s\nparams         %d\nloss           %s\ndata           %s\nsteps          %d\ntokens         %d\nFLOPs          %.3g, %.0f GFLOP/s\nheld-out loss  %.4f\nperplexity     %.2f\ntraining time  %s\n",
		c.Name, c.Parameters, c.Distillation.Loss, c.Distillation.Data, c.Steps(), last.Tokens, c.FLOPs(), c.FLOPs()/max(seconds, 1e-9)/1e9, c.Validation(), math.Exp(c.Validation()),
		time.Duration(seconds*float64(time.Second)).Round(time.Second))
	return err
}
