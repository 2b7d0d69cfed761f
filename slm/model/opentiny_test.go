package model

import (
	"testing"

	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// openTiny loads the teacher in a folder.
func openTiny(t *testing.T, folder string) *Teacher {
	t.Helper()
	file, err := checkpoint.Open(t.Context(), folder, checkpoint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	backend, err := NewBackend()
	if err != nil {
		t.Fatal(err)
	}
	teacher, err := Load(t.Context(), backend, file.Config, file.Source, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { teacher.Close(); backend.Finalize() })
	return teacher
}
