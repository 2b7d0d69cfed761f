// Package hubtest is a hub for tests: it answers as the public one does, and fails where a test wants it to.
package hubtest

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Hub has one repository at one commit, which the branch main and the pull request refs/pr/1 name, and perhaps the branch
// with the files that the hub itself converted to Parquet. It serves small files itself, and redirects to another host for
// large ones.
type Hub struct {
	URL    string
	Repo   string // "owner/name"
	Kind   string // models or datasets
	Commit string
	Files  map[string][]byte // by name

	Converted map[string][]byte // files of refs/convert/parquet, which is at the commit ConvertedCommit
	Page      int               // files on each page of a tree

	// Faults. A func that returns true has answered.
	API     func(w http.ResponseWriter, r *http.Request) bool              // before every request to the hub itself
	Content func(w http.ResponseWriter, r *http.Request, attempt int) bool // before the content of a large file
	Edit    func(l *Listing)                                               // also of trees
	Short   bool                                                           // revisions list no files, as those of very large repositories may

	hub, store *httptest.Server
	mu         sync.Mutex
	requests   []string
	tokens     []string
	elsewhere  []string
	attempts   int
}

// Listing is what the hub says about a revision.
type Listing struct {
	ID       string     `json:"id"`
	SHA      string     `json:"sha"`
	Siblings []*Sibling `json:"siblings"`
}

// Sibling is one of the files in a listing.
type Sibling struct {
	Name   string `json:"rfilename"`
	Size   int64  `json:"size"`
	BlobID string `json:"blobId"`
	LFS    *LFS   `json:"lfs,omitempty"`
}

// LFS is how a large file is stored.
type LFS struct {
	SHA256      string `json:"sha256"`
	Size        int64  `json:"size"`
	PointerSize int    `json:"pointerSize"`
}

// New starts a hub of models.
func New(repo string, files map[string][]byte) *Hub {
	f := &Hub{Repo: repo, Kind: "models", Commit: strings.Repeat("0123456789", 4), Files: files, Page: 1000}
	f.store = httptest.NewServer(http.HandlerFunc(f.serveStore))
	f.hub = httptest.NewServer(http.HandlerFunc(f.serveHub))
	f.URL = f.hub.URL
	return f
}

// Close stops it.
func (f *Hub) Close() {
	f.hub.Close()
	f.store.Close()
}

// Tokens are those of the requests so far: to the hub, and to the host that it redirects to.
func (f *Hub) Tokens() (hub, elsewhere []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.tokens), slices.Clone(f.elsewhere)
}

// Large reports whether a file is stored by its SHA-256, on the other host.
func Large(name string) bool {
	return slices.Contains([]string{".safetensors", ".bin", ".parquet"}, path.Ext(name))
}

func (f *Hub) note(r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, strings.TrimSpace(r.Method+" "+r.URL.EscapedPath()+" "+r.Header.Get("Range")))
}

// Asked are the requests so far, as "GET path range", whose text contains some text.
func (f *Hub) Asked(text string) (found []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.requests {
		if strings.Contains(r, text) {
			found = append(found, r)
		}
	}
	return found
}

func (f *Hub) serveHub(w http.ResponseWriter, r *http.Request) {
	f.note(r)
	f.mu.Lock()
	f.tokens = append(f.tokens, r.Header.Get("Authorization"))
	f.mu.Unlock()
	if f.API != nil && f.API(w, r) {
		return
	}
	address := r.URL.EscapedPath()
	for revision, files := range map[string]map[string][]byte{f.Commit: f.Files, "main": f.Files, ConvertedCommit: f.Converted} {
		if name, ok := strings.CutPrefix(address, f.page()+"/resolve/"+revision+"/"); ok {
			f.serveFile(w, r, files, name)
			return
		}
	}
	switch revision, ok := strings.CutPrefix(address, "/api/"+f.Kind+"/"+f.Repo); {
	case ok && slices.Contains([]string{"", "/revision/main", "/revision/" + f.Commit, "/revision/refs%2Fpr%2F1"}, revision):
		l := f.listing(f.Commit, f.Files)
		if f.Short {
			l.Siblings = nil
		}
		_ = json.NewEncoder(w).Encode(l)
	case ok && f.Converted != nil && slices.Contains([]string{"/revision/refs%2Fconvert%2Fparquet", "/revision/" + ConvertedCommit}, revision):
		_ = json.NewEncoder(w).Encode(f.listing(ConvertedCommit, f.Converted))
	case ok && revision == "/tree/"+f.Commit:
		f.serveTree(w, r)
	default:
		http.NotFound(w, r)
	}
}

