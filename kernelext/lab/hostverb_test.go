package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

// The tiny teachers, as transformers writes them, with its logits; and sub-networks of them with whittle's.
const (
	tinyTeachers   = "../../slm/model/testdata/transformers"
	whittleSubnets = "../../slm/model/testdata/whittle/expected.json"
	tinyVocab      = 64
)

// hostLab is the lab that is set up, with its host's binary.
func hostLab(t *testing.T) (l *lab, stdout, stderr *strings.Builder) {
	t.Helper()
	l = readyLab(t)
	if !exists(l.path("bin", "offshoot-host")) {
		t.Skip("the host is not built: go run ./kernelext/lab setup")
	}
	stdout, stderr = &strings.Builder{}, &strings.Builder{}
	l.stdout, l.stderr = stdout, stderr
	return l, stdout, stderr
}

// tinyTeacher copies a tiny teacher, and gives it a tokenizer of 64 words, t0 to t63.
func tinyTeacher(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(tinyTeachers, name))); err != nil {
		t.Fatal(err)
	}
	vocabulary := map[string]int{}
	for id := range tinyVocab {
		vocabulary[fmt.Sprintf("t%d", id)] = id
	}
	text, err := json.Marshal(map[string]any{
		"version": "1.0", "truncation": nil, "padding": nil, "added_tokens": []any{}, "normalizer": nil,
		"pre_tokenizer": map[string]any{"type": "WhitespaceSplit"}, "post_processor": nil, "decoder": nil,
		"model": map[string]any{"type": "WordLevel", "vocab": vocabulary, "unk_token": "t0"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tokenizer.json"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// words writes tokens as a text of the tiny teachers' tokenizer.
func words(t *testing.T, tokens ...int32) string {
	t.Helper()
	var text strings.Builder
	for _, id := range tokens {
		fmt.Fprintf(&text, "t%d\n", id)
	}
	path := filepath.Join(t.TempDir(), "text.txt")
	if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// logits are base64 of little-endian float32, a row for each token.
type logits []byte

// loss is the mean negative log-likelihood of all tokens but the first, given those before.
func (l logits) loss(tokens []int32) float64 {
	sum := 0.0
	for i, next := range tokens[1:] {
		row, total := make([]float64, tinyVocab), 0.0
		for j := range row {
			row[j] = float64(math.Float32frombits(binary.LittleEndian.Uint32(l[4*(i*tinyVocab+j):])))
			total += math.Exp(row[j])
		}
		sum += math.Log(total) - row[next]
	}
	return sum / float64(len(tokens)-1)
}

// evaluated is what `lab eval --json` must print, field by field.
type evaluated struct {
	Model         string  `json:"model"`
	Params        int64   `json:"params"`
	FLOPsPerToken int64   `json:"flops_per_token"`
	Tokens        int     `json:"tokens"`
	NLL           float64 `json:"nll"`
	Perplexity    float64 `json:"perplexity"`

	Evaluation    slm.Evaluation `json:"evaluation"` // of --data, as the rest
	Documents     int            `json:"documents"`
	BytesPerToken float64        `json:"bytes_per_token"`
	BitsPerByte   float64        `json:"bits_per_byte"`
	Seconds       float64        `json:"seconds"`
	Steps         int            `json:"steps"`
}

// evaluate runs `lab eval --json`.
func evaluate(t *testing.T, args ...string) (e evaluated) {
	t.Helper()
	l, stdout, stderr := hostLab(t)
	if err := l.askHost(t.Context(), "eval", append(args, "--json")); err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	decoder := json.NewDecoder(strings.NewReader(stdout.String()))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&e); err != nil {
		t.Fatalf("%v\n%s", err, stdout)
	}
	return e
}

// The loss that `lab eval` prints is that of transformers' logits, for every family, in windows of a length that leaves
// some tokens over.
func TestEvalAgreesWithTransformers(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(tinyTeachers, "*", "expected.json"))
	if err != nil || len(files) < 10 {
		t.Fatalf("%d teachers (%v)", len(files), err)
	}
	for i, file := range files {
		name := filepath.Base(filepath.Dir(file))
		if testing.Short() && i%4 > 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			var want struct {
				Tokens [][]int32 `json:"tokens"`
				Logits logits    `json:"logits"`
			}
			readJSON(t, file, &want)
			a, b := want.Tokens[0], want.Tokens[1]
			loss := (want.Logits.loss(a) + want.Logits[4*len(a)*tinyVocab:].loss(b)) / 2
			text := words(t, append(append(append([]int32{}, a...), b...), 1, 2, 3)...)
			got := evaluate(t, "--model", tinyTeacher(t, name), "--text", text, "--seq", fmt.Sprint(len(a)))
			if !(math.Abs(got.NLL-loss) < 1e-4) || math.Abs(got.Perplexity-math.Exp(got.NLL)) > 1e-9 {
				t.Errorf("nll %.6f, perplexity %.6f; transformers' logits have nll %.6f", got.NLL, got.Perplexity, loss)
			}
			if want := 2 * (len(a) - 1); got.Tokens != want || got.Params <= 0 || got.FLOPsPerToken <= 0 {
				t.Errorf("got %+v, want %d tokens", got, want)
			}
		})
	}
}

