package main

import (
	"encoding/json"
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
	}
	answer := tail(runPython(t, python, filepath.Join(scripts, "compare.py"), student, out), 1)
	if err := json.Unmarshal([]byte(answer), &theirs); err != nil {
		t.Fatalf("%v\n%s", err, answer)
	}
	windows := filepath.Join(out, "text.txt")
	own := evaluate(t, "--model", student, "--text", windows, "--seq", "128")
	inside := evaluate(t, "--model", "smollm2-135m", "--subnet", subnet, "--text", windows, "--seq", "128")
	t.Logf("%d tokens: nll %.6f as a student, %.6f inside the teacher, %.6f under lm-eval", own.Tokens, own.NLL, inside.NLL, -theirs.LogLikelihood/float64(theirs.Tokens))
	for name, e := range map[string]evaluated{"the student": own, "the sub-network": inside} {
		if e.Tokens != theirs.Tokens || e.Tokens < 500 {
			t.Errorf("%s was asked for %d tokens, lm-eval's for %d", name, e.Tokens, theirs.Tokens)
		}
		if got := -e.NLL * float64(e.Tokens); !(math.Abs(got/theirs.LogLikelihood-1) < 1e-4) {
			t.Errorf("%s has log-likelihood %.4f, under lm-eval %.4f", name, got, theirs.LogLikelihood)
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
