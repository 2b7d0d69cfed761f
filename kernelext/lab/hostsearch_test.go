package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A batch search keeps each evaluation as a line, goes on after the last whole one, and ends with the same candidates: also
// where the better ones are judged again on more text, after more steps.
func TestSearchGoesOnFromItsRecords(t *testing.T) {
	if testing.Short() {
		t.Skip("evaluates sub-networks of SmolLM2 for a minute; -short")
	}
	const evaluations = 3 + 2 // of each generation the better half is judged again
	flags := []string{"--bin", "20M", "--population", "2", "--generations", "1", "--offspring", "1", "--tokens", "256", "--warm", "2", "--halving", "2",
		"--reorder", "activation-norm", "--dim", "head_size=64"}
	l, stdout, stderr := hostLab(t)
	search := func(out string, more ...string) {
		t.Helper()
		if err := l.askHost(t.Context(), "search", slices.Concat(flags, []string{"--out", out}, more)); err != nil {
			t.Fatalf("%v\n%s", err, stderr)
		}
	}
	whole, cut := filepath.Join(t.TempDir(), "whole.jsonl"), filepath.Join(t.TempDir(), "cut.jsonl")
	search(whole)
	if !strings.Contains(stdout.String(), fmt.Sprintf("evaluations  %d, in %s", evaluations, whole)) || !strings.Contains(stdout.String(), "best         candidate") {
		t.Errorf("printed %q", stdout)
	}
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	if len(lines) != evaluations+2 || len(lines[evaluations+1]) != 0 {
		t.Fatalf("%d lines, want a head and %d evaluations", len(lines)-1, evaluations)
	}
	at := evaluations - 1
	kept := bytes.Join(append(lines[:at:at], lines[at][:20]), nil) // killed in the middle of the last but one's line
	if err := os.WriteFile(cut, kept, 0o644); err != nil {
		t.Fatal(err)
	}
	search(cut)
	again, err := os.ReadFile(cut)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(again, bytes.Join(lines[:at], nil)) {
		t.Error("what was evaluated before has changed")
	}
	for i, line := range bytes.SplitAfter(again, []byte("\n"))[:evaluations+1] {
		if a, b := beforeLatency(line), beforeLatency(lines[i]); a != b {
			t.Errorf("line %d: %s, undisturbed %s", i+1, a, b)
		}
	}
	table := filepath.Join(t.TempDir(), "whole.csv")
	search(whole, "--table", table) // it is finished: nothing is loaded, and nothing changes
	if now, err := os.ReadFile(whole); err != nil || !bytes.Equal(now, text) {
		t.Errorf("a finished search was written again (%v)", err)
	}
	if text, err := os.ReadFile(table); err != nil || !bytes.HasPrefix(text, []byte("search,seed,id,")) || bytes.Count(text, []byte("\nwhole,1,")) != 3 {
		t.Errorf("table %s (%v)", text, err)
	}
}

// beforeLatency is a record without the times, which come last.
func beforeLatency(line []byte) string {
	text, _, _ := strings.Cut(string(line), `"latency"`)
	return text
}