// A sub-network's loss is that of whittle's logits, and its parameters are counted.
func TestEvalOfSubnetworksAgreesWithWhittle(t *testing.T) {
	var reference struct {
		Tokens []int32 `json:"tokens"`
		Cases  []struct {
			Teacher string          `json:"teacher"`
			Subnet  json.RawMessage `json:"subnet"`
			Logits  logits          `json:"logits"`
		} `json:"cases"`
	}
	readJSON(t, whittleSubnets, &reference)
	text := words(t, reference.Tokens...)
	for i, c := range reference.Cases {
		if i%6 > 0 { // each is a process; slm/model tests them all
			continue
		}
		subnet := filepath.Join(t.TempDir(), "subnet.json")
		if err := os.WriteFile(subnet, c.Subnet, 0o644); err != nil {
			t.Fatal(err)
		}
		got := evaluate(t, "--model", tinyTeacher(t, c.Teacher), "--subnet", subnet, "--text", text, "--seq", fmt.Sprint(len(reference.Tokens)))
		if want := c.Logits.loss(reference.Tokens); !(math.Abs(got.NLL-want) < 1e-4) {
			t.Errorf("%s %s: nll %.6f, whittle's logits have %.6f", c.Teacher, c.Subnet, got.NLL, want)
		}
	}
}

