package hub

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm/checkpoint/hub/hubtest"
)

// TestTree lists page by page what a revision does not list, with the same outcome.
func TestTree(t *testing.T) {
	f := newFakeHub(t)
	want := open(t, f.client(t, Settings{})).Files
	f.Short, f.Page = true, 2
	s := open(t, f.client(t, Settings{Token: "secret"}))
	if !reflect.DeepEqual(s.Files, want) || len(f.Asked("/tree/")) != 2 {
		t.Errorf("%+v in %v, want %+v", s.Files, f.Asked("/tree/"), want)
	}
	if err := s.Fetch(t.Context(), "config.json", big); err != nil {
		t.Error(err)
	}
}

func TestTreeRefuses(t *testing.T) {
	for answer, want := range map[string]string{
		`[{"type": "file", "path": "../evil"}]`: "outside the repository",
		`{"error": "x"}`:                        "does not list files as a hub does",
		`[]`:                                    "not its own address",
	} {
		f := newFakeHub(t)
		f.Short = true
		f.API = func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, "/tree/") {
				return false
			}
			if answer == "[]" {
				w.Header().Set("Link", `<http://127.0.0.1:1/elsewhere>; rel="next"`)
			}
			_, _ = w.Write([]byte(answer))
			return true
		}
		_, err := f.client(t, Settings{}).Open(t.Context(), Repository{Kind: Models, ID: owner})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", answer, err, want)
		}
	}
}

// TestDatasetOffline knows which files of a data set were never fetched.
func TestDatasetOffline(t *testing.T) {
	f := newFakeHub(t)
	f.Kind = "datasets"
	cache := t.TempDir()
	repo := Repository{Kind: Datasets, ID: owner}
	online, err := f.client(t, Settings{Cache: cache}).Open(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	if err := online.Fetch(t.Context(), "config.json"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(cache, "datasets--owner--name", "snapshots", f.Commit, "config.json")); err != nil {
		t.Error(err)
	}
	c := f.client(t, Settings{Cache: cache, Offline: true})
	s, err := c.Open(t.Context(), repo)
	if err != nil || !reflect.DeepEqual(s.Files, online.Files) || s.Commit != f.Commit || s.Partial {
		t.Fatalf("%+v, %v", s, err)
	}
	if err := s.Fetch(t.Context(), "config.json"); err != nil {
		t.Error(err)
	}
	if err := s.Fetch(t.Context(), big); !errors.Is(err, ErrNotCached) || !strings.Contains(err.Error(), "HF_HUB_OFFLINE") {
		t.Errorf("a file that was never fetched: %v", err)
	}
	// A list that is not as it was written counts as none.
	text, _ := json.Marshal([]keptFile{{Name: "../evil", Size: 1, Blob: hubtest.GitHash(nil)}})
	if err := os.WriteFile(s.listingPath(), text, 0o644); err != nil {
		t.Fatal(err)
	}
	if s, err := c.Open(t.Context(), repo); err != nil || len(s.Files) != 1 || !s.Partial || s.Files[0].Name != "config.json" {
		t.Errorf("%+v, %v", s, err)
	}
}
