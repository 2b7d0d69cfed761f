package datasets

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint/hub"
	"github.com/offshoot-ml/offshoot/slm/checkpoint/hub/hubtest"
)

const dataset = "owner/stories"

// newHub is a hub with one data set, and options that use it with a cache of the test's own.
func newHub(t testing.TB, files map[string][]byte) (*hubtest.Hub, Options) {
	for _, name := range []string{"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"} {
		t.Setenv(name, "")
	}
	t.Setenv("HF_HOME", t.TempDir())
	h := hubtest.New(dataset, files)
	h.Kind = "datasets"
	t.Cleanup(h.Close)
	return h, Options{Hub: hub.Settings{Endpoint: h.URL, Cache: t.TempDir()}}
}

// stories is a data set in three files of Parquet, and one of validation.
func stories(t testing.TB) map[string][]byte {
	files := map[string][]byte{"README.md": []byte(card("")), "data/validation-00000-of-00001.parquet": parquetBytes(t, 2, parquetRows(1))}
	for i := range 3 {
		rows := parquetRows(2 * (i + 1))[2*i:]
		files[fmt.Sprintf("data/train-%05d-of-00003.parquet", i)] = parquetBytes(t, 2, rows)
	}
	return files
}

func storiesWant() (want []string) {
	for i := range 6 {
		want = append(want, fmt.Sprintf("hf://datasets/owner/stories/data/train-%05d-of-00003.parquet:%d text %d ä", i/2, i%2, i))
	}
	return want
}

