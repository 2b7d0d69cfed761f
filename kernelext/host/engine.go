package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gomlx/compute"

	"github.com/offshoot-ml/offshoot/datasets"
	"github.com/offshoot-ml/offshoot/kernelext/host/resident"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/checkpoint/hub"
	"github.com/offshoot-ml/offshoot/slm/distill"
	"github.com/offshoot-ml/offshoot/slm/export"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// engine computes with GoMLX on one backend.
type engine struct {
	backend compute.Backend
	device  string                     // its name
	peaks   map[slm.NumberType]float64 // those that are known
}

// Backend opens the accelerator that GOMLX_BACKEND names.
func (e *engine) Backend(context.Context) (backend, device string, err error) {
	if e.backend, err = model.NewBackend(); err != nil {
		return "", "", err
	}
	e.device, e.peaks = deviceName(e.backend), map[slm.NumberType]float64{}
	return e.backend.Name(), e.device, nil
}

// Peak is that of so many GPUs; what a processor calls its devices are the same cores.
func (e *engine) Peak(ctx context.Context, numbers slm.NumberType, devices int) (flops float64, err error) {
	if flops, err = e.peak(ctx, numbers); e.backend.HasSharedBuffers() {
		return flops, err
	}
	return float64(devices) * flops, err
}

// peak is the data sheet's for a GPU that is known, and measured once for any other device.
func (e *engine) peak(ctx context.Context, numbers slm.NumberType) (flops float64, err error) {
	if d, ok := slm.FindDevice(e.device); ok {
		return d.FLOPS(numbers), nil
	}
	if flops, ok := e.peaks[numbers]; ok {
		return flops, nil
	}
	if flops, err = model.Peak(ctx, e.backend, numbers); err == nil {
		e.peaks[numbers] = flops
	}
	return flops, err
}

// deviceName is a GPU's or a processor's name, or what the backend says of itself.
func deviceName(backend compute.Backend) string {
	description := backend.Description()
	if strings.Contains(strings.ToLower(description), "cuda") || strings.Contains(strings.ToLower(description), "gpu") {
		return cmp.Or(gpu(), description)
	}
	return fmt.Sprintf("%s, %d cores", processor(), runtime.NumCPU())
}

// gpu is the name of the first GPU that CUDA shows, as NVIDIA's driver tells it; empty where it does not.
func gpu() string {
	first, _, _ := strings.Cut(cmp.Or(os.Getenv("CUDA_VISIBLE_DEVICES"), "0"), ",")
	name, err := exec.Command("nvidia-smi", "--query-gpu=name", "--format=csv,noheader", "--id="+first).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(name))
}

