package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// familyStep installs the models of slm/family as teachers, so that they are loaded by name. They are copied: a lab may outlive the
// clone that it was set up from.
func familyStep(l *lab) *step {
	records, _ := filepath.Glob(l.source("slm", "family", "*", "offshoot.json"))
	s := &step{name: "family sprout"}
	for _, record := range records {
		text, _ := os.ReadFile(record) // names when and how the model was made
		s.inputs += string(text)
		s.outputs = append(s.outputs, l.path("teachers", filepath.Base(filepath.Dir(record)), "model.safetensors"))
	}
	s.run = func(ctx context.Context, t *task) error {
		var names []string
		for _, record := range records {
			from := filepath.Dir(record)
			to := l.path("teachers", filepath.Base(from))
			if err := os.RemoveAll(to); err != nil {
				return err
			}
			if err := os.CopyFS(to, os.DirFS(from)); err != nil {
				return err
			}
			names = append(names, filepath.Base(from))
		}
		t.Note("%s", strings.Join(names, ", "))
		return nil
	}
	return s
}