func openHubTest(t testing.TB, data slm.Data, o Options) Source {
	t.Helper()
	s, err := Open(t.Context(), data, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestHub(t *testing.T) {
	h, o := newHub(t, stories(t))
	s := openHubTest(t, slm.Data{Name: dataset}, o)
	if want := (slm.Data{Name: dataset, Revision: h.Commit, Config: "default", Split: "train", Column: "text"}); s.Data().String() != want.String() || s.Data().Split != want.Split || s.Data().Column != want.Column {
		t.Errorf("its data is %+v", s.Data())
	}
	if n := len(h.Asked("parquet")); n > 0 {
		t.Errorf("%v before anything was read", h.Asked("parquet"))
	}
	var got []string
	for d, err := range s.Documents(t.Context()) { // a file when it is its turn
		if got = append(got, d.ID+" "+d.Text); err != nil {
			t.Fatal(err)
		}
		if asked := len(h.Asked("/resolve/")) - 1; asked != (len(got)+1)/2 { // one is the README
			t.Errorf("%d files were asked for at document %d", asked, len(got))
		}
	}
	if !slices.Equal(got, storiesWant()) {
		t.Errorf("%q", got)
	}
	// Again, from the cache; also by what it says of itself; also offline.
	before := len(h.Asked("/resolve/"))
	offline := o
	offline.Hub.Offline = true
	for _, again := range []Source{s, openHubTest(t, s.Data(), o), openHubTest(t, slm.Data{Name: dataset}, offline), openHubTest(t, s.Data(), offline)} {
		if got, err := documents(t.Context(), again); err != nil || !slices.Equal(got, storiesWant()) || again.Data().String() != s.Data().String() {
			t.Errorf("%s: %q, %v", again.Data(), got, err)
		}
	}
	if n := len(h.Asked("/resolve/")); n != before {
		t.Errorf("%v was downloaded again", h.Asked("/resolve/")[before:])
	}
	if _, err := os.Stat(filepath.Join(o.Hub.Cache, "datasets--owner--stories", "snapshots", h.Commit, "data", "train-00002-of-00003.parquet")); err != nil {
		t.Errorf("the cache is not huggingface_hub's: %v", err)
	}
}

// TestHubAhead downloads the next file while one is read, and no more than that.
func TestHubAhead(t *testing.T) {
	h, o := newHub(t, stories(t))
	o.Ahead = true
	next := make(chan struct{})
	h.Content = func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		if strings.Contains(r.URL.Path, "00001-of") {
			close(next)
		}
		return false
	}
	seen := 0
	for _, err := range openHubTest(t, slm.Data{Name: dataset}, o).Documents(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		<-next // it comes while the first file is read
		if seen++; seen == 2 {
			break
		}
	}
	if asked := h.Asked("00002-of"); len(asked) > 0 {
		t.Errorf("%v though it is not the next", asked)
	}
	h.Content = nil
	if got, err := documents(t.Context(), openHubTest(t, slm.Data{Name: dataset}, o)); err != nil || !slices.Equal(got, storiesWant()) {
		t.Errorf("%q, %v", got, err)
	}
}

// TestHubFaults cuts connections and sends what is not the file.
func TestHubFaults(t *testing.T) {
	h, o := newHub(t, stories(t))
	h.Content = func(w http.ResponseWriter, r *http.Request, attempt int) bool {
		switch attempt {
		case 1: // half of it, and the connection is cut
			content := h.Files[strings.TrimPrefix(r.URL.Path, "/blob/")]
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			_, _ = w.Write(content[:len(content)/2])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case 3: // too many requests
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		return false
	}
	got, err := documents(t.Context(), openHubTest(t, slm.Data{Name: dataset}, o))
	if err != nil || !slices.Equal(got, storiesWant()) {
		t.Errorf("%q, %v", got, err)
	}
	if ranges := h.Asked("bytes="); len(ranges) != 2 { // of the hub, and of the host that it names
		t.Errorf("gone on with %v", ranges)
	}
	// A file of another content is none of the data set's.
	h, o = newHub(t, stories(t))
	h.Edit = func(l *hubtest.Listing) {
		for _, s := range l.Siblings {
			if strings.Contains(s.Name, "train-00001") {
				s.LFS.SHA256 = hubtest.SHA256(nil)
			}
		}
	}
	got, err = documents(t.Context(), openHubTest(t, slm.Data{Name: dataset}, o))
	if !errors.Is(err, hub.ErrDamaged) || !strings.Contains(err.Error(), "train-00001") || len(got) != 2 {
		t.Errorf("%q, %v", got, err)
	}
}

func TestHubConverted(t *testing.T) {
	h, o := newHub(t, map[string][]byte{"stories.csv": []byte("text\nx\n"), ".gitattributes": nil})
	h.Converted = map[string][]byte{"default/train/0000.parquet": parquetBytes(t, 2, parquetRows(2)), "default/partial-test/0000.parquet": parquetBytes(t, 2, parquetRows(1))}
	s := openHubTest(t, slm.Data{Name: dataset}, o)
	want := []string{"hf://datasets/owner/stories/default/train/0000.parquet:0 text 0 ä", "hf://datasets/owner/stories/default/train/0000.parquet:1 text 1 ä"}
	for _, s := range []Source{s, openHubTest(t, s.Data(), o)} {
		if got, err := documents(t.Context(), s); err != nil || !slices.Equal(got, want) || s.Data().Revision != hubtest.ConvertedCommit {
			t.Errorf("%q, %v, %+v", got, err, s.Data())
		}
	}
	_, err := Open(t.Context(), slm.Data{Name: dataset, Split: "test"}, o)
	if err == nil || !strings.Contains(err.Error(), "partial-test, train") {
		t.Errorf("a split that is there in part: %v", err)
	}
	for revision, want := range map[string]string{"": "convert them yourself", h.Commit: "it has .csv"} {
		h.Converted = nil
		if _, err := Open(t.Context(), slm.Data{Name: dataset, Revision: revision}, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no file that can be read: %v", err)
		}
	}
}

// TestHubFormats reads what is not Parquet.
func TestHubFormats(t *testing.T) {
	line := `{"content": "a text"}`
	for name, want := range map[string]string{
		"train.json": ":1 a text", "train.jsonl": ":1 a text", "en/x.json.gz": ":1 a text", "train.jsonl.zst": ":1 a text", "train.txt": " " + line,
	} {
		content := line
		if strings.HasSuffix(name, ".gz") {
			content = gzipped(line)
		} else if strings.HasSuffix(name, ".zst") {
			content = zstandard(line)
		}
		_, o := newHub(t, map[string][]byte{name: []byte(content)})
		got, err := documents(t.Context(), openHubTest(t, slm.Data{Name: dataset, Column: "content"}, o))
		if want := "hf://datasets/owner/stories/" + name + want; err != nil || !slices.Equal(got, []string{want}) {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
}

func TestHubRefuses(t *testing.T) {
	answer := func(status int, code string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("X-Error-Code", code)
			w.WriteHeader(status)
			return true
		}
	}
	for _, test := range []struct {
		name string
		data slm.Data
		api  func(http.ResponseWriter, *http.Request) bool
		is   error
		want string
	}{
		{"no such data set", slm.Data{Name: "owner/other"}, nil, hub.ErrNoRepository, "has no datasets/owner/other"},
		{"a stranger", slm.Data{Name: dataset}, answer(401, "RepoNotFound"), hub.ErrDenied, "set HF_TOKEN"},
		{"gated", slm.Data{Name: dataset}, answer(403, "GatedRepo"), hub.ErrDenied, "accept its licence on"},
		{"no such revision", slm.Data{Name: dataset, Revision: "v9"}, answer(404, "RevisionNotFound"), hub.ErrNoRevision, `no revision "v9"`},
		{"no such config", slm.Data{Name: dataset, Config: "de"}, nil, nil, `there is no config "de"; there is default`},
		{"no such split", slm.Data{Name: dataset, Split: "test"}, nil, nil, `no split "test"; name one with Split: there is train, validation`},
	} {
		h, o := newHub(t, stories(t))
		h.API = test.api
		_, err := Open(t.Context(), test.data, o)
		if err == nil || (test.is != nil && !errors.Is(err, test.is)) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "data "+test.data.Name) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	// While it is read.
	_, o := newHub(t, stories(t))
	_, err := documents(t.Context(), openHubTest(t, slm.Data{Name: dataset, Column: "content"}, o))
	if err == nil || !strings.Contains(err.Error(), `data/train-00000-of-00003.parquet: there is no column "content"`) {
		t.Errorf("another column: %v", err)
	}
}

func TestHubOffline(t *testing.T) {
	h, o := newHub(t, stories(t))
	offline := o
	offline.Hub.Offline = true
	if _, err := Open(t.Context(), slm.Data{Name: dataset}, offline); !errors.Is(err, hub.ErrNotCached) || !strings.Contains(err.Error(), "HF_HUB_OFFLINE") {
		t.Errorf("nothing was fetched: %v", err)
	}
	for range openHubTest(t, slm.Data{Name: dataset}, o).Documents(t.Context()) {
		break // the first file is there
	}
	got, err := documents(t.Context(), openHubTest(t, slm.Data{Name: dataset}, offline))
	if len(got) != 2 || !errors.Is(err, hub.ErrNotCached) || !strings.Contains(err.Error(), "train-00001-of-00003.parquet") {
		t.Errorf("the rest was not fetched: %q, %v", got, err)
	}
	// Without the list of files, as huggingface_hub leaves a cache, their names tell.
	if err := os.RemoveAll(filepath.Join(o.Hub.Cache, "datasets--owner--stories", "listings")); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), slm.Data{Name: dataset}, offline); err == nil || !strings.Contains(err.Error(), "data/train-*-of-00003 there are only 1") {
		t.Errorf("files are missing: %v", err)
	}
	h.Close()
}

// TestHubMixture mixes data sets of the hub and files.
func TestHubMixture(t *testing.T) {
	_, o := newHub(t, stories(t))
	root := folderOf(t, map[string]string{"notes.txt": "notes"})
	calls := 0
	o.Ahead, o.Hub.Progress = true, func(hub.Progress) { calls++ }
	got, err := documents(t.Context(), openHubTest(t, slm.Data{Mixture: []slm.Share{
		{Data: slm.Data{Name: dataset}, Weight: 1},
		{Data: slm.Data{Name: dataset, Split: "validation"}, Weight: 1e-9},
		{Data: slm.Data{Paths: []string{root}}, Weight: 1e-9},
	}}, o))
	slices.Sort(got)
	want := append(storiesWant(), "notes.txt notes", "part 1: hf://datasets/owner/stories/data/validation-00000-of-00001.parquet:0 text 0 ä")
	slices.Sort(want)
	if err != nil || !slices.Equal(slices.Compact(got), want) || calls == 0 {
		t.Errorf("%q, %v, %d calls", got, err, calls)
	}
}
