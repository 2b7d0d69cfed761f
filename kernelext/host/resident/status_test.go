package resident

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// A GGUF and a folder with a model are teachers, by their names; what lies beside them is none.
func TestInstalled(t *testing.T) {
	home := t.TempDir()
	at := func(path string) string { return filepath.Join(home, "teachers", filepath.FromSlash(path)) }
	for _, path := range []string{"a.gguf", "a.perplexity.json", "a.gguf.licences/LICENSE", "b.c/config.json", "b.c.checkpoint.safetensors", "half/model.safetensors"} {
		if err := os.MkdirAll(filepath.Dir(at(path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at(path), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := Installed(home), map[string]string{"a": at("a.gguf"), "b.c": at("b.c")}; !maps.Equal(got, want) {
		t.Errorf("installed are %v, want %v", got, want)
	}
	if got := Installed(filepath.Join(home, "none")); len(got) > 0 {
		t.Errorf("in a home without teachers: %v", got)
	}
}