// An installed teacher is found by its name, and how many windows make a pass does not matter.
func TestEvalOfSmolLM2(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("The quick brown fox jumps over the lazy dog. ", 40)), 0o644); err != nil {
		t.Fatal(err)
	}
	small := evaluate(t, "--model", "smollm2-135m", "--text", text, "--seq", "64", "--batch", "1")
	if small.Model != "smollm2-135m" || small.Params != 134515008 || small.Tokens%63 != 0 || !(small.NLL > 0 && small.NLL < 2) {
		t.Errorf("a sentence that repeats: %+v", small)
	}
	if batched := evaluate(t, "--model", "smollm2-135m", "--text", text, "--seq", "64", "--batch", "4"); math.Abs(batched.NLL-small.NLL) > 1e-5 {
		t.Errorf("4 windows at once: nll %.7f, one by one %.7f", batched.NLL, small.NLL)
	}
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// What is wrong with a request is said in a line, with what would be right.
func TestEvalRefuses(t *testing.T) {
	dir, text := tinyTeacher(t, "llama-tied-gqa"), words(t, 1, 2, 3, 4)
	file := func(name, content string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for want, args := range map[string][]string{
		"no such model":   {"--model", "no such model", "--text", text, "--seq", "4"},
		"too few for one": {"--model", dir, "--text", text, "--seq", "5"},
		"is not UTF-8: byte 0xe9 at 3; convert it first":         {"--model", dir, "--text", file("latin1.txt", "caf\xe9"), "--seq", "2"},
		"--seq is 65, but the context of":                        {"--model", dir, "--text", text, "--seq", "65"},
		"layers[0].ffn: index 900 is outside the teacher's 0-47": {"--model", dir, "--text", text, "--seq", "4", "--subnet", file("s.json", `{"layers":[{"layer":0,"ffn":"0-900"}]}`)},
		`unknown field "head"`:                                   {"--model", dir, "--text", text, "--seq", "4", "--subnet", file("s.json", `{"head":"0"}`)},
		"more after the sub-network":                             {"--model", dir, "--text", text, "--seq", "4", "--subnet", file("s.json", `{} {}`)},
		"there is no file":                                       {"--model", dir, "--text", "nowhere.txt", "--seq", "4"},
		"--seq is 1: a window has at least 2 tokens":             {"--model", dir, "--text", text, "--seq", "1"},
		"--model is missing":                                     {"--text", text, "--seq", "4"},
		"flag provided but not defined: -window":                 {"--window", "3"},
	} {
		l, stdout, stderr := hostLab(t)
		err := l.askHost(t.Context(), "eval", args)
		var exit exitError
		if !errors.As(err, &exit) || exit != 1 || !strings.Contains(stderr.String(), want) || stdout.Len() > 0 {
			t.Errorf("%v: %v, %s%s; want %q", args, err, stdout, stderr, want)
		}
	}
}

// The command finds what is wrong before it sets anything up.
func TestHostVerbsCheckFirst(t *testing.T) {
	for args, want := range map[string]string{
		"eval":                                          "--model is missing",
		"eval -h":                                       "evaluate only the sub-network of this JSON FILE",
		"eval --model m --text x --seq 2":               "--text: there is no file x",
		"eval --model m --text . --seq 2":               ". is a folder, want a file",
		"eval m":                                        `no argument "m"`,
		"eval --lab l --data goroot":                    "--lab and --run: name both",
		"eval --model m --run r --data goroot":          "--model and --run: name one of them",
		"eval --model m --best --data goroot":           "--best is of a --run",
		"eval --model m --text x --data goroot":         "--text and --data: name one of them",
		"eval --model m --text x --seq 2 --whole":       "--whole, --tokens and --document-mask are of --data",
		"eval --model m --subnet s --document-mask":     "with lab extract first",
		"eval --model m --data goroot --tokens some":    "--tokens: ",
		"eval --model m --data stories":                 "--data: there is no file or folder",
		"extract --model m":                             "--subnet is missing",
		"extract --model m --subnet x":                  "--out is missing",
		"extract --model m --subnet x --out y":          "--subnet: there is no file x",
		"export":                                        "--run is missing",
		"export --run r --out x":                        "--lab is missing",
		"export --lab l --out x":                        "--run is missing",
		"export --lab l --run r":                        "--out is missing",
		"export --lab l --run r --model m":              "name one of them",
		"export --lab l --run r --subnet s":             "--subnet is of a --model",
		"export --model m --out x --layers y":           `--layers is "y", want auto, uniform, padded, code`,
		"export --model m --out x --dtype y":            `--dtype is "y", want float32, bfloat16, float16`,
		"export --model m --out x --layers code --gguf": "llama.cpp runs no Python",
	} {
		if _, out := runVerb(t, strings.Fields(args)...); !strings.Contains(out, want) {
			t.Errorf("%s: %q, want %q", args, out, want)
		}
	}
}

// An interrupt ends an evaluation in between, without a result.
func TestInterruptedEval(t *testing.T) {
	l, stdout, _ := hostLab(t)
	var text strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&text, "Sentence %d is about the number %d. ", i, i*i)
	}
	path := filepath.Join(t.TempDir(), "text.txt")
	if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(5*time.Second, cancel)
	begin := time.Now()
	err := l.askHost(ctx, "eval", []string{"--model", "smollm2-135m", "--text", path, "--seq", "256"})
	var exit exitError
	if !errors.As(err, &exit) || exit != 130 || stdout.Len() > 0 {
		t.Errorf("%v, %s", err, stdout)
	}
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("it ended after %s", took)
	}
}

