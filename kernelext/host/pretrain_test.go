package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/kernelext/host/resident"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/family"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// A test that needs a process to kill starts this program again, as the host's binary.
func TestMain(m *testing.M) {
	if os.Getenv(hostMark) != "" {
		os.Exit(resident.Main(&engine{}, os.Stderr))
	}
	if os.Getenv("OFFSHOOT_TEST_VERB") != "" {
		os.Exit(runVerb(os.Args[1], os.Args[2:]))
	}
	os.Exit(m.Run())
}

// tinyTokenizer is a byte-level BPE of five merges.
const tinyTokenizer = `{"version": "1.0", "added_tokens": [], "normalizer": null, "post_processor": null,
	"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
	"decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
	"model": {"type": "BPE", "vocab": {}, "merges": ["Ġ t", "i n", "e r", "Ġt h", "r e"]}}`

const tinySteps = 300

// tinyModel are the flags of a model that is pretrained in seconds.
func tinyModel(t *testing.T, out string, more ...string) []string {
	t.Helper()
	if _, err := model.NewBackend(); err != nil {
		t.Skip(err)
	}
	tokenizer := filepath.Join(t.TempDir(), "tokenizer.json")
	if err := os.WriteFile(tokenizer, []byte(tinyTokenizer), 0o644); err != nil {
		t.Fatal(err)
	}
	return append([]string{"--layers", "1", "--embd", "16", "--heads", "2", "--ffn", "32", "--context", "32", "--vocab", "260", "--tokenizer", tokenizer,
		"--steps", fmt.Sprint(tinySteps), "--batch", "4", "--seq", "16", "--rate", "1e-2", "--save-every", "20", "--out", out}, more...)
}

// runTiny pretrains, and reads what is printed.
func runTiny(ctx context.Context, args []string) (p pretrained, err error) {
	return p, runHere(ctx, "pretrain", args, &p)
}

// runHere does a verb in this process, and reads the JSON that it prints.
func runHere(ctx context.Context, verb string, args []string, printed any) error {
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer read.Close()
	stdout := os.Stdout
	os.Stdout = write
	err = do(ctx, verb, append(args, "--json"), newMeter(os.Stderr))
	os.Stdout = stdout
	write.Close()
	if err == nil {
		err = json.NewDecoder(read).Decode(printed)
	}
	return err
}

func fileOf(t *testing.T, path ...string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A model learns the text. Its process may be killed and interrupted: the same command goes on, to the same weights.
func TestPretrainGoesOnWhereItWasKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for some seconds; -short")
	}
	dir := t.TempDir()
	whole, err := runTiny(t.Context(), tinyModel(t, filepath.Join(dir, "whole")))
	if err != nil {
		t.Fatal(err)
	}
	if !(whole.Loss > 1 && whole.Loss < 3.6) || whole.Steps != tinySteps || whole.Tokens != tinySteps*64 || whole.Resumed != 0 || whole.Perplexity != math.Exp(whole.Loss) {
		t.Errorf("%+v; uniform guesses have a loss of %.2f", whole, math.Log(260))
	}
	out := filepath.Join(dir, "killed")
	args := tinyModel(t, out)
	kill(t, args, out+".checkpoint.safetensors")
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
	defer stop()
	if _, err := runTiny(ctx, args); err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
	resumed, err := runTiny(t.Context(), args)
	if err != nil {
		t.Fatal(err)
	}
	if resumed.Resumed < 20 || resumed.Loss != whole.Loss || !bytes.Equal(fileOf(t, out, "model.safetensors"), fileOf(t, dir, "whole", "model.safetensors")) {
		t.Errorf("resumed %+v, undisturbed %+v", resumed, whole)
	}
	// Each tenth step, and 20 with a held-out loss, half of which are tenth ones.
	got, want := curveIn(t, out), curveIn(t, filepath.Join(dir, "whole"))
	if len(want) != tinySteps/thinning+10 || !slices.EqualFunc(got, want, func(a, b slm.Point) bool { a.Seconds, b.Seconds = 0, 0; return a == b }) {
		t.Errorf("curve %+v, undisturbed %+v", got, want)
	}
	if last := want[len(want)-1]; last.Step != tinySteps || last.Validation != whole.Loss {
		t.Errorf("the curve ends at %+v, the model at %+v", last, whole)
	}
}

