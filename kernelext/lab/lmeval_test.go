package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// A 30M student that was cut out of SmolLM2 runs under lm-eval offline, and has there the log-likelihood that `lab eval`
// gives: of the student, and of the sub-network inside its teacher. The scripts in testdata/lmeval say how it is asked.
func TestStudentHasTheSameLogLikelihoodUnderLMEval(t *testing.T) {
	python := os.Getenv(referencesVariable)
	if python == "" {
		t.Skip("needs lm-eval: go run ./kernelext/lab setup --references")
	}
	l, _, stderr := hostLab(t)
	teacher, err := slm.Published("smollm2-135m")
	if err != nil {
		t.Fatal(err)
	}
	sizes, err := slm.CoarseUniform.Proportional(teacher, slm.Around(30e6, 0.05))
	if err != nil {
		t.Fatal(err)
	}
	subnet, student, out := filepath.Join(t.TempDir(), "subnet.json"), filepath.Join(t.TempDir(), "student"), t.TempDir()
	text, err := json.Marshal(sizes.Subnet(teacher))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(subnet, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := l.askHost(t.Context(), "extract", []string{"--model", "smollm2-135m", "--subnet", subnet, "--out", student}); err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	root, err := l.goCommand(t.Context(), "env", "GOROOT").Output()
	prose := filepath.Join(strings.TrimSpace(string(root)), "src", "runtime", "HACKING.md")
	if err != nil || !exists(prose) {
		t.Skip("this Go installation has no src/runtime/HACKING.md")
	}
	scripts := filepath.Join("testdata", "lmeval")
	runPython(t, python, filepath.Join(scripts, "windows.py"), student, prose, "128", out, "12")
	var theirs struct {
		LogLikelihood float64 `json:"loglikelihood"`
		Tokens        int     `json:"tokens"`
		Rolling       float64 `json:"rolling"`
		RollingTokens int     `json:"rolling_tokens"`
		TextTokens    int     `json:"text_tokens"`
	}
	answer := tail(runPython(t, python, filepath.Join(scripts, "compare.py"), student, out), 1)
	if err := json.Unmarshal([]byte(answer), &theirs); err != nil {
		t.Fatalf("%v\n%s", err, answer)
	}
	windows := filepath.Join(out, "text.txt")
	own := evaluate(t, "--model", student, "--text", windows, "--seq", "128")
	inside := evaluate(t, "--model", "smollm2-135m", "--subnet", subnet, "--text", windows, "--seq", "128")
	t.Logf("%d tokens: nll %.6f as a student, %.6f inside the teacher, %.6f under lm-eval", own.Tokens, own.NLL, inside.NLL, -theirs.LogLikelihood/float64(theirs.Tokens))
	data := evaluate(t, "--model", student, "--data", windows, "--whole", "--seq", "128")
	t.Logf("%d tokens of the document: nll %.6f, lm-eval's rolling %.6f; %.4f bits per byte", data.Tokens, data.NLL, -theirs.Rolling/float64(theirs.RollingTokens), data.BitsPerByte)
	if got := -data.NLL * float64(data.Tokens); data.Tokens != theirs.RollingTokens || !(math.Abs(got/theirs.Rolling-1) < 1e-4) {
		t.Errorf("the document has log-likelihood %.4f of %d tokens, rolling under lm-eval %.4f of %d", got, data.Tokens, theirs.Rolling, theirs.RollingTokens)
	}
	content, err := os.ReadFile(windows)
	if err != nil {
		t.Fatal(err)
	}
	if want := data.NLL / math.Ln2 * float64(theirs.TextTokens+1) / float64(len(content)); math.Abs(data.BitsPerByte/want-1) > 1e-12 {
		t.Errorf("%g bits per byte, want %g: its end is a token, too", data.BitsPerByte, want)
	}
	l.measuresTask(t, python, student, out, theirs.LogLikelihood)
	for name, e := range map[string]evaluated{"the student": own, "the sub-network": inside} {
		if e.Tokens != theirs.Tokens || e.Tokens < 500 {
			t.Errorf("%s was asked for %d tokens, lm-eval's for %d", name, e.Tokens, theirs.Tokens)
		}
		if got := -e.NLL * float64(e.Tokens); !(math.Abs(got/theirs.LogLikelihood-1) < 1e-4) {
			t.Errorf("%s has log-likelihood %.4f, under lm-eval %.4f", name, got, theirs.LogLikelihood)
		}
	}
}

// measuresTask asks for the same task as `lab lm-eval` does, and finds the same.
func (l *lab) measuresTask(t *testing.T, python, student, out string, want float64) {
	t.Helper()
	t.Setenv(referencesVariable, python)
	t.Setenv("HF_HUB_OFFLINE", "1")
	t.Setenv("HF_HOME", t.TempDir())
	r := taskRequest{names: "windows", metadata: fmt.Sprintf(`{"windows": %q}`, filepath.Join(out, "windows.jsonl"))}
	r.Device, r.IncludePath = "cpu", filepath.Join("testdata", "lmeval")
	if err := r.settle([]string{student}); err != nil {
		t.Fatal(err)
	}
	found, err := l.measureStudent(t.Context(), r, func(what string, done, total int64) { t.Log(what, done, total) })
	if err != nil || len(found.Scores) != 2 {
		t.Fatalf("%+v, %v", found, err)
	}
	if s := found.Scores[0]; s.Task != "windows" || s.Metric != "loglikelihood" || math.Abs(s.Value/want-1) > 1e-4 || s.Documents != 12 {
		t.Errorf("%+v, want a log-likelihood of %g", s, want)
	}
	if text, err := os.ReadFile(found.File); err != nil || filepath.Dir(found.File) != student+".lm-eval" || !strings.Contains(string(text), "loglikelihood,none") {
		t.Errorf("lm-eval's own results in %s: %v", found.File, err)
	}
}

// What is wrong with a request is said before anything is set up.
func TestLMEvalChecksFirst(t *testing.T) {
	student := t.TempDir()
	if err := os.WriteFile(filepath.Join(student, "config.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"--tasks arc":                              "name the folder of an exported student, or a run",
		"--lab l --tasks arc":                      "name the folder of an exported student, or a run",
		student + " --lab l --run r --tasks arc":   "not both",
		student:                                    "--tasks is missing",
		student + " --tasks ../arc":                `"../arc" is not the name of a task`,
		student + " --tasks arc --include-path no": "there is no folder",
		student + " --tasks arc --metadata 1":      "want a JSON object",
		"nowhere --tasks arc":                      "there is no config.json in it",
	} {
		if _, out := runVerb(t, append([]string{"lm-eval"}, strings.Fields(args)...)...); !strings.Contains(out, want) {
			t.Errorf("%s: %q, want %q", args, out, want)
		}
	}
}

func runPython(t *testing.T, python string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(args[0]), err, tail(stderr.String(), 20))
	}
	return string(out)
}
