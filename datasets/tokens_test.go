package datasets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

// listed is a source of the documents in a list.
type listed struct {
	documents []Document
	fail      error // after them
}

func (s listed) Data() slm.Data { return slm.Data{Paths: []string{"listed"}} }

func (s listed) Bytes() (n int64) {
	for _, d := range s.documents {
		n += int64(len(d.Text))
	}
	return n
}

func (s listed) Documents(ctx context.Context) iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		for _, d := range s.documents {
			if err := ctx.Err(); err != nil {
				yield(Document{}, err)
				return
			}
			if !yield(d, nil) {
				return
			}
		}
		if s.fail != nil {
			yield(Document{}, s.fail)
		}
	}
}

// manyDocuments is n short documents, each with another text.
func manyDocuments(n int) listed {
	var s listed
	for i := range n {
		s.documents = append(s.documents, Document{fmt.Sprintf("d%d", i), fmt.Sprintf("int document %d ", i) + strings.Repeat("in ", i%17)})
	}
	return s
}

// small has shards of 1,000 tokens.
var small = TokenizeOptions{HeldOut: 5, shardBytes: 2000}

func tokenize(t testing.TB, source Source, tokenizer *Tokenizer, dir string, options TokenizeOptions) *Tokens {
	t.Helper()
	tokens, err := Tokenize(t.Context(), source, tokenizer, dir, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tokens.Close(); err != nil {
			t.Error(err)
		}
	})
	return tokens
}