func curveIn(t *testing.T, dir string) []slm.Point {
	t.Helper()
	points, err := slm.ReadPoints(bytes.NewReader(fileOf(t, dir, "curve.csv")))
	if err != nil {
		t.Fatal(err)
	}
	return points
}

// kill runs a pretraining in a process of its own, and kills it once it has a checkpoint.
func kill(t *testing.T, args []string, checkpoint string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"pretrain"}, args...)...)
	cmd.Env, cmd.Stderr = append(os.Environ(), "OFFSHOOT_TEST_VERB=1"), os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			t.Fatalf("it ended before it was killed: %v", err)
		case <-time.After(time.Millisecond):
		}
		if _, err := os.Stat(checkpoint); err == nil {
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-ended
}

// Other flags do not go on from a checkpoint; another type of number may, and the steps are not taken again.
func TestPretrainRefusesOtherFlags(t *testing.T) {
	out := filepath.Join(t.TempDir(), "new", "folder")
	few := func(more ...string) []string { return tinyModel(t, out, append([]string{"--steps", "20"}, more...)...) }
	first, err := runTiny(t.Context(), few())
	if err != nil {
		t.Fatal(err)
	}
	for want, flags := range map[string][]string{
		"batch is 4 there, 3 here":        {"--batch", "3"},
		`schedule is {"peak":0.01`:        {"--steps", "30"},
		"weights_seed is 1 there, 2 here": {"--seed", "2"},
		"context is 32 there, 64 here":    {"--context", "64"},
		"vocab is 260 there, 259 here":    {"--vocab", "259"},
		"want 270":                        {"--vocab", "270"},
	} {
		if _, err := runTiny(t.Context(), few(flags...)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", flags, err, want)
		}
	}
	again, err := runTiny(t.Context(), few("--dtype", "bfloat16"))
	if err != nil || again.Resumed != 20 || again.Loss != first.Loss || !bytes.Contains(fileOf(t, out, "config.json"), []byte(`"bfloat16"`)) {
		t.Errorf("%+v, %v", again, err)
	}
}

// Two devices, which share each batch, make the model that one makes, and go on from its checkpoint.
func TestPretrainOnDevices(t *testing.T) {
	dir := t.TempDir()
	train := func(name string, flags ...string) (pretrained, error) {
		return runTiny(t.Context(), tinyModel(t, filepath.Join(dir, name), append([]string{"--steps", "20", "--save-every", "10"}, flags...)...))
	}
	if _, err := train("two", "--devices", "3"); err == nil || !strings.Contains(err.Error(), "--devices: 3 devices: ") {
		t.Errorf("on three devices, which cannot share four sequences: %v", err)
	}
	one, err := train("one")
	if err != nil {
		t.Fatal(err)
	}
	two, err := train("two", "--devices", "2")
	if err != nil && strings.Contains(err.Error(), "has 1") {
		t.Skip(err)
	}
	if err != nil || math.Abs(two.Loss-one.Loss) > 1e-5 || two.Tokens != one.Tokens {
		t.Errorf("on two devices %+v, %v; on one %+v", two, err, one)
	}
	again, err := train("two")
	if err != nil || again.Resumed != 20 || again.Loss != two.Loss {
		t.Errorf("afterwards on one %+v, %v", again, err)
	}
}

