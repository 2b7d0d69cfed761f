package hub

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"reflect"
	"testing"
)

// python runs testdata/cache.py on a cache, and reads what it prints. The test is skipped where the Python programs to
// compare with are not installed.
func python(t *testing.T, f *fakeHub, cache string, out any, args ...string) {
	t.Helper()
	interpreter := os.Getenv("OFFSHOOT_REFERENCES")
	if interpreter == "" {
		t.Skip("the Python references are not installed: go run ./kernelext/lab setup --references")
	}
	cmd := exec.Command(interpreter, append([]string{"testdata/cache.py"}, args...)...)
	cmd.Env = append(os.Environ(), "HF_HUB_CACHE="+cache, "HF_ENDPOINT="+f.URL, "HF_HUB_DISABLE_XET=1",
		"HF_HUB_DISABLE_TELEMETRY=1", "HF_TOKEN_PATH="+cache+"/none")
	var problems bytes.Buffer
	cmd.Stderr = &problems
	text, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(text, out)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, problems.String())
	}
}

// TestPythonReadsOurCache has huggingface_hub find what was fetched.
func TestPythonReadsOurCache(t *testing.T) {
	f := newFakeHub(t)
	cache := t.TempDir()
	s := open(t, f.client(t, Settings{Cache: cache}))
	if err := s.Fetch(t.Context(), big, "config.json", "sub/deep/notes.txt"); err != nil {
		t.Fatal(err)
	}
	var got, want any
	python(t, f, cache, &got, "scan")
	if err := json.Unmarshal([]byte(`{"warnings": [], "repositories": {"owner/name": {"kind": "model", "size": 1048585,
		"revisions": {"`+f.Commit+`": {"refs": ["main"], "files": ["config.json", "model.safetensors", "notes.txt"]}}}}}`), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the cache holds %v, want %v", got, want)
	}
	var paths []string
	python(t, f, cache, &paths, "find", owner, big, "sub/deep/notes.txt")
	if want := []string{s.Path(big), s.Path("sub/deep/notes.txt")}; !reflect.DeepEqual(paths, want) {
		t.Errorf("huggingface_hub finds %v, want %v", paths, want)
	}
}

// TestWeReadPythonsCache finds what huggingface_hub fetched, and fetches nothing that it has.
func TestWeReadPythonsCache(t *testing.T) {
	f := newFakeHub(t)
	cache := t.TempDir()
	var paths []string
	python(t, f, cache, &paths, "fetch", owner, big, "config.json")
	s := open(t, f.client(t, Settings{Cache: cache, Offline: true}))
	if err := s.Fetch(t.Context(), big, "config.json"); err != nil {
		t.Fatal(err)
	}
	if file, ok := s.Find(big); !ok || file.SHA256 == "" || file.Size != 1<<20 {
		t.Errorf("found %+v, %v", file, ok)
	}
	before := len(f.Asked("resolve"))
	if err := open(t, f.client(t, Settings{Cache: cache})).Fetch(t.Context(), big, "config.json"); err != nil || len(f.Asked("resolve")) != before {
		t.Errorf("%v, requests %v", err, f.Asked("resolve")[before:])
	}
	f.fetched(t, s, big)
}
