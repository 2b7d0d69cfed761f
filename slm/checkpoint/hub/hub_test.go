package hub

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm/checkpoint/hub/hubtest"
)

func TestFetch(t *testing.T) {
	f := newFakeHub(t)
	var told []Progress
	c := f.client(t, Settings{Token: "secret", Progress: func(p Progress) { told = append(told, p) }})
	s := open(t, c)
	if s.Commit != f.Commit || len(s.Files) != len(f.Files) {
		t.Fatalf("commit %s, %d files", s.Commit, len(s.Files))
	}
	names := []string{"config.json", "model.safetensors", "sub/deep/notes.txt"}
	if err := s.Fetch(t.Context(), names...); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if got, err := os.ReadFile(s.Path(name)); err != nil || !bytes.Equal(got, f.Files[name]) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	// The layout is that of huggingface_hub.
	root := filepath.Join(c.settings.Cache, "models--owner--name")
	want := []string{"blobs/" + hubtest.GitHash([]byte("x")), "blobs/" + hubtest.GitHash(f.Files["config.json"]), "blobs/" + hubtest.SHA256(f.Files["model.safetensors"]),
		"refs/main", "snapshots/" + f.Commit + "/config.json", "snapshots/" + f.Commit + "/model.safetensors", "snapshots/" + f.Commit + "/sub/deep/notes.txt"}
	slices.Sort(want)
	if got := tree(t, root); !slices.Equal(got, want) {
		t.Errorf("the cache holds %v, want %v", got, want)
	}
	if target, err := os.Readlink(s.Path("sub/deep/notes.txt")); target != "../../../../blobs/"+hubtest.GitHash([]byte("x")) {
		t.Errorf("link to %s, %v", target, err)
	}
	if ref, err := os.ReadFile(filepath.Join(root, "refs", "main")); string(ref) != f.Commit {
		t.Errorf("refs/main holds %q, %v", ref, err)
	}
	// The token goes to the hub, in every request, and nowhere else, though the other host differs by its port only.
	tokens, leaked := f.Tokens()
	if slices.ContainsFunc(tokens, func(token string) bool { return token != "Bearer secret" }) || len(tokens) < 4 ||
		slices.ContainsFunc(leaked, func(token string) bool { return token != "" }) || len(leaked) != 1 {
		t.Errorf("the hub saw the tokens %q, the other host %q", tokens, leaked)
	}
	last := told[len(told)-1]
	if want := int64(1<<20 + 1 + 8); last.Done != want || last.Total != want || last.Rate <= 0 || last.Left != 0 {
		t.Errorf("the last progress is %+v", last)
	}
	if file, ok := s.Find("model.safetensors"); !ok || file.SHA256 != hubtest.SHA256(f.Files["model.safetensors"]) || file.Size != 1<<20 {
		t.Errorf("Find gives %+v, %v", file, ok)
	}
	// What is there is not downloaded again.
	before := len(f.Asked("resolve"))
	if err := open(t, c).Fetch(t.Context(), names...); err != nil || len(f.Asked("resolve")) != before {
		t.Errorf("fetched again: %v, %v", f.Asked("resolve")[before:], err)
	}
	if len(f.Asked("pytorch_model.bin")) > 0 {
		t.Error("a file was downloaded that nobody asked for")
	}
}