// page is the repository's path.
func (f *Hub) page() string {
	if f.Kind == "models" {
		return "/" + f.Repo
	}
	return "/" + f.Kind + "/" + f.Repo
}

// ConvertedCommit is what the branch refs/convert/parquet is at.
const ConvertedCommit = "abcdefabcdefabcdefabcdefabcdefabcdefabcd"

// serveTree lists the files page by page.
func (f *Hub) serveTree(w http.ResponseWriter, r *http.Request) {
	from, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
	all := f.listing(f.Commit, f.Files).Siblings
	entries := []map[string]any{{"type": "directory", "path": "folder", "oid": f.Commit, "size": 0}}
	for _, s := range all[from:min(from+f.Page, len(all))] {
		entry := map[string]any{"type": "file", "path": s.Name, "oid": s.BlobID, "size": s.Size}
		if s.LFS != nil {
			entry["lfs"] = map[string]any{"oid": s.LFS.SHA256, "size": s.LFS.Size, "pointerSize": s.LFS.PointerSize}
		}
		entries = append(entries, entry)
	}
	if from+f.Page < len(all) {
		w.Header().Set("Link", fmt.Sprintf(`<%s%s?recursive=true&cursor=%d>; rel="next"`, f.URL, r.URL.Path, from+f.Page))
	}
	_ = json.NewEncoder(w).Encode(entries)
}

func (f *Hub) serveFile(w http.ResponseWriter, r *http.Request, files map[string][]byte, name string) {
	name, _ = url.PathUnescape(name)
	content, ok := files[name]
	w.Header().Set("X-Repo-Commit", f.Commit)
	switch {
	case !ok:
		w.Header().Set("X-Error-Code", "EntryNotFound")
		http.NotFound(w, r)
	case Large(name):
		w.Header().Set("X-Linked-Etag", `"`+SHA256(content)+`"`)
		w.Header().Set("X-Linked-Size", fmt.Sprint(len(content)))
		http.Redirect(w, r, f.store.URL+"/blob/"+name+"?signature=1", http.StatusFound)
	default:
		w.Header().Set("ETag", `"`+GitHash(content)+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}

func (f *Hub) serveStore(w http.ResponseWriter, r *http.Request) {
	f.note(r)
	f.mu.Lock()
	f.attempts++
	attempt := f.attempts
	f.elsewhere = append(f.elsewhere, r.Header.Get("Authorization"))
	f.mu.Unlock()
	if f.Content != nil && f.Content(w, r, attempt) {
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/blob/")
	content, ok := f.Files[name]
	if !ok {
		content = f.Converted[name]
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

func (f *Hub) listing(commit string, files map[string][]byte) *Listing {
	l := &Listing{ID: f.Repo, SHA: commit}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		content := files[name]
		sibling := &Sibling{Name: name, Size: int64(len(content)), BlobID: GitHash(content)}
		if Large(name) {
			sibling.LFS = &LFS{SHA256(content), sibling.Size, 132}
		}
		l.Siblings = append(l.Siblings, sibling)
	}
	if f.Edit != nil {
		f.Edit(l)
	}
	return l
}

// SHA256 is the hash of large files.
func SHA256(b []byte) string { sum := sha256.Sum256(b); return hex.EncodeToString(sum[:]) }

// GitHash is the hash that git has for a content.
func GitHash(b []byte) string {
	sum := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(b)), b...))
	return hex.EncodeToString(sum[:])
}
