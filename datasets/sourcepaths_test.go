package datasets

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/offshoot-ml/offshoot/slm"
)

// folderOf is a new folder with some files, by their paths.
func folderOf(t testing.TB, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

func zstandard(text string) string {
	w, _ := zstd.NewWriter(nil)
	return string(w.EncodeAll([]byte(text), nil))
}

// documents are a source's, as "ID text", up to an error.
func documents(ctx context.Context, s Source) (all []string, err error) {
	for d, err := range s.Documents(ctx) {
		if err != nil {
			return all, err
		}
		all = append(all, d.ID+" "+d.Text)
	}
	return all, nil
}

func openTest(t testing.TB, data slm.Data) Source {
	t.Helper()
	s, err := Open(t.Context(), data, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPaths(t *testing.T) {
	rows := `{"text": "one"}` + "\n" + `{"text": " "}` + "\n" + `{"text": "three"}`
	root := folderOf(t, map[string]string{
		"b/notes.txt":   "notes",
		"a.md":          "# prose",
		"LICENSE":       "a licence",
		"picture.png":   "\x89PNG\x00",
		"table.csv":     strings.Repeat("1,2\n", 100_000),
		"empty.txt":     "\n",
		".hidden/x.txt": "hidden",
		"c.jsonl":       rows,
		"d.jsonl.gz":    gzipped(rows),
		"e.ndjson.zst":  zstandard(rows),
		"f.json.gz":     gzipped(rows),
		"g.txt.gz":      gzipped("packed"),
		"h.tar.gz":      gzipped("no text"),
		"i.parquet":     string(parquetBytes(t, 2, parquetRows(3))),
		"package.json":  "{\n}",
		"odd.name.zst":  "text after all",
		"j.jsonl.gz":    gzipped(`{"text": "first"}`+"\n") + gzipped(`{"text": "second"}`+"\n"),
	})
	s := openTest(t, slm.Data{Paths: []string{root}})
	want := []string{"LICENSE a licence", "a.md # prose", "b/notes.txt notes", "c.jsonl:1 one", "c.jsonl:3 three", "d.jsonl.gz:1 one", "d.jsonl.gz:3 three",
		"e.ndjson.zst:1 one", "e.ndjson.zst:3 three", "f.json.gz:1 one", "f.json.gz:3 three", "g.txt.gz packed", "i.parquet:0 text 0 ä", "i.parquet:1 text 1 ä",
		"i.parquet:2 text 2 ä", "j.jsonl.gz:1 first", "j.jsonl.gz:2 second", "odd.name.zst text after all", "package.json {\n}"}
	for range 2 { // the same each time
		if got, err := documents(t.Context(), s); err != nil || !slices.Equal(got, want) {
			t.Errorf("got %q, %v\nwant %q", got, err, want)
		}
	}
	// Its data opens the same source, from anywhere.
	t.Chdir(t.TempDir())
	if got, err := documents(t.Context(), openTest(t, s.Data())); err != nil || !slices.Equal(got, want) {
		t.Errorf("opened again: %q, %v", got, err)
	}
	if d := s.Data(); d.Column != "text" {
		t.Errorf("column %q", d.Column)
	}
}

func TestPathsNamedSeveralTimes(t *testing.T) {
	root := folderOf(t, map[string]string{"a/x.txt": "x", "a/table.csv": strings.Repeat("1,2\n", 100_000), "b/y.txt": "y"})
	t.Chdir(root)
	got, err := documents(t.Context(), openTest(t, slm.Data{Paths: []string{"b", "a", "a/x.txt", "./b/y.txt", "a/table.csv"}}))
	if err != nil || len(got) != 3 || got[0] != "a/table.csv "+strings.Repeat("1,2\n", 100_000) || got[1] != "a/x.txt x" || got[2] != "b/y.txt y" {
		t.Errorf("%.60q, %v", got, err)
	}
}

func TestPathsRefuse(t *testing.T) {
	rows := gzipped(strings.Repeat(`{"text": "one"}`+"\n", 1000))
	frames := zstandard(strings.Repeat(`{"text": "one"}`+"\n", 1000))
	root := folderOf(t, map[string]string{
		"binary.txt":       "a\x00b",
		"latin1.txt":       "caf\xe9",
		"picture.png":      "\x89PNG\x00",
		"lines.jsonl":      `{"text": "one"}` + "\n" + `{"body": "two"}`,
		"array.jsonl":      `[{"text": "one"}]`,
		"cut.jsonl.gz":     rows[:len(rows)-9],
		"cut.jsonl.zst":    frames[:len(frames)-9],
		"no.jsonl.gz":      `{"text": "one"}`,
		"no.jsonl.zst":     `{"text": "one"}`,
		"none.jsonl.gz":    "",
		"cut.parquet":      string(parquetBytes(t, 2, parquetRows(3))[:100]),
		"some.parquet":     string(parquetBytes(t, 2, parquetRows(3))),
		"empty.jsonl":      "\n\n",
		"empty.txt":        " ",
		"pictures/one.png": "\x89PNG\x00",
		"pictures/.x.txt":  "hidden",
	})
	for _, test := range []struct {
		file, column string
		want         []string
	}{
		{"binary.txt", "", []string{"binary.txt: byte 1 is zero"}},
		{"latin1.txt", "", []string{"latin1.txt: byte 3 is not UTF-8"}},
		{"picture.png", "", []string{"picture.png: byte 0 is not UTF-8"}},
		{"lines.jsonl", "", []string{"lines.jsonl: line 2: ", `no column "text"`, "body"}},
		{"array.jsonl", "", []string{"array.jsonl: line 1: it holds a list"}},
		{"cut.jsonl.gz", "", []string{"cut.jsonl.gz: ", "gzip data is cut short"}},
		{"cut.jsonl.zst", "", []string{"cut.jsonl.zst: ", "zstd data is cut short"}},
		{"no.jsonl.gz", "", []string{"no.jsonl.gz: ", "gzip data is damaged, or is none"}},
		{"no.jsonl.zst", "", []string{"no.jsonl.zst: ", "zstd data is damaged, or is none"}},
		{"none.jsonl.gz", "", []string{"none.jsonl.gz: ", "gzip data is cut short"}},
		{"cut.parquet", "", []string{"cut.parquet: ", "Parquet file is damaged or cut short"}},
		{"some.parquet", "content", []string{"some.parquet: ", `no column "content"`, "id, text, other, tags"}},
		{"some.parquet", "id", []string{"some.parquet: ", `column "id" holds INT`}},
		{"empty.jsonl", "", []string{"there is no text in it"}},
		{"empty.txt", "", []string{"there is no text in it"}},
		{"pictures", "", []string{"there is no text in it"}},
	} {
		_, err := documents(t.Context(), openTest(t, slm.Data{Paths: []string{filepath.Join(root, test.file)}, Column: test.column}))
		for _, want := range append(test.want, "data "+root) {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", test.file, err, want)
			}
		}
	}
	for _, data := range []slm.Data{
		{Paths: []string{filepath.Join(root, "nowhere")}},
		{Paths: []string{t.TempDir()}},
		{Paths: []string{root}, Config: "x"},
	} {
		if s, err := Open(t.Context(), data, Options{}); err == nil || !strings.Contains(err.Error(), "data") {
			t.Errorf("%+v: %v, %v", data, s, err)
		}
	}
}

func TestDocumentsStop(t *testing.T) {
	root := folderOf(t, map[string]string{"a.jsonl": strings.Repeat(`{"text": "one"}`+"\n", 10), "b.txt": "\x00"})
	s := openTest(t, slm.Data{Paths: []string{root}})
	seen := 0
	for _, err := range s.Documents(t.Context()) {
		if seen++; err != nil {
			t.Fatal(err)
		}
		if seen == 10 { // before b.txt
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen = 0
	var err error
	for _, err = range s.Documents(ctx) {
		if seen++; seen == 3 {
			cancel()
		}
	}
	if seen != 4 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d documents, %v", seen, err)
	}
}

func TestGoRootSource(t *testing.T) {
	root := folderOf(t, map[string]string{
		"src/a.go": "package a", "src/b.go": "package a", "src/z.go": "// Code generated by x. DO NOT EDIT.\n", "src/testdata/x.go": "package x",
		"src/c.s": "TEXT", "api/go1.txt": "pkg", "README.md": "prose", "src/empty.go": "", "src/big.go": strings.Repeat("// x\n", 100_000),
	})
	t.Setenv("GOROOT", root)
	s := openTest(t, slm.Data{})
	got, err := documents(t.Context(), s)
	if want := []string{"README.md prose", "src/a.go package a"}; err != nil || !slices.Equal(got, want) || s.Data().String() != "goroot" {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	// They are the files of the corpus.
	corpus, err := GoRoot(t.Context(), newByteTokenizer(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if training, validation := corpus.Documents(); training+validation != len(got) {
		t.Errorf("the corpus has %d and %d documents", training, validation)
	}
	anotherGo(t, root, corpus)
	t.Setenv("GOROOT", t.TempDir())
	if _, err := Open(t.Context(), slm.Data{}, Options{}); err == nil || !strings.Contains(err.Error(), "set GOROOT") {
		t.Errorf("no Go: %v", err)
	}
}

// anotherGo looks whether the text of another version of Go is told from a corpus, and from tokens, by name.
func anotherGo(t *testing.T, root string, corpus *Corpus) {
	t.Helper()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(root, filepath.FromSlash(name)), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("VERSION", "go1.26.0\ntime 2026-02-10T00:00:00Z\n")
	tokenizer := newByteTokenizer(t)
	opened := func() *Corpus {
		c, err := GoRoot(t.Context(), tokenizer, nil)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	before := opened()
	if corpus.Name() != "goroot" || before.Name() != "goroot go1.26.0" || before.Hash() != corpus.Hash() {
		t.Errorf("%s has the hash %s; %s, without a version, %s", before.Name(), before.Hash(), corpus.Name(), corpus.Hash())
	}
	position, err := before.Stream(1, 1, 4).Position()
	if err != nil {
		t.Fatal(err)
	}
	share := func(data slm.Data) slm.Share { return slm.Share{Data: data, Weight: 0.5} }
	mixed := slm.Data{Mixture: []slm.Share{share(slm.Data{}), share(slm.Data{Paths: []string{filepath.Join(root, "README.md")}})}}
	tokens := tokenize(t, openTest(t, mixed), tokenizer, t.TempDir(), TokenizeOptions{HeldOut: 2})
	if want := "0.5 goroot go1.26.0 + 0.5 "; !strings.HasPrefix(tokens.Name(), want) {
		t.Errorf("tokens of %s, want %s", tokens.Name(), want)
	}
	write("VERSION", "go1.27.0\n")
	write("src/a.go", "package a // new")
	err = opened().Stream(1, 1, 4).Seek(position)
	for _, want := range []string{"it is goroot go1.27.0 with", "is in goroot go1.26.0 with", "that GOROOT names, or begin anew"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("going on in another version's text: %v, want %q", err, want)
		}
	}
}