// tree lists what lies below a folder that is no folder.
func tree(t *testing.T, root string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			name, _ := filepath.Rel(root, path)
			names = append(names, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func TestRevisions(t *testing.T) {
	f := newFakeHub(t)
	c := f.client(t, Settings{})
	for _, revision := range []string{"refs/pr/1", f.Commit} {
		s, err := c.Open(t.Context(), Repository{Kind: Models, ID: owner, Revision: revision})
		if err != nil || s.Commit != f.Commit {
			t.Fatalf("%s: %v", revision, err)
		}
		if err := s.Fetch(t.Context(), "config.json"); err != nil {
			t.Fatal(err)
		}
	}
	refs := tree(t, filepath.Join(c.settings.Cache, "models--owner--name", "refs"))
	if want := []string{"refs/pr/1"}; !slices.Equal(refs, want) {
		t.Errorf("refs %v, want %v", refs, want)
	}
}

func TestRefusals(t *testing.T) {
	answer := func(status int, code string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if code != "" {
				w.Header().Set("X-Error-Code", code)
			}
			w.WriteHeader(status)
			return true
		}
	}
	for _, test := range []struct {
		name  string
		token string
		repo  Repository
		api   func(http.ResponseWriter, *http.Request) bool
		is    error
		want  []string
	}{
		{"a stranger", "", Repository{Models, owner, ""}, answer(401, "RepoNotFound"), ErrDenied, []string{owner, "does not exist, or is private", "accept its licence on ", "/" + owner, "set HF_TOKEN"}},
		{"an old token", "x", Repository{Models, owner, ""}, answer(401, ""), ErrDenied, []string{"401", "does not take the token", "HF_TOKEN"}},
		{"a restricted repository", "x", Repository{Models, owner, ""}, answer(403, "GatedRepo"), ErrDenied, []string{"restricted", "accept its licence", "use a token of that account"}},
		{"no repository", "", Repository{Models, owner, ""}, answer(404, "RepoNotFound"), ErrNoRepository, []string{"has no " + owner}},
		{"no repository, without a code", "", Repository{Models, "other/name", ""}, nil, ErrNoRepository, []string{"has no other/name"}},
		{"no data set", "", Repository{Datasets, owner, ""}, nil, ErrNoRepository, []string{"has no datasets/" + owner}},
		{"no revision", "", Repository{Models, owner, "v9"}, answer(404, "RevisionNotFound"), ErrNoRevision, []string{`has no revision "v9"`}},
		{"no revision, without a code", "", Repository{Models, owner, "v9"}, nil, ErrNoRevision, []string{`has no revision "v9"`}},
		{"no hub", "", Repository{Models, owner, ""}, func(w http.ResponseWriter, r *http.Request) bool { _, _ = w.Write([]byte("<html>")); return true }, nil, []string{"HF_ENDPOINT"}},
		{"a teapot", "", Repository{Models, owner, ""}, answer(418, ""), nil, []string{"418"}},
		{"no name", "", Repository{Models, "a/b/c", ""}, nil, nil, []string{`"a/b/c" is not the name of a repository`}},
		{"a name that climbs", "", Repository{Models, "../x", ""}, nil, nil, []string{"is not the name"}},
		{"a revision that climbs", "", Repository{Models, owner, "../../x"}, nil, nil, []string{`"../../x" is not the name of a revision`}},
		{"another kind", "", Repository{"spaces", owner, ""}, nil, nil, []string{`"spaces"`}},
	} {
		f := newFakeHub(t)
		f.API = test.api
		_, err := f.client(t, Settings{Token: test.token}).Open(t.Context(), test.repo)
		if err == nil || (test.is != nil && !errors.Is(err, test.is)) {
			t.Errorf("%s: error %v, want one that is %v", test.name, err, test.is)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %q lacks %q", test.name, err, want)
			}
		}
		if n := len(f.Asked("")); n > 2 {
			t.Errorf("%s: %d requests for an answer that does not change", test.name, n)
		}
	}
}

func TestMissingFiles(t *testing.T) {
	f := newFakeHub(t)
	s := open(t, f.client(t, Settings{}))
	if err := s.Fetch(t.Context(), "config.json", "none.txt"); !errors.Is(err, ErrNoFile) || !strings.Contains(err.Error(), "none.txt at commit 01234567") {
		t.Errorf("a file that is not listed: %v", err)
	}
	delete(f.Files, "config.json") // listed, but gone
	if err := s.Fetch(t.Context(), "config.json"); !errors.Is(err, ErrNoFile) || !strings.Contains(err.Error(), "config.json") {
		t.Errorf("a file that is gone: %v", err)
	}
}

// TestHostileListings names files, commits and hashes that would lead out of the cache.
func TestHostileListings(t *testing.T) {
	for _, name := range []string{"../evil", "a/../../evil", "/etc/evil", "", ".", "a//b", "a/./b", `..\evil`, "a\x00b", "a/.."} {
		f := newFakeHub(t)
		f.Edit = func(l *hubtest.Listing) { l.Siblings[0].Name = name }
		if _, err := f.client(t, Settings{}).Open(t.Context(), Repository{Kind: Models, ID: owner}); err == nil || !strings.Contains(err.Error(), "outside the repository") {
			t.Errorf("file %q: %v", name, err)
		}
	}
	f := newFakeHub(t)
	f.Edit = func(l *hubtest.Listing) { l.SHA = "../../" + strings.Repeat("0", 34) }
	if _, err := f.client(t, Settings{}).Open(t.Context(), Repository{Kind: Models, ID: owner}); err == nil || !strings.Contains(err.Error(), "as the commit") {
		t.Errorf("commit: %v", err)
	}
	for _, hash := range []string{"../../../../evil", "", strings.Repeat("g", 40), strings.Repeat("0", 41)} {
		f := newFakeHub(t)
		f.Edit = func(l *hubtest.Listing) { l.Siblings[0].BlobID = hash }
		c := f.client(t, Settings{})
		if err := open(t, c).Fetch(t.Context(), "config.json"); err == nil || !strings.Contains(err.Error(), "which content") {
			t.Errorf("hash %q: %v", hash, err)
		}
		if got := tree(t, c.settings.Cache); len(got) > 0 {
			t.Errorf("hash %q left %v", hash, got)
		}
	}
}

