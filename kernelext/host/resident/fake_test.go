package resident_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/kernelext/host/resident"
	"github.com/offshoot-ml/offshoot/slm"
)

// The test binary is the host of these tests, too: env.json of a test's home makes the client start it as one.
const hostMark = "OFFSHOOT_FAKE_HOST"

func TestMain(m *testing.M) {
	if os.Getenv(hostMark) == "" {
		os.Exit(m.Run())
	}
	settings, err := resident.EnvironmentSettings()
	settings.Version = os.Getenv("OFFSHOOT_FAKE_VERSION")
	settings.HealEvery, settings.ListenerCheck = 100*time.Millisecond, 50*time.Millisecond
	settings.LockPatience = 2 * time.Second
	if settings.IdleAfter == 0 { // a test that was killed leaves no host behind for long
		settings.IdleAfter = time.Minute
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		err = resident.Run(ctx, settings, fakeEngine{}, log)
	}
	if err != nil {
		log.Error("host ends", "error", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// fakeEngine computes numbers that depend on nothing but what was asked, in a time that the teacher's file sets.
type fakeEngine struct{}

// fakeFile is the content of a fake teacher's file.
type fakeFile struct {
	Wait  time.Duration // of an evaluation and of a step
	Panic bool          // in every evaluation
	Noise float64       // of losses on different numbers of tokens
	First int32         // token of the held-out text
	Break int           // a step that panics halfway
	Rise  int           // the step from which on the loss is high, as long as the learning rate is
	Fail  int64         // every so many sub-networks have no finite loss, others have none after training
}

func (fakeEngine) Backend(context.Context) (string, string, error) {
	if message := os.Getenv("OFFSHOOT_FAKE_BACKEND"); message != "" {
		return "", "", errors.New(message)
	}
	return "fake", "test", nil
}

// fakePeak is in operations a second.
const fakePeak = 1e15

func (fakeEngine) Devices(context.Context) []kernelext.Device {
	return []kernelext.Device{{Name: "a device"}}
}

func (fakeEngine) Peak(context.Context, slm.NumberType, int) (float64, error) { return fakePeak, nil }

func (fakeEngine) OpenTeacher(_ context.Context, path string, report resident.Report) (resident.Teacher, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t := &fakeTeacher{home: filepath.Dir(filepath.Dir(path))}
	if err := json.Unmarshal(content, &t.file); err != nil {
		return nil, fmt.Errorf("%s is cut short: %w", path, err)
	}
	t.config, err = slm.Published("smollm2-135m")
	return t, err
}

// Start takes a file for a student whose weights are its content.
func (fakeEngine) Start(_ context.Context, folder string, _ slm.Config, asked slm.Subnet) (resident.Start, error) {
	content, err := os.ReadFile(folder)
	return resident.Start{Subnet: asked, SHA256: string(content)}, err
}

// Export writes what it was asked into the folder, in as many slow parts as the teacher's name asks for.
func (fakeEngine) Export(ctx context.Context, e resident.Export, report resident.Report) (kernelext.Exported, error) {
	for i := range int64(10) {
		report("writing", i, 10)
		if filepath.Base(e.Teacher) == "slow.gguf" {
			time.Sleep(50 * time.Millisecond)
		}
		if ctx.Err() != nil {
			return kernelext.Exported{}, ctx.Err()
		}
	}
	text, err := json.Marshal(e)
	if err == nil {
		err = os.WriteFile(e.Dir, text, 0o644)
	}
	return kernelext.Exported{Class: "Fake", Layers: e.Layers, Steps: 7}, err
}

// EvaluateRun finds a loss that tells which checkpoint was evaluated.
func (fakeEngine) EvaluateRun(_ context.Context, h resident.History, e slm.Evaluation, _ resident.Report) (slm.Evaluated, error) {
	file := h.Checkpoint
	if e.Best {
		file = h.Best
	}
	trainer := fakeTrainer{}
	err := trainer.Load(file)
	return slm.Evaluated{Evaluation: &e, Steps: trainer.Done, Loss: 1 + trainer.Weight}, err
}

type fakeTeacher struct {
	home   string
	file   fakeFile
	config slm.Config
	bytes  atomic.Int64
}

func (t *fakeTeacher) Config() slm.Config { return t.config }
func (t *fakeTeacher) SHA256() string     { return "5ba" }
func (t *fakeTeacher) Bytes() int64       { return t.bytes.Load() }
func (t *fakeTeacher) Corpus() string     { return "test" }
func (t *fakeTeacher) Pretrained() int64  { return 0 }

func (t *fakeTeacher) Load(_ context.Context, report resident.Report) error {
	report("loading", 1, 1)
	t.bytes.Store(1 << 20)
	return nil
}

func (t *fakeTeacher) Held(_ context.Context, data slm.Data, tokens, seqLen int, _ resident.Report) ([]int32, error) {
	ids := make([]int32, (tokens+seqLen-1)/seqLen*(seqLen+1))
	ids[1] = int32(len(data.String()))
	ids[0] = t.file.First
	return ids, nil
}

// evaluation is how an evaluation is noted.
func evaluation(subnet slm.Subnet, tokens int) string {
	return fmt.Sprintf("%s/%d", subnet.Key(), tokens)
}

// Loss depends on the sub-network and on how much text there is. It notes every evaluation in a file, so that a test can
// count them.
func (t *fakeTeacher) Prepare(ctx context.Context, _ slm.Search, _, _ int, _ resident.Report) error {
	return ctx.Err()
}

func (t *fakeTeacher) Loss(_ context.Context, subnet slm.Subnet, windows []int32, seqLen int) (float64, error) {
	if t.file.Panic {
		panic("as the test asked")
	}
	time.Sleep(t.file.Wait)
	file, err := os.OpenFile(filepath.Join(t.home, "evaluations"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	tokens := len(windows) / (seqLen + 1) * seqLen
	_, err = fmt.Fprintln(file, evaluation(subnet, tokens))
	if t.fails(subnet, 0) {
		return math.NaN(), err
	}
	return 3 + 1e7/float64(subnet.Parameters(t.config).Total()) + t.file.Noise*float64(subnet.Embd.Len(576)*tokens%7), err
}

func (t *fakeTeacher) fails(subnet slm.Subnet, rest int64) bool {
	return t.file.Fail > 0 && subnet.Parameters(t.config).Total()/576%t.file.Fail == rest
}

// Importance is noted in a file, so that tests can count measurements. The last embedding dimensions and layers matter most.
func (t *fakeTeacher) Importance(_ context.Context, by slm.Reorder, tokens, _ int, _ resident.Report) (slm.Importance, error) {
	file, err := os.OpenFile(filepath.Join(t.home, "importances"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return slm.Importance{}, err
	}
	defer file.Close()
	_, err = fmt.Fprintln(file, by, tokens)
	ascending := func(n int) (scores []float64) {
		for i := range n {
			scores = append(scores, float64(i))
		}
		return scores
	}
	return slm.Importance{Method: string(by), Layers: ascending(t.config.Layers), Embd: ascending(t.config.Embd)}, err
}

// WarmLoss falls with the steps.
func (t *fakeTeacher) WarmLoss(ctx context.Context, plan slm.Warm, subnet slm.Subnet, windows []int32, seqLen int, _ resident.Report) (float64, error) {
	time.Sleep(t.file.Wait)
	if t.fails(subnet, 1) {
		return math.Inf(1), nil
	}
	return 2 + 1/float64(plan.Steps), nil
}

// Evaluate waits in steps, between which it can be stopped.
func (t *fakeTeacher) Evaluate(ctx context.Context, e slm.Evaluation, report resident.Report) (slm.Evaluated, error) {
	for i := range int64(10) {
		report("evaluating", i, 10)
		time.Sleep(t.file.Wait)
		if ctx.Err() != nil {
			return slm.Evaluated{}, ctx.Err()
		}
	}
	return slm.Evaluated{Evaluation: &e, Loss: 2.5}, nil
}

func (t *fakeTeacher) Generate(_ context.Context, prompt string, g slm.Generation) (string, error) {
	return strings.Repeat("la ", g.Tokens) + prompt, nil
}

// Predict expects every word for sure, and none after the text. A text of more than three is too long.
func (t *fakeTeacher) Predict(_ context.Context, r kernelext.Reading) (slm.Predicted, error) {
	return fakePredicted(r, 0)
}

func fakePredicted(r kernelext.Reading, steps int) (p slm.Predicted, err error) {
	for _, word := range strings.Fields(r.Text) {
		p.Tokens = append(p.Tokens, slm.PredictedToken{Text: word, Expected: []slm.Likely{{Text: word, Probability: 1}}})
	}
	if p.Steps = steps; len(p.Tokens) > 3 {
		err = kernelext.Errorf(kernelext.Invalid, "a text of %d words: want 1 to 3", len(p.Tokens))
	}
	return p, err
}

func (t *fakeTeacher) Attention(_ context.Context, r kernelext.Reading) (slm.Attention, error) {
	kept, err := r.Subnet.KeptHeads(t.config, r.Layers, r.Heads)
	if err != nil {
		return slm.Attention{}, kernelext.Errorf(kernelext.Invalid, "%v", err)
	}
	a := slm.Attention{Tokens: strings.Fields(r.Text)}
	for _, h := range kept {
		a.Maps = append(a.Maps, slm.AttentionMap{Layer: h.Layer, Head: h.Head, Weights: [][]float32{{1}}})
	}
	return a, nil
}

func (t *fakeTeacher) GenerateSubnet(_ context.Context, subnet slm.Subnet, prompt string, g slm.Generation) (string, error) {
	return fmt.Sprintf("%s with %d dimensions", prompt, subnet.Embd.Len(t.config.Embd)), nil
}

func (t *fakeTeacher) Trainer(_ context.Context, d slm.Distillation, _ resident.Report) (resident.Trainer, error) {
	return &fakeTrainer{teacher: t, d: d, Weight: 1}, nil
}

// fakeKept is the number of steps for which logits are kept.
const fakeKept = 3

// fakeTrainer has one weight, which every step changes.
type fakeTrainer struct {
	teacher *fakeTeacher
	d       slm.Distillation
	changes []slm.Change
	Done    int
	Weight  float64
}

func (t *fakeTrainer) Steps() int   { return t.Done }
func (t *fakeTrainer) Bytes() int64 { return 1 << 20 }
func (t *fakeTrainer) Close()       {}

func (t *fakeTrainer) Begin(context.Context) error {
	if t.d.From == "" {
		return nil
	}
	content, err := os.ReadFile(t.d.From)
	if err == nil && string(content) != t.d.FromSHA256 {
		err = errors.New("it has changed since")
	}
	return err
}

func (t *fakeTrainer) Follow(changes []slm.Change) error {
	t.changes = changes
	return nil
}

func (t *fakeTrainer) Spread(devices int) error {
	if devices > 2 {
		return fmt.Errorf("%d devices: the accelerator has 2", devices)
	}
	return nil
}

// Step asks the teacher where its logits are kept, but not for the first steps.
func (t *fakeTrainer) Step(ctx context.Context, report resident.Report) (slm.Point, error) {
	if t.d.KeepLogits && t.Done == fakeKept {
		if err := t.teacher.Load(ctx, report); err != nil {
			return slm.Point{}, err
		}
	}
	time.Sleep(t.teacher.file.Wait)
	t.Done++
	if t.Done == t.teacher.file.Break {
		panic("halfway")
	}
	rate := t.d.At(t.Done-1, t.changes).Schedule.Peak
	t.Weight = math.Mod(t.Weight*1.7+float64(t.Done)+1000*rate, 11)
	return slm.Point{Step: t.Done, Tokens: int64(t.Done * t.d.StepTokens()), Loss: 2 + t.Weight, CE: t.crossEntropy(rate), Rate: rate,
		Spent: slm.Spent{Data: 0.25, Student: 0.5}}, nil
}

func (t *fakeTrainer) crossEntropy(rate float64) float64 {
	if rise := t.teacher.file.Rise; rise > 0 && t.Done >= rise && rate > 5e-4 {
		return 9
	}
	return 3
}

func (t *fakeTrainer) Validate(context.Context) (float64, error) { return 1 + t.Weight, nil }

// Save fails as on a full disk while the home has a file named full.
func (t *fakeTrainer) Save(path string) error {
	if _, err := os.Stat(filepath.Join(t.teacher.home, "full")); err == nil {
		return &os.PathError{Op: "write", Path: path, Err: syscall.ENOSPC}
	}
	content, err := json.Marshal(t)
	if err == nil {
		err = os.WriteFile(path+".new", content, 0o644)
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	return err
}

func (t *fakeTrainer) Load(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(content, t)
}

func (t *fakeTrainer) Generate(_ context.Context, prompt string, _ slm.Generation) (string, error) {
	return fmt.Sprintf("%s at step %d", prompt, t.Done), nil
}

func (t *fakeTrainer) Predict(_ context.Context, r kernelext.Reading) (slm.Predicted, error) {
	return fakePredicted(r, t.Done)
}

func (t *fakeTrainer) Attention(ctx context.Context, r kernelext.Reading) (slm.Attention, error) {
	r.Subnet = t.d.Subnet
	return t.teacher.Attention(ctx, r)
}
