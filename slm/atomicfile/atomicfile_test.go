package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestAbandoned finds what a killed writer left, and what one may still be writing.
func TestAbandoned(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "w")
	leave := func(name string, age time.Duration) {
		p := filepath.Join(folder, name)
		if err := errors.Join(os.WriteFile(p, []byte("old"), 0o644), os.Chtimes(p, time.Time{}, time.Now().Add(-age))); err != nil {
			t.Fatal(err)
		}
	}
	leave("w", time.Hour)
	leave(".w.1.tmp", time.Hour)
	leave(".w.2.tmp", time.Minute)
	leave(".v.3.tmp", time.Hour)
	if err := WriteBytes(path, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	var names []string
	entries, _ := os.ReadDir(folder)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{".v.3.tmp", ".w.2.tmp", "w"}; !slices.Equal(names, want) {
		t.Errorf("the folder holds %v, want %v", names, want)
	}
	if text, _ := os.ReadFile(path); string(text) != "new" {
		t.Errorf("the file holds %q", text)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("the file's mode is %v, %v", info.Mode(), err)
	}
}