// An extracted student is a whole model: its own loss is that of the sub-network inside its teacher.
func TestExtractedStudentHasTheSubnetworksLoss(t *testing.T) {
	dir := tinyTeacher(t, "llama-tied-gqa")
	text := words(t, 5, 9, 60, 33, 2, 2, 17, 40, 8, 21, 13, 55)
	subnet, student := filepath.Join(t.TempDir(), "subnet.json"), filepath.Join(t.TempDir(), "student")
	if err := os.WriteFile(subnet, []byte(`{"embd":"0-23","layers":[{"layer":0,"ffn":"0-31"},{"layer":2,"ffn":"0-31"}]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	l, stdout, stderr := hostLab(t)
	if err := l.askHost(t.Context(), "extract", []string{"--model", dir, "--subnet", subnet, "--out", student}); err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	if !strings.Contains(stdout.String(), student) {
		t.Errorf("it printed %q", stdout)
	}
	inside := evaluate(t, "--model", dir, "--subnet", subnet, "--text", text, "--seq", "12")
	own := evaluate(t, "--model", student, "--text", text, "--seq", "12")
	if math.Abs(inside.NLL-own.NLL) > 1e-5 || inside.Params != own.Params || inside.FLOPsPerToken != own.FLOPsPerToken {
		t.Errorf("inside the teacher %+v, as a student %+v", inside, own)
	}
}

// A layer-wise student loses and gains nothing by how it is written; of the files its own parameters are counted, not the
// padding. It can be written anew from its folder, and over an earlier export, but not over anything else.
func TestExportedLayersHaveTheSubnetworksLoss(t *testing.T) {
	dir, out := tinyTeacher(t, "llama-tied-gqa"), t.TempDir()
	text := words(t, 5, 9, 60, 33, 2, 2, 17, 40, 8, 21, 13, 55)
	subnet := filepath.Join(out, "subnet.json")
	if err := os.WriteFile(subnet, []byte(`{"embd":"0-23","layers":[{"layer":0,"ffn":"0-31"},{"layer":2,"ffn":"0-12"}]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	inside := evaluate(t, "--model", dir, "--subnet", subnet, "--text", text, "--seq", "12")
	model := dir
	for i, layers := range []string{"padded", "code", "auto"} {
		args := []string{"--model", model, "--out", filepath.Join(out, layers), "--layers", layers}
		if i == 0 {
			args = append(args, "--subnet", subnet)
		}
		for range 2 {
			l, _, stderr := hostLab(t)
			if err := l.askHost(t.Context(), "export", args); err != nil {
				t.Fatalf("%v: %v\n%s", args, err, stderr)
			}
		}
		model = filepath.Join(out, layers) // the next is made of this one
		own := evaluate(t, "--model", model, "--text", text, "--seq", "12")
		if math.Abs(inside.NLL-own.NLL) > 1e-5 || inside.Params != own.Params || inside.FLOPsPerToken != own.FLOPsPerToken {
			t.Errorf("inside the teacher %+v, written as %s %+v", inside, layers, own)
		}
	}
	l, _, stderr := hostLab(t)
	if err := l.askHost(t.Context(), "export", []string{"--model", dir, "--out", out}); err == nil || !strings.Contains(stderr.String(), "name a new folder") {
		t.Errorf("over other things: %v, %s", err, stderr)
	}
}

// What a lab does not hold is named with what it does.
func TestExportOfUnknownRuns(t *testing.T) {
	l, _, stderr := hostLab(t)
	if err := l.askHost(t.Context(), "export", []string{"--lab", "no-such-lab", "--run", "r", "--out", t.TempDir()}); err == nil ||
		!strings.Contains(stderr.String(), `there is no lab "no-such-lab"`) {
		t.Errorf("%v, %s", err, stderr)
	}
}

// Verbs get the resident host's settings of malloc, and no cell's variables; what the user set stays.
func TestHostVerbsRunInTheHostsEnvironment(t *testing.T) {
	t.Setenv("MALLOC_ARENA_MAX", "")
	t.Setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=0")
	t.Setenv("GONB_PIPE", "of a cell")
	t.Setenv("GOMLX_BACKEND", "")
	l := &lab{home: t.TempDir()}
	cmd, err := l.host("search")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(cmd.Env, "MALLOC_ARENA_MAX=1") || !slices.Contains(cmd.Env, "GLIBC_TUNABLES=glibc.malloc.hugetlb=0") || !slices.Contains(cmd.Env, "OFFSHOOT_HOME="+l.home) {
		t.Errorf("environment %q", cmd.Env)
	}
	if slices.ContainsFunc(cmd.Env, func(pair string) bool { return strings.HasPrefix(pair, "GONB_") }) {
		t.Errorf("a cell's variables are in %q", cmd.Env)
	}
	t.Setenv("GOMLX_BACKEND", "xla:cuda") // whose compiler works on all cores
	if cmd, err = l.host("search"); err != nil || slices.Contains(cmd.Env, "MALLOC_ARENA_MAX=1") {
		t.Errorf("on a GPU: %v, environment %q", err, cmd.Env)
	}
}