func TestOffline(t *testing.T) {
	f := newFakeHub(t)
	cache := t.TempDir()
	if err := open(t, f.client(t, Settings{Cache: cache})).Fetch(t.Context(), "config.json", "model.safetensors"); err != nil {
		t.Fatal(err)
	}
	requests := len(f.Asked(""))
	c := f.client(t, Settings{Cache: cache, Offline: true})
	for _, revision := range []string{"", f.Commit} {
		s, err := c.Open(t.Context(), Repository{Models, owner, revision})
		if err != nil {
			t.Fatal(err)
		}
		if s.Commit != f.Commit || len(s.Files) != 2 || s.Files[1].SHA256 != hubtest.SHA256(f.Files["model.safetensors"]) || s.Files[1].Size != 1<<20 || s.Files[0].SHA256 != "" {
			t.Errorf("commit %s, files %+v", s.Commit, s.Files)
		}
		if err := s.Fetch(t.Context(), "config.json", "model.safetensors"); err != nil {
			t.Error(err)
		}
		if err := s.Fetch(t.Context(), "pytorch_model.bin"); !errors.Is(err, ErrNotCached) || !strings.Contains(err.Error(), "HF_HUB_OFFLINE is set") {
			t.Errorf("a file that was never fetched: %v", err)
		}
	}
	for _, repo := range []Repository{{Models, owner, "v9"}, {Models, "other/name", ""}, {Datasets, owner, ""}, {Models, owner, strings.Repeat("f", 40)}} {
		if _, err := c.Open(t.Context(), repo); !errors.Is(err, ErrNotCached) || !strings.Contains(err.Error(), cache) {
			t.Errorf("%+v: %v", repo, err)
		}
	}
	if len(f.Asked("")) != requests {
		t.Errorf("requests were made: %v", f.Asked("")[requests:])
	}
}

// TestUnreachable has a hub that does not answer: what is cached is used, what is not is an error with the reason.
func TestUnreachable(t *testing.T) {
	f := newFakeHub(t)
	c := f.client(t, Settings{})
	if err := open(t, c).Fetch(t.Context(), "config.json"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	s := open(t, c)
	if err := s.Fetch(t.Context(), "config.json"); err != nil {
		t.Error(err)
	}
	if err := s.Fetch(t.Context(), "model.safetensors"); !errors.Is(err, ErrNotCached) || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("a file that was never fetched: %v", err)
	}
	if _, err := c.Open(t.Context(), Repository{Models, "other/name", ""}); err == nil || !strings.Contains(err.Error(), "connection refused (given up after 3 attempts)") {
		t.Errorf("a repository that was never fetched: %v", err)
	}
}

// TestFullDisk lets a download write to a device that is always full.
func TestFullDisk(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("/dev/full is Linux's")
	}
	f := newFakeHub(t)
	c := f.client(t, Settings{})
	s := open(t, c)
	file, _ := s.Find("model.safetensors")
	if err := errors.Join(os.MkdirAll(filepath.Dir(s.blobPath(file)), 0o755), os.Symlink("/dev/full", s.blobPath(file)+".incomplete")); err != nil {
		t.Fatal(err)
	}
	err := s.Fetch(t.Context(), "model.safetensors")
	if err == nil || !strings.Contains(err.Error(), "is full; the file has 1.0 MB: free that much") || !strings.Contains(err.Error(), c.settings.Cache) {
		t.Errorf("error %v", err)
	}
	if len(f.Asked("blob")) != 1 {
		t.Errorf("requests %v, want one", f.Asked("blob"))
	}
}

func TestIsID(t *testing.T) {
	for text, want := range map[string]bool{"EleutherAI/pythia-70m": true, "gpt2": true, "a/b.c_d-e": true, "HuggingFaceTB/SmolLM2-1.7B": true,
		"": false, "a/b/c": false, "/a": false, "a/": false, "./a": false, "../a": false, "a/..": false, "a..b/c": false, "a--b/c": false,
		"a b/c": false, "a/b@c": false, "~/a": false, "-a/b": false, strings.Repeat("a", 201): false} {
		if IsID(text) != want {
			t.Errorf("IsID(%q) is %v", text, !want)
		}
	}
}
