package hub

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeHub answers as the public hub does: small files itself, large ones by a redirect to another host.
type fakeHub struct {
	hub, store *httptest.Server
	commit     string
	files      map[string][]byte
	large      map[string]bool // those that are stored by their SHA-256

	// Faults. A func that returns true has answered.
	api     func(w http.ResponseWriter, r *http.Request) bool
	content func(w http.ResponseWriter, r *http.Request, attempt int) bool
	edit    func(l *listing)

	mu       sync.Mutex
	requests []string // "GET path range", of both hosts
	tokens   []string // of the hub, then of the store
	leaked   []string // tokens that the store saw
	attempts int      // at contents
}

const owner = "owner/name"

func newFakeHub(t testing.TB) *fakeHub {
	f := &fakeHub{commit: strings.Repeat("0123456789", 4), large: map[string]bool{"model.safetensors": true},
		files: map[string][]byte{"config.json": []byte(`{"a": 1}`), "model.safetensors": payload(1 << 20), "sub/deep/notes.txt": []byte("x"),
			"pytorch_model.bin": payload(100)}}
	f.store = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.serveStore(w, r) }))
	f.hub = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.serveHub(w, r) }))
	t.Cleanup(func() { f.hub.Close(); f.store.Close() })
	return f
}

// payload are bytes that do not repeat soon.
func payload(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * i >> 3)
	}
	return b
}

func (f *fakeHub) note(r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, strings.TrimSpace(r.Method+" "+r.URL.EscapedPath()+" "+r.Header.Get("Range")))
}

// asked are the requests that contain a text.
func (f *fakeHub) asked(text string) (found []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.requests {
		if strings.Contains(r, text) {
			found = append(found, r)
		}
	}
	return found
}

func (f *fakeHub) serveHub(w http.ResponseWriter, r *http.Request) {
	f.note(r)
	f.mu.Lock()
	f.tokens = append(f.tokens, r.Header.Get("Authorization"))
	f.mu.Unlock()
	if f.api != nil && f.api(w, r) {
		return
	}
	path := r.URL.EscapedPath()
	if name, ok := strings.CutPrefix(path, "/"+owner+"/resolve/"+f.commit+"/"); ok {
		f.serveFile(w, r, name)
		return
	}
	switch path {
	case "/api/models/" + owner + "/revision/main", "/api/models/" + owner + "/revision/" + f.commit, "/api/models/" + owner + "/revision/refs%2Fpr%2F1":
		_ = json.NewEncoder(w).Encode(f.listing())
	case "/api/models/" + owner:
		_ = json.NewEncoder(w).Encode(f.listing())
	default:
		http.NotFound(w, r)
	}
}

func (f *fakeHub) serveFile(w http.ResponseWriter, r *http.Request, name string) {
	name, _ = url.PathUnescape(name)
	content, ok := f.files[name]
	w.Header().Set("X-Repo-Commit", f.commit)
	switch {
	case !ok:
		w.Header().Set("X-Error-Code", "EntryNotFound")
		http.NotFound(w, r)
	case f.large[name]:
		w.Header().Set("X-Linked-Etag", `"`+sha256Of(content)+`"`)
		w.Header().Set("X-Linked-Size", fmt.Sprint(len(content)))
		http.Redirect(w, r, f.store.URL+"/blob/"+name+"?signature=1", http.StatusFound)
	default:
		w.Header().Set("ETag", `"`+gitHash(content)+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}

func (f *fakeHub) serveStore(w http.ResponseWriter, r *http.Request) {
	f.note(r)
	f.mu.Lock()
	f.attempts++
	attempt := f.attempts
	if token := r.Header.Get("Authorization"); token != "" {
		f.leaked = append(f.leaked, token)
	}
	f.mu.Unlock()
	if f.content != nil && f.content(w, r, attempt) {
		return
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.files[strings.TrimPrefix(r.URL.Path, "/blob/")]))
}

func (f *fakeHub) listing() listing {
	var l listing
	text := fmt.Sprintf(`{"id": %q, "sha": %q, "siblings": [`, owner, f.commit)
	for i, name := range slices.Sorted(mapKeys(f.files)) {
		if i > 0 {
			text += ","
		}
		content := f.files[name]
		text += fmt.Sprintf(`{"rfilename": %q, "size": %d, "blobId": %q`, name, len(content), gitHash(content))
		if f.large[name] {
			text += fmt.Sprintf(`, "lfs": {"sha256": %q, "size": %d, "pointerSize": 132}`, sha256Of(content), len(content))
		}
		text += "}"
	}
	if err := json.Unmarshal([]byte(text+"]}"), &l); err != nil {
		panic(err)
	}
	if f.edit != nil {
		f.edit(&l)
	}
	return l
}

func mapKeys[V any](m map[string]V) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func sha256Of(b []byte) string { sum := sha256.Sum256(b); return hex.EncodeToString(sum[:]) }

func gitHash(b []byte) string {
	sum := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(b)), b...))
	return hex.EncodeToString(sum[:])
}

// client has little patience. Its cache is the test's own unless settings say otherwise.
func (f *fakeHub) client(t testing.TB, s Settings) *Client {
	t.Helper()
	for _, name := range []string{"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"} {
		t.Setenv(name, "")
	}
	t.Setenv("HF_HOME", t.TempDir())
	if s.Endpoint == "" {
		s.Endpoint = f.hub.URL
	}
	if s.Cache == "" {
		s.Cache = t.TempDir()
	}
	c, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	c.pause, c.attempts = time.Millisecond, 3
	return c
}

// open is the snapshot of the branch main.
func open(t testing.TB, c *Client) *Snapshot {
	t.Helper()
	s, err := c.Open(t.Context(), Repository{Kind: Models, ID: owner})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