// contents is the files of a folder.
func contents(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, e := range entries {
		if files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func wantSame(t *testing.T, got, want map[string][]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d files, want %d", len(got), len(want))
	}
	for name := range want {
		if !bytes.Equal(got[name], want[name]) {
			t.Errorf("%s differs", name)
		}
	}
}

// all is the tokens of a half.
func (h *tokensHalf) all(t testing.TB) []int32 {
	t.Helper()
	out := make([]int32, h.count())
	if err := h.read(0, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTokenize(t *testing.T) {
	tokenizer, source := newByteTokenizer(t), manyDocuments(400)
	tokens := tokenize(t, source, tokenizer, t.TempDir(), small)
	var want [2][]int32
	var documents [2]int64
	for _, d := range source.documents {
		half := 0
		if pathHash("split", d.ID)%5 == 0 {
			half = 1
		}
		want[half] = append(append(want[half], encode(t, tokenizer, d.Text)...), tokenizer.Separator())
		documents[half]++
	}
	if !slices.Equal(tokens.training.all(t), want[0]) || !slices.Equal(tokens.validation.all(t), want[1]) {
		t.Error("the shards have other tokens than the documents in their order")
	}
	if training, validation := tokens.Count(); training != int64(len(want[0])) || validation != int64(len(want[1])) {
		t.Errorf("%d and %d tokens, want %d and %d", training, validation, len(want[0]), len(want[1]))
	}
	if training, validation := tokens.Documents(); training != documents[0] || validation != documents[1] {
		t.Errorf("%d and %d documents, want %v", training, validation, documents)
	}
	if len(tokens.training.shards) < 5 || len(tokens.validation.shards) != len(tokens.training.shards) {
		t.Errorf("%d and %d shards", len(tokens.training.shards), len(tokens.validation.shards))
	}
	if tokens.Name() != "listed" || tokens.Data().Paths[0] != "listed" || len(tokens.Hash()) != 64 {
		t.Errorf("name %q, data %v, hash %q", tokens.Name(), tokens.Data(), tokens.Hash())
	}
	if err := tokens.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTokenizeLeavesOut(t *testing.T) {
	source := manyDocuments(40)
	plain := tokenize(t, source, newByteTokenizer(t), t.TempDir(), small)
	source.documents = slices.Insert(source.documents, 20, Document{"empty", ""}, Document{"again", source.documents[3].Text}, Document{"and again", source.documents[3].Text})
	tokens := tokenize(t, source, newByteTokenizer(t), t.TempDir(), small)
	if got := tokens.Skipped(); got != (SkippedDocuments{Duplicate: 2, Empty: 1}) {
		t.Errorf("skipped %+v", got)
	}
	if tokens.Hash() != plain.Hash() {
		t.Error("duplicates and empty documents have tokens")
	}
}

func TestTokenizeLimit(t *testing.T) {
	source := manyDocuments(400)
	for _, limit := range []int64{1500, 3001} {
		options := small
		options.Limit = limit
		tokens := tokenize(t, source, newByteTokenizer(t), t.TempDir(), options)
		training, validation := tokens.Count()
		if n := training + validation; n < limit || n > limit+100 {
			t.Errorf("%d tokens for a limit of %d", n, limit)
		}
	}
	if _, err := Tokenize(t.Context(), source, newByteTokenizer(t), t.TempDir(), TokenizeOptions{Limit: 20}); err == nil || !strings.Contains(err.Error(), "one half is empty") {
		t.Errorf("tokens for one half: %v", err)
	}
}

var errStopped = errors.New("stopped")

// TestTokenizeResumes stops after every number of documents, as by a kill between two of them, and goes on.
func TestTokenizeResumes(t *testing.T) {
	tokenizer, source := newByteTokenizer(t), manyDocuments(300)
	source.documents = append(source.documents, source.documents[7], Document{"empty", ""})
	undisturbed := t.TempDir()
	tokenize(t, source, tokenizer, undisturbed, small)
	want := contents(t, undisturbed)
	for _, stops := range [][]int{{0}, {40}, {150, 20, 170, 290}, {301}, {302}} {
		dir := t.TempDir()
		for _, n := range stops {
			_, err := Tokenize(t.Context(), listed{source.documents[:n], errStopped}, tokenizer, dir, small)
			if !errors.Is(err, errStopped) && !strings.Contains(fmt.Sprint(err), "or more before") {
				t.Fatalf("stopped after %d: %v", n, err)
			}
		}
		again := tokenize(t, source, tokenizer, dir, small)
		wantSame(t, contents(t, dir), want)
		if again.Skipped() != (SkippedDocuments{Duplicate: 1, Empty: 1}) {
			t.Errorf("stopped after %v: skipped %+v", stops, again.Skipped())
		}
	}
}

// TestTokenizeKeepsWholeShards counts what is tokenized again after a stop.
func TestTokenizeKeepsWholeShards(t *testing.T) {
	tokenizer, source, dir := newByteTokenizer(t), manyDocuments(300), t.TempDir()
	if _, err := Tokenize(t.Context(), listed{source.documents[:250], errStopped}, tokenizer, dir, small); !errors.Is(err, errStopped) {
		t.Fatal(err)
	}
	if _, err := OpenTokens(dir, tokenizer); err == nil || !strings.Contains(err.Error(), "unfinished") {
		t.Errorf("unfinished tokens are opened: %v", err)
	}
	before, err := openRecord(dir)
	if err != nil {
		t.Fatal(err)
	}
	var last TokenizeProgress
	options := small
	options.Progress = func(p TokenizeProgress) { last = p }
	tokens := tokenize(t, source, tokenizer, dir, options)
	training, validation := tokens.Count()
	if before.tokens() < 4000 || last.NewTokens != training+validation-int64(before.tokens()) {
		t.Errorf("%d tokens were kept, %d made anew, of %d", before.tokens(), last.NewTokens, training+validation)
	}
	if last.Tokens != training+validation || last.Documents != 300 || last.Bytes != source.Bytes() || last.Total != source.Bytes() || last.Rate() <= 0 {
		t.Errorf("progress at the end: %+v", last)
	}
	last = TokenizeProgress{}
	tokenize(t, source, tokenizer, dir, options)
	if last != (TokenizeProgress{}) {
		t.Error("complete tokens were made again")
	}
}

// TestTokenizeKilled kills processes that tokenize, each a little later than the one before, until one comes to its end.
func TestTokenizeKilled(t *testing.T) {
	const into = "OFFSHOOT_TEST_TOKENIZE_INTO"
	tokenizer, source, options := newByteTokenizer(t), manyDocuments(6000), TokenizeOptions{HeldOut: 5, shardBytes: 30_000}
	if dir := os.Getenv(into); dir != "" {
		tokenize(t, source, tokenizer, dir, options)
		return
	}
	dir, undisturbed := t.TempDir(), t.TempDir()
	tokenize(t, source, tokenizer, undisturbed, options)
	killed := 0 // that left something behind
	for wait := 20 * time.Millisecond; ; wait += 10 * time.Millisecond {
		child := exec.Command(os.Args[0], "-test.run=^TestTokenizeKilled$")
		child.Env = append(os.Environ(), into+"="+dir)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		death := time.AfterFunc(wait, func() { child.Process.Kill() })
		err := child.Wait()
		if death.Stop(); err == nil {
			break
		}
		if child.ProcessState.Exited() { // by itself
			t.Fatal(err)
		}
		if _, err := openRecord(dir); err == nil {
			killed++
		}
	}
	if wantSame(t, contents(t, dir), contents(t, undisturbed)); killed == 0 {
		t.Error("no process was killed between its first shard and its last")
	}
}

// TestTokenizeCannotWrite fails at a shard, as a full disk does, keeps those before it, and goes on when there is room.
func TestTokenizeCannotWrite(t *testing.T) {
	tokenizer, source, dir, undisturbed := newByteTokenizer(t), manyDocuments(300), t.TempDir(), t.TempDir()
	tokenize(t, source, tokenizer, undisturbed, small)
	obstacle := filepath.Join(dir, shardName(validationHalf, 2)) // a folder where a shard should be
	if err := os.MkdirAll(filepath.Join(obstacle, "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := Tokenize(t.Context(), source, tokenizer, dir, small)
	if err == nil || !strings.Contains(err.Error(), obstacle) || !strings.Contains(err.Error(), "the shards before it are kept") {
		t.Errorf("%v", err)
	}
	record, err := openRecord(dir)
	if err != nil || len(record.Training) != 2 || len(record.Validation) != 2 {
		t.Fatalf("%+v is kept, %v", record, err)
	}
	if err := os.RemoveAll(obstacle); err != nil {
		t.Fatal(err)
	}
	tokenize(t, source, tokenizer, dir, small)
	wantSame(t, contents(t, dir), contents(t, undisturbed))
}

// TestTokenizeCancelled ends many times while several chunks are encoded, and goes on.
func TestTokenizeCancelled(t *testing.T) {
	tokenizer, source, dir, undisturbed := newByteTokenizer(t), manyDocuments(6000), t.TempDir(), t.TempDir()
	options := TokenizeOptions{HeldOut: 5, shardBytes: 30_000}
	tokenize(t, source, tokenizer, undisturbed, options)
	cancelled := 0
	for wait := time.Millisecond; ; wait += wait / 2 {
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		tokens, err := Tokenize(ctx, source, tokenizer, dir, options)
		cancel()
		if err == nil {
			tokens.Close()
			break
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		cancelled++
	}
	if wantSame(t, contents(t, dir), contents(t, undisturbed)); cancelled == 0 {
		t.Error("nothing was cancelled")
	}
}

func TestTokenizeRefuses(t *testing.T) {
	tokenizer, source, dir := newByteTokenizer(t), manyDocuments(300), t.TempDir()
	if _, err := Tokenize(t.Context(), listed{source.documents[:250], errStopped}, tokenizer, dir, small); !errors.Is(err, errStopped) {
		t.Fatal(err)
	}
	none := byteVocabulary()
	none.Tokens[0], none.EOS = "<|other|>", -1
	mute, err := NewTokenizer(none)
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	otherDocument := manyDocuments(300)
	otherDocument.documents[8].Text = "changed"
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name      string
		source    Source
		tokenizer *Tokenizer
		dir       string
		options   TokenizeOptions
		want      string
	}{
		{"another share", source, tokenizer, dir, TokenizeOptions{HeldOut: 7, shardBytes: 2000}, "share held out is 5, now 7"},
		{"another limit", source, tokenizer, dir, TokenizeOptions{HeldOut: 5, Limit: 9, shardBytes: 2000}, "limit of tokens is 0, now 9"},
		{"other documents", otherDocument, tokenizer, dir, small, "those of listed, are not those of before, of listed: delete"},
		{"fewer documents", manyDocuments(3), tokenizer, dir, small, "has 3 documents"},
		{"no separator", source, mute, t.TempDir(), small, "<|endoftext|>"},
		{"all held out", source, tokenizer, t.TempDir(), TokenizeOptions{HeldOut: 1}, "want"},
		{"one document", manyDocuments(1), tokenizer, t.TempDir(), small, "one half is empty"},
		{"no folder", source, tokenizer, file, small, file},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := map[string][]byte{}
			if test.dir == dir {
				before = contents(t, dir)
			}
			_, err := Tokenize(t.Context(), test.source, test.tokenizer, test.dir, test.options)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "listed") {
				t.Errorf("%v, want %q", err, test.want)
			}
			if test.dir == dir {
				wantSame(t, contents(t, dir), before)
			}
		})
	}
}

func TestOpenTokensRefuses(t *testing.T) {
	tokenizer, dir := newByteTokenizer(t), t.TempDir()
	tokenize(t, manyDocuments(300), tokenizer, dir, small)
	vocabulary := byteVocabulary()
	vocabulary.PreTokenizer = "gpt-2"
	other, err := NewTokenizer(vocabulary)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	whole := contents(t, dir)
	shard1 := shardName(trainingHalf, 1)
	for _, test := range []struct {
		name      string
		tokenizer *Tokenizer
		harm      func(files map[string][]byte)
		want      string
	}{
		{"no record", tokenizer, func(f map[string][]byte) { delete(f, recordName) }, "make them with Tokenize"},
		{"half a record", tokenizer, func(f map[string][]byte) { f[recordName] = f[recordName][:50] }, "cannot be read"},
		{"a later version", tokenizer, func(f map[string][]byte) { f[recordName] = []byte(`{"version": 2}`) }, "version 2"},
		{"another tokenizer", other, func(map[string][]byte) {}, "made with another tokenizer"},
		{"a shard missing", tokenizer, func(f map[string][]byte) { delete(f, shard1) }, shard1},
		{"a shard cut short", tokenizer, func(f map[string][]byte) { f[shard1] = f[shard1][:1000] }, "it has 1000 bytes"},
		{"a shard of nothing", tokenizer, func(f map[string][]byte) { f[shard1] = nil }, "0 bytes are too few"},
		{"another's shard", tokenizer, func(f map[string][]byte) { f[shard1] = f[shardName(trainingHalf, 2)] }, "not the shard that tokens.json lists"},
		{"the other half's shard", tokenizer, func(f map[string][]byte) { f[shardName(validationHalf, 0)] = f[shard1] }, "not the shard that tokens.json lists"},
	} {
		t.Run(test.name, func(t *testing.T) {
			files, dir := map[string][]byte{}, t.TempDir()
			for name, content := range whole {
				files[name] = content
			}
			test.harm(files)
			for name, content := range files {
				if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := OpenTokens(dir, test.tokenizer); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func TestVerify(t *testing.T) {
	tokenizer, dir := newByteTokenizer(t), t.TempDir()
	tokenize(t, manyDocuments(300), tokenizer, dir, small)
	path := filepath.Join(dir, shardName(validationHalf, 2))
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)-1] ^= 1
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	tokens, err := OpenTokens(dir, tokenizer)
	if err != nil {
		t.Fatal(err)
	}
	defer tokens.Close()
	if err := tokens.Verify(t.Context()); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("a flipped bit: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tokens.Verify(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestCutShort cuts a shard while it is mapped: an error, and not the end of the process.
func TestCutShort(t *testing.T) {
	tokenizer, dir := newByteTokenizer(t), t.TempDir()
	tokens := tokenize(t, manyDocuments(3000), tokenizer, dir, TokenizeOptions{HeldOut: 5})
	if err := os.Truncate(filepath.Join(dir, shardName(trainingHalf, 0)), 0); err != nil {
		t.Fatal(err)
	}
	if ids, err := tokens.Train(1, 2, 8).Next(t.Context()); !errors.Is(err, errDamagedShard) || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("%v, %v", ids, err)
	}
	defer func() {
		if recover() != "mine" {
			t.Error("another panic was swallowed")
		}
	}()
	tokens.training.shards[0].use(func(*shard) error { panic("mine") })
}

func TestTokenizeProgressLeft(t *testing.T) {
	for _, test := range []struct {
		progress TokenizeProgress
		want     time.Duration
		ok       bool
	}{
		{TokenizeProgress{}, 0, false},
		{TokenizeProgress{Bytes: 50, NewBytes: 50, NewTokens: 9, Elapsed: time.Second}, 0, false}, // nothing says how much there is
		{TokenizeProgress{Bytes: 60, NewBytes: 20, Total: 100, Elapsed: time.Second}, 2 * time.Second, true},
		{TokenizeProgress{Tokens: 30, NewTokens: 10, Limit: 60, Elapsed: time.Second}, 3 * time.Second, true},
		{TokenizeProgress{Bytes: 60, NewBytes: 20, Total: 100, Tokens: 30, NewTokens: 10, Limit: 60, Elapsed: time.Second}, 2 * time.Second, true},
		{TokenizeProgress{Bytes: 60, Total: 100, Elapsed: time.Second}, 0, false}, // an earlier call's are read again
	} {
		if left, ok := test.progress.Left(); left != test.want || ok != test.ok {
			t.Errorf("%+v: %v, %v, want %v, %v", test.progress, left, ok, test.want, test.ok)
		}
	}
	if rate := (TokenizeProgress{NewTokens: 10, Tokens: 30, Elapsed: 2 * time.Second}).Rate(); rate != 5 {
		t.Errorf("rate %g", rate)
	}
}

func TestMissingRecordIsNotExist(t *testing.T) {
	if _, err := OpenTokens(t.TempDir(), newByteTokenizer(t)); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// FuzzReadRecord reads any text as tokens.json, which may name nothing outside its folder.
func FuzzReadRecord(f *testing.F) {
	f.Add([]byte(`{"version": 1, "training": [{"tokens": 1, "documents": 1, "sha256": "00"}]}`))
	f.Add([]byte(`{"version": 1, "complete": true, "vocab": 9}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := readRecord(bytes.NewReader(text))
		if (err == nil) != (r != nil) {
			t.Errorf("%v, %v", r, err)
		}
		if err == nil && (len(r.sum()) != 64 || r.differs(r) != nil) {
			t.Errorf("a record that differs from itself: %+v", r)
		}
	})
}
