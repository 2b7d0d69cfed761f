package main

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// A run's student has one perplexity on a text: asked for by a cell, by the verb, and of the folder that it is exported to. Its
// held-out documents are fewer than all, and the teacher sees the same ones.
func TestEvaluateARun(t *testing.T) {
	home, client := newLab(t)
	data := slm.Data{Paths: []string{storiesFile(t)}}
	if _, err := client.Distill(t.Context(), "run", slm.Distillation{Teacher: "tiny", Subnet: killedRun.Subnet, Data: data, SeqLen: 16, EvalTokens: 64}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Steps(t.Context(), "run", 3, nil); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(home, "student")
	if _, err := client.ExportRun(t.Context(), "run", kernelext.Export{Dir: folder}, nil); err != nil {
		t.Fatal(err)
	}
	asked := slm.Evaluation{Data: data, Tokens: 512, SeqLen: 16}
	var messages []string
	cell, err := client.EvaluateRun(t.Context(), "run", asked, func(e kernelext.Event) { messages = append(messages, e.Message) })
	if err != nil || cell.Tokens != 512 || cell.Steps != 3 || !(cell.Loss > 4 && cell.Loss < 7) {
		t.Fatalf("%+v, %v", cell, err)
	}
	if said := strings.Join(messages, "\n"); !strings.Contains(said, "evaluating  512 of 512 tokens") || !strings.Contains(said, "tokens/s  0s left") {
		t.Errorf("progress:\n%s", said)
	}
	for name, args := range map[string][]string{"the run": {"--lab", "lab", "--run", "run"}, "the folder": {"--model", folder}} {
		var verb slm.Evaluated
		if err := runHere(t.Context(), "eval", append(args, "--data", data.Paths[0], "--tokens", "512", "--seq", "17"), &verb); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if math.Abs(verb.Loss-cell.Loss) > 1e-5 || verb.Documents != cell.Documents || verb.Parameters != cell.Parameters || verb.FLOPsPerToken != cell.FLOPsPerToken || verb.BitsPerByte == 0 {
			t.Errorf("%s: %+v; the cell has %+v", name, verb, cell)
		}
	}
	evaluatesAMaskedRun(t, client, asked)
	searchesOnItsText(t, home, client, asked)
	asked.Whole, asked.Tokens = true, 1e6
	whole, err := client.Evaluate(t.Context(), "tiny", asked, nil)
	if err != nil || whole.Documents != 300 || whole.Tokens < 50_000 || whole.Tokens > 1e6 {
		t.Errorf("all documents: %+v, %v", whole, err)
	}
	asked.Whole = false
	held, err := client.Evaluate(t.Context(), "tiny", asked, nil)
	if err != nil || held.Documents < 1 || held.Documents > 20 {
		t.Errorf("held-out documents: %+v, %v", held, err)
	}
}

// searchesOnItsText looks whether a search of that text judges on the held-out documents that evaluations take.
func searchesOnItsText(t *testing.T, home string, client *kernelext.Client, asked slm.Evaluation) {
	t.Helper()
	teacher := openTiny(t, home)
	windows, err := teacher.Held(t.Context(), asked.Data, asked.Tokens, asked.SeqLen, quiet)
	if err != nil || len(windows) != asked.Tokens/asked.SeqLen*(asked.SeqLen+1) {
		t.Fatalf("%d tokens of windows, %v", len(windows), err)
	}
	loss, err := teacher.Loss(t.Context(), slm.Subnet{}, windows, asked.SeqLen)
	if err != nil {
		t.Fatal(err)
	}
	if held, err := client.Evaluate(t.Context(), "tiny", asked, nil); err != nil || math.Abs(held.Loss-loss) > 1e-5 {
		t.Errorf("a search has the loss %g, the evaluation %+v (%v)", loss, held, err)
	}
}

// evaluatesAMaskedRun looks whether a run whose attention stayed within documents is evaluated so, without being told.
func evaluatesAMaskedRun(t *testing.T, client *kernelext.Client, asked slm.Evaluation) {
	t.Helper()
	d := slm.Distillation{Teacher: "tiny", Init: slm.FromTeacher, Data: asked.Data, SeqLen: 16, EvalTokens: 64, DocumentMask: true,
		Schedule: slm.Schedule{Peak: 1e-30}} // it stays its teacher
	if _, err := client.Distill(t.Context(), "masked", d, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Steps(t.Context(), "masked", 1, nil); err != nil {
		t.Fatal(err)
	}
	run, err := client.EvaluateRun(t.Context(), "masked", asked, nil)
	if err != nil || !run.Evaluation.DocumentMask || !strings.Contains(run.Evaluation.Text(), "attention within documents") {
		t.Errorf("%+v of %+v, %v", run, run.Evaluation, err)
	}
	across, err := client.Evaluate(t.Context(), "tiny", asked, nil)
	if err != nil || math.Abs(across.Loss-run.Loss) < 1e-4 {
		t.Errorf("its teacher, which reads windows whole: %+v, %v; the run %+v", across, err, run)
	}
	asked.DocumentMask = true
	within, err := client.Evaluate(t.Context(), "tiny", asked, nil)
	if err != nil || math.Abs(within.Loss-run.Loss) > 1e-5 {
		t.Errorf("its teacher within documents: %+v, %v; the run %+v", within, err, run)
	}
}