// The folder is a teacher: by its path, by its name where teachers are installed, and for transformers.
func TestPretrainedModelIsATeacher(t *testing.T) {
	home := t.TempDir()
	t.Setenv("OFFSHOOT_HOME", home)
	out := filepath.Join(home, "teachers", "tiny-neox")
	if _, err := runTiny(t.Context(), tinyModel(t, out, "--steps", "20")); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(t.TempDir(), "text.txt")
	if err := os.WriteFile(text, []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{out, "tiny-neox"} {
		if err := do(t.Context(), "eval", []string{"--model", name, "--text", text, "--seq", "8"}, newMeter(os.Stderr)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		o, err := openTeacher(t.Context(), name, slm.Subnet{}, newMeter(os.Stderr))
		if err != nil {
			t.Fatal(err)
		}
		if tokenizer, err := studentTokenizer(o.Teacher); err != nil || o.Config.Vocab != 260 || o.EOS != 0 || o.Config.Name != "tiny-neox" || *tokenizer.EOS != 0 {
			t.Errorf("%s: %+v, EOS %d, %v", name, o.Config, o.EOS, err)
		}
		o.Close()
	}
	if card := string(fileOf(t, out, "README.md")); strings.Contains(card, "sub-network") || !strings.Contains(card, "pretrained from random weights") {
		t.Errorf("its card:\n%s", card)
	}
	python := os.Getenv("OFFSHOOT_REFERENCES")
	if python == "" {
		t.Skip("OFFSHOOT_REFERENCES names no Python with transformers")
	}
	compareLogits(t, python, out)
}

// The family of slm/family is what transformers loads, too.
func TestFamily(t *testing.T) {
	python := os.Getenv("OFFSHOOT_REFERENCES")
	if python == "" {
		t.Skip("OFFSHOOT_REFERENCES names no Python with transformers")
	}
	members, err := family.Members()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		t.Run(m.Config.Name, func(t *testing.T) {
			compareLogits(t, python, filepath.Join("..", "..", "slm", "family", m.Config.Name))
		})
	}
}

// compareLogits computes logits here and with transformers.
func compareLogits(t *testing.T, python, folder string) {
	t.Helper()
	ids := []int32{0, 5, 259, 257, 66, 102, 11, 12, 255, 256, 1, 2, 33, 34, 258, 99}
	want := logitsHere(t, folder, ids)
	tokens, _ := json.Marshal([][]int32{ids})
	cmd := exec.CommandContext(t.Context(), python, filepath.Join("..", "..", "slm", "checkpoint", "testdata", "check_export.py"), string(tokens), folder)
	cmd.Stderr = os.Stderr
	printed, err := cmd.Output()
	var found []struct{ Class, Logits string }
	if err := errors.Join(err, json.Unmarshal(printed, &found)); err != nil || len(found) != 1 || found[0].Class != "GPTNeoXForCausalLM" {
		t.Fatalf("transformers: %v, %.80s", err, printed)
	}
	raw, err := base64.StdEncoding.DecodeString(found[0].Logits)
	if err != nil || len(raw) != 4*len(want) {
		t.Fatalf("%d bytes of logits, want %d: %v", len(raw), 4*len(want), err)
	}
	far := 0.0
	for i, w := range want {
		far = max(far, math.Abs(float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))-w)))
	}
	if t.Logf("logits differ by %.1e", far); !(far < 1e-4) {
		t.Errorf("transformers' logits differ by %g", far)
	}
}

func logitsHere(t *testing.T, folder string, ids []int32) []float32 {
	t.Helper()
	file, err := checkpoint.Open(t.Context(), folder, checkpoint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	backend, err := model.NewBackend()
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	teacher, err := model.Load(t.Context(), backend, file.Config, file.Source, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer teacher.Close()
	out, err := teacher.Logits(t.Context(), tensors.FromFlatDataAndDimensions(ids, 1, len(ids)))
	if err != nil {
		t.Fatal(err)
	}
	values, err := model.Download(out)
	if err != nil {
		t.Fatal(err)
	}
	return values
}
