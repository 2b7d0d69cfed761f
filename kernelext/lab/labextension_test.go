package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// JupyterLab reads package.json, and loads the script that it names.
func TestLabextensionStep(t *testing.T) {
	l, _ := emptyLab(t)
	dir := filepath.Join(l.labextensions(), "offshoot")
	old := filepath.Join(dir, "static", "remoteEntry.old.js")
	if err := writeFile(old, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	step := labextensionStep(l)
	if err := l.runStep(t.Context(), step, "extension"); err != nil {
		t.Fatal(err)
	}
	if err := l.pending(step); err != nil {
		t.Errorf("after the step: %v", err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	var about struct {
		Name       string
		JupyterLab struct {
			Build struct{ Load, Extension string } `json:"_build"`
		}
	}
	if err := json.Unmarshal(text, &about); err != nil {
		t.Fatal(err)
	}
	build := about.JupyterLab.Build
	if about.Name != "offshoot" || build.Extension == "" || !exists(filepath.Join(dir, build.Load)) || exists(old) {
		t.Errorf("package.json: %s\nstatic holds the old script: %t", text, exists(old))
	}
}
