package lmeval

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
)

// What lm-eval 0.4.13 wrote of two tasks, shortened: a group, a metric without a standard error, a filter.
const written = `{"results": {
	"arc": {"alias": "arc", "acc,none": 0.25, "acc_stderr,none": "N/A", "sample_len": 50},
	"arc_easy": {"alias": " - arc_easy", "name": "arc_easy", "sample_len": 25, "acc_norm,none": 0.5, "acc_norm_stderr,none": 0.1, "acc,none": 0.25, "acc_stderr,none": 0.08},
	"gsm8k": {"alias": "gsm8k", "exact_match,strict-match": 0.0, "exact_match_stderr,strict-match": 0.0}},
	"n-samples": {"gsm8k": {"original": 1319, "effective": 10}}, "lm_eval_version": "0.4.13"}`

func TestReadResults(t *testing.T) {
	scores, version, err := readResults([]byte(written), []string{"gsm8k", "arc"})
	number := func(v float64) *float64 { return &v }
	want := []kernelext.TaskScore{
		{Task: "gsm8k", Metric: "exact_match", Filter: "strict-match", StdErr: number(0), Documents: 10},
		{Task: "arc", Metric: "acc", Value: 0.25, Documents: 50},
		{Task: "arc_easy", Metric: "acc", Value: 0.25, StdErr: number(0.08), Documents: 25},
		{Task: "arc_easy", Metric: "acc_norm", Value: 0.5, StdErr: number(0.1), Documents: 25},
	}
	if err != nil || version != "0.4.13" || !reflect.DeepEqual(scores, want) {
		t.Errorf("%+v, %s, %v; want %+v", scores, version, err, want)
	}
}

func TestReadFailures(t *testing.T) {
	for text, want := range map[string]string{
		`{"error": "lm-eval has no task 'helaswag'; near it are hellaswag", "kind": "task"}`: "near it are hellaswag; tasks of your own",
		`{"error": "ConnectionError: Couldn't reach 'Rowan/hellaswag'", "kind": "data"}`:     "HF_HUB_OFFLINE=1",
		`{"error": "RuntimeError: out of memory", "kind": "other"}`:                          "lm-eval failed: RuntimeError: out of memory",
		`{"results": {"lambada": {"perplexity,none": "nan"}}}`:                               "found nan for perplexity of lambada",
		`{"results"`: "cannot be read",
	} {
		if _, _, err := readResults([]byte(text), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func FuzzReadResults(f *testing.F) {
	f.Add([]byte(written))
	f.Add([]byte(`{"results": {"a": {"b,c": null}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if scores, _, err := readResults(text, []string{"a"}); err == nil {
			if _, err := json.Marshal(scores); err != nil {
				t.Errorf("%v of %q", err, text)
			}
		}
	})
}

func TestBars(t *testing.T) {
	type seen struct {
		what        string
		done, total int64
	}
	var got []seen
	b := &bars{report: func(what string, done, total int64) { got = append(got, seen{what, done, total}) }}
	for _, piece := range []string{"2026-11-28 INFO [task] Building contexts\r\n", "Running loglikelihood requests:   0%|          | 0/200 [00:00<?, ?it/s]\rRunning loglike",
		"lihood requests:  12%|█▏        | 24/200 [00:03<00:25,  6.91it/s]\r", "100%|██████████| 50/50 [00:00<00:00, 900it/s]\n", "Traceback"} {
		if n, err := b.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Fatal(n, err)
		}
	}
	want := []seen{{"Running loglikelihood requests", 0, 200}, {"Running loglikelihood requests", 24, 200}}
	if !reflect.DeepEqual(got, want) || b.tail() != "  2026-11-28 INFO [task] Building contexts" {
		t.Errorf("%v and %q, want %v", got, b.tail(), want)
	}
}

// standIn is a program in the place of Python, which reads the request and then does as the test says.
func standIn(t *testing.T, shell string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "python")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nread request\n"+shell+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// A program that fails is told with its last words; one that is interrupted ends at once, with all that it started.
func TestRunFails(t *testing.T) {
	tasks, student := kernelext.Tasks{Names: []string{"arc"}}, t.TempDir()
	_, err := Run(t.Context(), standIn(t, "echo ModuleNotFoundError: lm_eval >&2; exit 1"), student, tasks, t.TempDir(), nil)
	if err == nil || !strings.Contains(err.Error(), "exit status 1\n  ModuleNotFoundError: lm_eval") {
		t.Errorf("%v", err)
	}
	if _, err := Run(t.Context(), standIn(t, "exit 0"), student, tasks, t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "without results") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, err := Run(ctx, standIn(t, "sleep 60"), student, tasks, t.TempDir(), nil); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 4*time.Second {
		t.Errorf("%v after %s", err, time.Since(begin))
	}
}

// What was measured is measured again only if the student, the tasks or what was asked are others, or may be.
func TestRunKeeps(t *testing.T) {
	student, own, results := t.TempDir(), t.TempDir(), t.TempDir()
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	runs := filepath.Join(t.TempDir(), "runs")
	python := standIn(t, `echo >> `+runs+`; out=$(echo "$request" | sed 's/.*"out":"\([^"]*\)".*/\1/')
echo '{"results": {"arc": {"acc,none": 0.25, "sample_len": 12}}}' > "$out"`)
	tasks := kernelext.Tasks{Names: []string{"arc"}, IncludePath: filepath.Join(t.TempDir(), "own")}
	if err := os.Symlink(own, tasks.IncludePath); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		change func()
		again  bool
	}{
		{func() {}, true},
		{func() {}, false},
		{func() { write(filepath.Join(student, "README.md"), "card") }, false},
		{func() { write(filepath.Join(student, "model.safetensors"), "weights") }, true},
		{func() { write(filepath.Join(own, "arc.jsonl"), "{}") }, true},
		{func() { tasks.Limit = 5 }, true},
		{func() { tasks.Limit = 0 }, false},
		{func() { tasks.Metadata = json.RawMessage(`{"windows": "windows.jsonl"}`) }, true},
		{func() {}, true},
	} {
		c.change()
		before, _ := os.ReadFile(runs)
		found, err := Run(t.Context(), python, student, tasks, results, nil)
		after, _ := os.ReadFile(runs)
		if again := len(after) > len(before); err != nil || again != c.again || (found.Seconds > 0) != again || len(found.Scores) != 1 || found.Scores[0].Value != 0.25 {
			t.Errorf("%d: measured: %t, want %t: %+v, %v", i, again, c.again, found, err)
		}
	}
}

// Names that lm-eval would read as paths, and other things that cannot be meant, are refused before anything runs.
func TestRunRefuses(t *testing.T) {
	for want, tasks := range map[string]kernelext.Tasks{
		"name one or more":      {},
		"is not the name of":    {Names: []string{"arc", "../task.yaml"}},
		"want 0 or more":        {Names: []string{"arc"}, Limit: -1},
		"want a JSON object":    {Names: []string{"arc"}, Metadata: json.RawMessage(`[1]`)},
		"is not a device, such": {Names: []string{"arc"}, Device: "--cpu"},
	} {
		if _, err := Run(t.Context(), "no such python", "student", tasks, t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", tasks, err, want)
		}
	}
	t.Setenv(Variable, "")
	if _, err := Python(t.TempDir()); err == nil || !strings.Contains(err.Error(), "setup --references") {
		t.Errorf("without an environment: %v", err)
	}
}