// processor is the processor's name where the system tells it.
func processor() string {
	if file, err := os.Open("/proc/cpuinfo"); err == nil {
		defer file.Close()
		for lines := bufio.NewScanner(file); lines.Scan(); {
			if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return runtime.GOARCH
}

// OpenTeacher opens a teacher's files, and fetches those that are not there.
func (e *engine) OpenTeacher(ctx context.Context, reference string, report resident.Report) (resident.Teacher, error) {
	file, err := checkpoint.Open(ctx, reference, checkpoint.Options{Hub: hub.Settings{Progress: fetching(report)}})
	if err != nil {
		return nil, err
	}
	t := &teacher{engine: e, name: filepath.Base(reference), config: file.Config, file: file, pretrained: pretrainedOn(reference),
		texts: map[string]*datasets.Tokens{}, warmers: map[string]*model.Warmer{}}
	if t.sha256, err = file.Hash(ctx); err == nil {
		t.tokenizer, err = datasets.TeacherTokenizer(file)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return t, nil
}

// pretrainedOn is how many tokens a model was trained on, as its folder says; 0 where none of ours says it.
func pretrainedOn(folder string) int64 {
	record, err := export.ReadRecord(folder)
	if err != nil || record.Provenance.Training == nil {
		return 0
	}
	return record.Provenance.Training.Tokens
}

// fetching reports downloads.
func fetching(report resident.Report) func(hub.Progress) {
	return func(p hub.Progress) {
		report(fmt.Sprintf("fetching %s, %.0f MB/s, %s left", p.File, p.Rate/1e6, p.Left.Round(time.Second)), p.Done, p.Total)
	}
}

// teacher is a model with its tokenizer and the corpus in its tokens. Its files stay open until its weights are loaded: those are
// the files that the hash is of, whatever takes their names.
type teacher struct {
	engine     *engine
	name       string
	config     slm.Config
	file       *checkpoint.Teacher
	model      *model.Teacher // nil until the weights are needed
	bytes      atomic.Int64   // of the weights on the device: the host's status asks while a job loads them
	tokenizer  *datasets.Tokenizer
	sha256     string
	pretrained int64

	mu    sync.Mutex
	text  *datasets.Corpus            // opened when it is first needed
	texts map[string]*datasets.Tokens // other data, by the JSON of it

	warmers map[string]*model.Warmer // by the JSON of their plans
	warmFor string                   // the JSON of what asked for them
}

func (t *teacher) Config() slm.Config { return t.config }
func (t *teacher) SHA256() string     { return t.sha256 }
func (t *teacher) Bytes() int64       { return t.bytes.Load() }

// Load puts the weights on the device, unless they are there.
func (t *teacher) Load(ctx context.Context, report resident.Report) error {
	if t.model != nil {
		return nil
	}
	loaded, err := model.Load(ctx, t.engine.backend, t.config, t.file.Source, func(done, total int64) { report("loading "+t.name, done, total) })
	if err != nil {
		return fmt.Errorf("the teacher's weights cannot be loaded: %w; if its files changed, put them back and restart the host", err)
	}
	t.model = loaded
	t.bytes.Store(4 * slm.Subnet{}.Parameters(t.config).Total())
	t.file.Close() // it was only read
	return nil
}

// Corpus names the text that teachers are held against.
func (t *teacher) Corpus() string { return corpusName() }

func (t *teacher) Pretrained() int64 { return t.pretrained }

// corpusName names the corpus and its version: the Go installation's own files.
func corpusName() string {
	root, _ := datasets.FindGoRoot(context.Background()) // reading the corpus reports what is wrong
	return strings.TrimSpace("GOROOT " + datasets.GoVersion(root))
}

func (t *teacher) corpus(ctx context.Context, report resident.Report) (*datasets.Corpus, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.text != nil {
		return t.text, nil
	}
	text, err := datasets.GoRoot(ctx, t.tokenizer, func(done, total int) {
		report("reading the corpus", int64(done), int64(total))
	})
	if err != nil {
		return nil, err
	}
	t.text = text
	return text, nil
}

// Held returns the corpus's fixed validation sample, or one of the data's held-out documents as [teacher.Evaluate] reads them.
func (t *teacher) Held(ctx context.Context, data slm.Data, tokens, seqLen int, report resident.Report) ([]int32, error) {
	if !data.IsZero() {
		sample, err := readEvaluation(ctx, slm.Evaluation{Data: data, Tokens: tokens, SeqLen: seqLen}, t.tokenizer, t.config, timed(report))
		return sample.windows, err
	}
	corpus, err := t.corpus(ctx, report)
	if err != nil {
		return nil, err
	}
	return corpus.Validation(tokens, seqLen)
}

// Prepare plans and compiles the programs of a search.
func (t *teacher) Prepare(ctx context.Context, search slm.Search, windows, seqLen int, report resident.Report) error {
	plans, err := json.Marshal([]any{search.Warm, search.Halving})
	if err != nil {
		return err
	}
	if string(plans) != t.warmFor { // warmers hold the teacher's logits, which are large
		t.closeWarmers()
		t.warmFor = string(plans)
	}
	report("compiling the search's programs", 0, 0)
	return t.model.Prepare(ctx, search, windows, seqLen)
}

// Loss evaluates a sub-network in place.
func (t *teacher) Loss(ctx context.Context, subnet slm.Subnet, windows []int32, seqLen int) (float64, error) {
	return t.model.Loss(ctx, subnet, windows, seqLen)
}

// Importance measures on the first batches of the corpus.
func (t *teacher) Importance(ctx context.Context, by slm.Reorder, tokens, seqLen int, report resident.Report) (slm.Importance, error) {
	corpus, err := t.corpus(ctx, report)
	if err != nil {
		return slm.Importance{}, err
	}
	windows, err := corpus.Train(warmShuffle, (tokens+seqLen-1)/seqLen, seqLen).Next(ctx)
	if err != nil {
		return slm.Importance{}, err
	}
	progress := func(done, total int) { report("measuring the importance of units", int64(done), int64(total)) }
	if aggregate, ok := by.Aggregate(); ok {
		return t.model.Activations(ctx, windows, seqLen, aggregate, progress)
	}
	layers, err := t.model.BlockImportance(ctx, windows, seqLen, progress)
	if err != nil {
		return slm.Importance{}, err
	}
	units, err := t.model.WeightNorms()
	units.Layers = layers.Layers
	return units, err
}

// warmShuffle is the order of the training documents from which candidates learn, and on which importance is measured: all
// get the same batches.
const warmShuffle = 1

// mostWarmers bounds the plans that are kept ready: a search with halving has one for each rung.
const mostWarmers = 16

// WarmLoss trains a candidate on the first batches of the corpus, and evaluates it.
func (t *teacher) WarmLoss(ctx context.Context, plan slm.Warm, subnet slm.Subnet, windows []int32, seqLen int, report resident.Report) (float64, error) {
	text, err := json.Marshal(plan)
	if err != nil {
		return 0, err
	}
	w, ready := t.warmers[string(text)]
	if !ready {
		if len(t.warmers) == mostWarmers {
			t.closeWarmers()
		}
		if w, err = t.newWarmer(ctx, plan, report); err != nil {
			return 0, err
		}
		t.warmers[string(text)] = w
	}
	return w.Loss(ctx, subnet, windows, seqLen)
}

func (t *teacher) closeWarmers() {
	for _, w := range t.warmers {
		w.Close()
	}
	clear(t.warmers)
}

func (t *teacher) newWarmer(ctx context.Context, plan slm.Warm, report resident.Report) (*model.Warmer, error) {
	corpus, err := t.corpus(ctx, report)
	if err != nil {
		return nil, err
	}
	stream, batches := corpus.Train(warmShuffle, plan.Batch, plan.SeqLen), make([][]int32, plan.Steps)
	for i := range batches {
		if batches[i], err = stream.Next(ctx); err != nil {
			return nil, err
		}
	}
	return distill.NewWarmer(ctx, t.model, plan, batches)
}

// Generate continues a prompt.
func (t *teacher) Generate(ctx context.Context, prompt string, g slm.Generation) (string, error) {
	return continued(ctx, t.tokenizer, prompt, g, t.model.Generate)
}

// GenerateSubnet continues a prompt with a sub-network in place.
func (t *teacher) GenerateSubnet(ctx context.Context, subnet slm.Subnet, prompt string, g slm.Generation) (string, error) {
	return continued(ctx, t.tokenizer, prompt, g, func(ctx context.Context, ids []int32, g slm.Generation) ([]int32, error) {
		return t.model.GenerateSubnet(ctx, subnet, ids, g)
	})
}

func continued(ctx context.Context, tokenizer *datasets.Tokenizer, prompt string, g slm.Generation,
	generate func(context.Context, []int32, slm.Generation) ([]int32, error)) (string, error) {
	ids, err := tokenizer.EncodePrompt(prompt)
	if err != nil {
		return "", err
	}
	ids, err = generate(ctx, ids, g)
	text, undecoded := tokenizer.Decode(ids)
	return text, cmp.Or(err, undecoded)
}

// Trainer makes a student and opens its data. The teacher's weights are loaded if each step asks them.
func (t *teacher) Trainer(ctx context.Context, d slm.Distillation, report resident.Report) (resident.Trainer, error) {
	text, err := t.training(ctx, d.Data, report)
	if err != nil {
		return nil, err
	}
	held, err := text.Validation(d.EvalTokens, d.SeqLen)
	if err != nil {
		return nil, err
	}
	if d.Loss.NeedsTeacher() && !d.KeepLogits {
		if err := t.Load(ctx, report); err != nil {
			return nil, err
		}
	}
	run := &trainer{teacher: t}
	if run.Trainer, err = run.begin(d, text.Stream(d.ShuffleSeed, d.Batch, d.SeqLen), held); err != nil {
		return nil, err
	}
	if d.KeepLogits {
		if run.logits, err = t.keepLogits(run.Trainer, text.Hash()); err != nil {
			run.Trainer.Close()
			return nil, err
		}
	}
	return run, nil
}

// trainer trains a student of a teacher.
type trainer struct {
	*distill.Trainer
	teacher *teacher
	logits  *distill.Logits // nil unless they are kept
	report  resident.Report // of the step
}

// begin takes the student's first weights from the teacher in memory. One that is not there stays in its files, of which what the
// student keeps is read, until a step asks it.
func (t *trainer) begin(d slm.Distillation, data distill.Data, held []int32) (*distill.Trainer, error) {
	of := t.teacher
	if of.model != nil {
		return distill.New(of.engine.backend, of.model, d, data, held)
	}
	load := func(ctx context.Context) (*model.Teacher, error) {
		err := of.Load(ctx, t.report)
		return of.model, err
	}
	return distill.NewOnDemand(of.engine.backend, distill.OnDemand{Config: of.config, Kept: export.Cut(of.config, d.Subnet, of.file.Source), Load: load}, d, data, held)
}

// Step takes a step. It reports when it has to load the teacher.
func (t *trainer) Step(ctx context.Context, report resident.Report) (slm.Point, error) {
	t.report = report
	return t.Trainer.Step(ctx)
}

// Close frees the device's memory.
func (t *trainer) Close() {
	t.Trainer.Close()
	if t.logits != nil {
		t.logits.Close() // what it misses is computed again
	}
	trim()
}

// Bytes counts the weights and AdamW's two moments on each device, and the teacher, if it is loaded, on those beyond the first.
func (t *trainer) Bytes() int64 {
	devices := int64(t.Devices())
	return devices*3*4*t.Distillation.Subnet.Parameters(t.teacher.config).Total() + (devices-1)*t.teacher.Bytes()
}

// Generate continues a prompt with the student.
func (t *trainer) Generate(ctx context.Context, prompt string, g slm.Generation) (string, error) {
	return continued(ctx, t.teacher.tokenizer, prompt, g, t.Student.Generate)
}
