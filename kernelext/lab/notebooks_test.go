package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/kernelext/claims"
)

// The limits of a notebook that reads well: lines of a cell, and bytes of the file.
const (
	mostLines = 48
	mostBytes = 2 << 20
)

// aPath is a path of somebody's machine.
var aPath = regexp.MustCompile(`(/root|/home/\w+|/Users/\w+|/work)/|/tmp/[^o\s]`)

// Saved notebooks can be read without being run: every cell has run, in order and without an error, on a machine that they do not
// name, at a scale at which their claims hold; no cell is longer than a screen, and the end says what to try next.
func TestSavedNotebooks(t *testing.T) {
	root := filepath.Join("..", "..", "notebooks")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root {
			return fs.SkipDir
		}
		if err == nil && filepath.Ext(path) == ".ipynb" {
			name, _ := filepath.Rel(root, path)
			t.Run(name, func(t *testing.T) { checkSaved(t, path) })
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkSaved(t *testing.T, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cells, err := savedCells(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > mostBytes {
		t.Errorf("%d bytes, want at most %d", len(text), mostBytes)
	}
	if found := aPath.Find(text); found != nil {
		t.Errorf("names a path of a machine: %s", found)
	}
	executed := 0
	for i, c := range cells {
		source := strings.Join(c.Source, "")
		if len(c.Source) > mostLines && c.Type == "code" {
			t.Errorf("cell %d has %d lines: %.60q", i, len(c.Source), source)
		}
		if c.Type != "code" || strings.TrimSpace(source) == "" {
			continue
		}
		if executed++; c.Count == nil || *c.Count != executed {
			t.Errorf("cell %d was not executed in order: %.60q", i, source)
		}
		for _, o := range c.Outputs {
			if mark, _ := o.Metadata["offshoot"].(string); o.Type == "error" || mark == "unsupported claim" || mark == claims.UncheckedMark || mark == "figure without data" {
				t.Errorf("cell %d shows an %s%s: %.60q", i, o.Type, mark, source)
			}
		}
	}
	if last := strings.Join(cells[len(cells)-1].Source, ""); !strings.Contains(last, "## What to try next") {
		t.Errorf("it does not end with what to try next: %.60q", last)
	}
}
