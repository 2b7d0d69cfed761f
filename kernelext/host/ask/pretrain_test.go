package ask

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

func pretrainOf(t *testing.T, args ...string) *Pretrain {
	t.Helper()
	p, set := &Pretrain{}, flag.NewFlagSet("pretrain", flag.ContinueOnError)
	p.Flags(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return p
}

// Without flags it is the bench's small teacher, with the learning rate's warm-up and decay in its steps.
func TestPretrainDefaults(t *testing.T) {
	p := pretrainOf(t, "--out", filepath.Join(t.TempDir(), "GPT-NeoX-9M"))
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	c, d := p.Architecture(), p.Training()
	if c.Name != "gpt-neox-9m" || c.Family != slm.GPTNeoX || c.HeadSize != 32 || (slm.Subnet{}).Parameters(c).Total() != 8415744 {
		t.Errorf("%+v of %d parameters", c, slm.Subnet{}.Parameters(c).Total())
	}
	if d.StepTokens() != 2048 || d.Schedule != (slm.Schedule{Peak: 1.5e-3, Warmup: 100, Horizon: 2000, Final: 0.1}) || d.Init != slm.FromRandom || d.Loss.NeedsTeacher() {
		t.Errorf("%+v", d)
	}
	for _, family := range []string{"llama", "qwen3"} {
		if err := pretrainOf(t, "--out", "x", "--family", family).Check(); err != nil {
			t.Errorf("%s: %v", family, err)
		}
	}
}

func TestPretrainRefuses(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "thesis.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"":                           "--out is missing",
		"--out " + full:              "holds other things (thesis.txt, …)",
		"--out x --family bert":      `--family is "bert", want gpt-neox, llama, qwen3`,
		"--out x --dtype int8":       `--dtype is "int8"`,
		"--out x --heads 7":          "--embd is 256 and --heads 7",
		"--out x --heads 0":          "--heads 0",
		"--out x --layers 0":         "layers is 0",
		"--out x --seq 513":          "the teacher's context of 512",
		"--out x --steps 0":          "--steps 0",
		"--out x --seed 0":           "--seed 0",
		"--out x --rate 0":           "--rate 0",
		"--out x --save-every 0":     "--save-every 0",
		"--out x --batch 0 --seq 64": "--batch 0",
		"--out x --devices 0":        "--devices is 0",
	} {
		if err := pretrainOf(t, strings.Fields(args)...).Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
}
