package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A batch search keeps each evaluation as a line, goes on after the last whole one, and ends with the same candidates.
func TestSearchGoesOnFromItsRecords(t *testing.T) {
	if testing.Short() {
		t.Skip("evaluates sub-networks of SmolLM2 for half a minute; -short")
	}
	l, stdout, stderr := hostLab(t)
	search := func(out string) {
		t.Helper()
		args := []string{"--bin", "20M", "--population", "3", "--generations", "1", "--tokens", "128", "--warm", "1", "--out", out}
		if err := l.askHost(t.Context(), "search", args); err != nil {
			t.Fatalf("%v\n%s", err, stderr)
		}
	}
	whole, cut := filepath.Join(t.TempDir(), "whole.jsonl"), filepath.Join(t.TempDir(), "cut.jsonl")
	search(whole)
	if !strings.Contains(stdout.String(), "evaluations  4, in "+whole) || !strings.Contains(stdout.String(), "best         candidate") {
		t.Errorf("printed %q", stdout)
	}
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	if len(lines) != 6 || len(lines[5]) != 0 {
		t.Fatalf("%d lines, want a head and 4 candidates", len(lines)-1)
	}
	kept := bytes.Join(append(lines[:3:3], lines[3][:20]), nil) // killed in the middle of the third candidate's line
	if err := os.WriteFile(cut, kept, 0o644); err != nil {
		t.Fatal(err)
	}
	search(cut)
	again, err := os.ReadFile(cut)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(again, bytes.Join(lines[:3], nil)) {
		t.Error("what was evaluated before has changed")
	}
	for i, line := range bytes.SplitAfter(again, []byte("\n"))[:5] {
		if a, b := beforeSeconds(line), beforeSeconds(lines[i]); a != b {
			t.Errorf("line %d: %s, undisturbed %s", i+1, a, b)
		}
	}
}

// beforeSeconds is a record without the times, which come last.
func beforeSeconds(line []byte) string {
	text, _, _ := strings.Cut(string(line), `"seconds"`)
	return text
}
