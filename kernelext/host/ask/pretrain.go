package ask

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/offshoot-ml/offshoot/slm"
)

// families are what all models of a family have in common here, by name: GPT-NeoX's are Pythia's, the others tied, as small
// models are.
var families = map[string]slm.Config{
	"gpt-neox": {Family: slm.GPTNeoX, NormEps: 1e-5, RopeTheta: 10000, RotaryFraction: 0.25, ParallelResidual: true},
	"llama":    {Family: slm.Llama, NormEps: 1e-5, RopeTheta: 10000, Tied: true},
	"qwen3":    {Family: slm.Qwen3, NormEps: 1e-6, RopeTheta: 10000, Tied: true},
}

// heldTokens are those on which a pretrained model is measured.
const heldTokens = 16384

// Pretrain makes a small teacher: a model that learns from random weights.
type Pretrain struct {
	Family, Tokenizer, Out, DType, License   string
	Layers, Embd, Heads, FFN, Context, Vocab int
	Steps, Batch, Seq, SaveEvery, Devices    int
	Rate                                     float64
	Seed                                     uint64
	JSON                                     bool
}

// Flags implements Request.
func (p *Pretrain) Flags(set *flag.FlagSet) {
	set.StringVar(&p.Family, "family", "gpt-neox", "the model's `FAMILY`: "+strings.Join(slices.Sorted(maps.Keys(families)), ", "))
	set.IntVar(&p.Layers, "layers", 8, "its layers")
	set.IntVar(&p.Embd, "embd", 256, "its embedding dimension, a multiple of the heads")
	set.IntVar(&p.Heads, "heads", 8, "heads in a layer")
	set.IntVar(&p.FFN, "ffn", 1024, "the intermediate size of the feed-forward part")
	set.IntVar(&p.Context, "context", 512, "the longest sequence, in tokens")
	set.IntVar(&p.Vocab, "vocab", 4096, "tokens of its vocabulary: the bytes, and what the first merges of the tokenizer make")
	set.StringVar(&p.Tokenizer, "tokenizer", "smollm2-135m", "whose byte-level BPE is cut down, a tokenizer.json or a "+modelUsage)
	set.IntVar(&p.Steps, "steps", 2000, "steps of the training; the learning rate rises for a twentieth of them, and falls to a tenth")
	set.IntVar(&p.Batch, "batch", 16, "sequences in a step")
	set.IntVar(&p.Seq, "seq", 128, "tokens in a sequence that are predicted")
	set.Float64Var(&p.Rate, "rate", 1.5e-3, "the highest learning rate")
	set.Uint64Var(&p.Seed, "seed", 1, "of the first weights and the order of the text; the same seed gives the same model")
	set.StringVar(&p.Out, "out", "", "the `FOLDER` to write: a new one, or that of an earlier pretraining; one in the lab's folder teachers makes an installed teacher")
	set.StringVar(&p.DType, "dtype", exportTypes[0], "the `TYPE` of number in the folder: "+strings.Join(exportTypes, ", "))
	set.StringVar(&p.License, "license", "", "the `LICENCE` that the model card names, such as apache-2.0")
	set.IntVar(&p.SaveEvery, "save-every", 100, "steps between checkpoints, beside the folder, from which the same command goes on")
	set.IntVar(&p.Devices, "devices", 1, "share each batch evenly among so many devices `N` of the accelerator, such as GPUs; a checkpoint does not mind how many")
	set.BoolVar(&p.JSON, "json", false, "print JSON")
}

// Check implements Request.
func (p *Pretrain) Check() error {
	if p.Out == "" {
		return errors.New("--out is missing: name the folder to write")
	}
	if err := errors.Join(oneOf("family", p.Family, slices.Sorted(maps.Keys(families))), oneOf("dtype", p.DType, exportTypes), p.checkOut()); err != nil {
		return err
	}
	if p.Heads < 1 || p.Embd%p.Heads != 0 {
		return fmt.Errorf("--embd is %d and --heads %d: want heads that divide it", p.Embd, p.Heads)
	}
	if p.Steps < 1 || p.Seed < 1 || p.Rate <= 0 {
		return fmt.Errorf("--steps %d, --seed %d, --rate %g: want at least 1, 1 and more than 0", p.Steps, p.Seed, p.Rate)
	}
	if p.Batch < 1 || p.Seq < 2 || p.SaveEvery < 1 {
		return fmt.Errorf("--batch %d, --seq %d, --save-every %d: want at least 1, 2 and 1", p.Batch, p.Seq, p.SaveEvery)
	}
	if p.Devices < 1 {
		return fmt.Errorf("--devices is %d: want at least 1", p.Devices)
	}
	c := p.Architecture()
	return errors.Join(c.Validate(), p.Training().Validate(c))
}

// checkOut reports, before hours of training, a folder that would not be written over.
func (p *Pretrain) checkOut() error {
	entries, err := os.ReadDir(p.Out)
	if _, record := os.Stat(filepath.Join(p.Out, "offshoot.json")); err == nil && len(entries) > 0 && record != nil {
		return fmt.Errorf("--out: %s holds other things (%s, …): name a new folder", p.Out, entries[0].Name())
	}
	return nil
}

// Architecture is the model that the flags describe, named by its folder.
func (p *Pretrain) Architecture() slm.Config {
	c := families[p.Family]
	c.Name = strings.ToLower(filepath.Base(p.Out))
	c.Layers, c.Embd, c.FFN, c.Vocab, c.Context = p.Layers, p.Embd, p.FFN, p.Vocab, p.Context
	c.Heads, c.QueryGroups, c.HeadSize = p.Heads, p.Heads, p.Embd/p.Heads
	return c
}

// Training is how it is trained: all of the architecture as a student of nobody.
func (p *Pretrain) Training() slm.Distillation {
	return slm.Distillation{Init: slm.FromRandom, Loss: slm.CE(1), Batch: p.Batch, SeqLen: p.Seq,
		Schedule:   slm.Schedule{Peak: p.Rate, Warmup: max(1, p.Steps/20), Horizon: p.Steps},
		EvalTokens: max(heldTokens, p.Seq), EvalEvery: max(1, p.Steps/20), SaveEvery: p.SaveEvery, ShuffleSeed: p.Seed, WeightsSeed: p.Seed}.WithDefaults()
}
