package distill

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func logitsOf() LogitsOf {
	return LogitsOf{Teacher: "t", Vocab: 50000, Corpus: "c", Seed: 1, Batch: 2, SeqLen: 3, TopK: 4, Temperature: 2}
}

// batchOf is a batch's windows, tokens and log-probabilities, other for every number.
func batchOf(o LogitsOf, n int) (windows, tokens []int32, logs []float32) {
	r := rand.New(rand.NewPCG(uint64(n), 7))
	for range o.Batch * (o.SeqLen + 1) {
		windows = append(windows, r.Int32N(int32(o.Vocab)))
	}
	for range o.positions() * o.TopK {
		tokens, logs = append(tokens, r.Int32N(int32(o.Vocab))), append(logs, -10*r.Float32())
	}
	return windows, tokens, logs
}

func openLogits(t testing.TB, path string, o LogitsOf) *Logits {
	t.Helper()
	l, err := OpenLogits(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.file.Close() })
	return l
}

// Records are read back, by whoever opens the file, in any order, also with some missing.
func TestLogitsAreReadBack(t *testing.T) {
	for _, vocab := range []int{50000, 1 << 17} {
		o := logitsOf()
		o.Vocab = vocab
		path := filepath.Join(t.TempDir(), "logits")
		l := openLogits(t, path, o)
		for _, n := range []int{0, 1, 4} {
			windows, tokens, logs := batchOf(o, n)
			if err := l.Put(n, windows, tokens, logs); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l = openLogits(t, path, o)
		if written, upTo, err := l.Batches(); written != 3 || upTo != 5 || err != nil {
			t.Errorf("%d records up to %d, %v", written, upTo, err)
		}
		for n := range 7 {
			windows, tokens, logs := batchOf(o, n)
			gotTokens, gotLogs, ok, err := l.Get(n, windows)
			if want := n == 0 || n == 1 || n == 4; ok != want || err != nil {
				t.Fatalf("batch %d: %t, %v", n, ok, err)
			}
			for i := range gotLogs {
				if gotTokens[i] != tokens[i] || math.Abs(float64(gotLogs[i]-logs[i])) > 0.004 {
					t.Fatalf("batch %d: token %d with %g, want %d with %g", n, gotTokens[i], gotLogs[i], tokens[i], logs[i])
				}
			}
		}
	}
}

func TestLogitsOfOtherTokensAreRefused(t *testing.T) {
	o, path := logitsOf(), filepath.Join(t.TempDir(), "logits")
	l := openLogits(t, path, o)
	windows, tokens, logs := batchOf(o, 0)
	if err := l.Put(0, windows, tokens, logs); err != nil {
		t.Fatal(err)
	}
	windows[3]++
	if _, _, ok, err := l.Get(0, windows); ok || err == nil || errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "other tokens") {
		t.Errorf("%t, %v", ok, err)
	}
	other := o
	other.TopK = 5
	if _, err := OpenLogits(path, other); err == nil || !strings.Contains(err.Error(), "top_k is 4 there, 5 here") {
		t.Error(err)
	}
	if err := l.Put(1, windows, tokens[1:], logs); err == nil {
		t.Error("a record that is too short was written")
	}
	other = o
	other.DocumentMask = true
	if _, err := OpenLogits(path, other); err == nil || !strings.Contains(err.Error(), "document_mask is not set there, true here") {
		t.Error(err)
	}
	for _, bad := range []LogitsOf{{}, {TopK: 3, Vocab: 2, Batch: 1, SeqLen: 1, Temperature: 1}, {TopK: 3, Vocab: 9, Batch: 1 << 40, SeqLen: 1, Temperature: 1},
		{TopK: 3, Vocab: 9, Batch: 1, SeqLen: 1}, {TopK: 1 << 20, Vocab: 1 << 24, Batch: 1 << 10, SeqLen: 1 << 10, Temperature: 1}} {
		if _, err := OpenLogits(path+"2", bad); err == nil {
			t.Errorf("%+v was opened", bad)
		}
	}
}

// A byte that changes, anywhere in a record, or an end that is missing, is noticed.
func TestDamagedLogitsAreNoticed(t *testing.T) {
	o, path := logitsOf(), filepath.Join(t.TempDir(), "logits")
	l := openLogits(t, path, o)
	windows, tokens, logs := batchOf(o, 0)
	if err := l.Put(0, windows, tokens, logs); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(content []byte) {
		t.Helper()
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, ok, err := openLogits(t, path, o).Get(0, windows); ok || !errors.Is(err, ErrDamaged) {
			t.Errorf("%t, %v", ok, err)
		}
	}
	for _, at := range []int64{l.head, l.head + 9, l.head + 40, int64(len(whole)) - 1} {
		changed := slices.Clone(whole)
		changed[at] ^= 4
		check(changed)
	}
	check(whole[:len(whole)-3])
	if err := os.WriteFile(path, []byte("something else"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLogits(path, o); err == nil || !strings.Contains(err.Error(), "no file of logits") {
		t.Error(err)
	}
}

func FuzzOpenLogits(f *testing.F) {
	o := logitsOf()
	path := filepath.Join(f.TempDir(), "logits")
	l, err := OpenLogits(path, o)
	if err != nil {
		f.Fatal(err)
	}
	windows, tokens, logs := batchOf(o, 0)
	if err := errors.Join(l.Put(0, windows, tokens, logs), l.Close()); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:20])
	f.Add([]byte(logitsMagic + "\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "logits")
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		l, err := OpenLogits(path, o)
		if err != nil {
			return
		}
		defer l.Close()
		got, values, ok, err := l.Get(0, windows)
		if ok && (err != nil || len(got) != len(tokens) || len(values) != len(logs)) {
			t.Fatalf("%d tokens, %d values, %v", len(got), len(values), err)
		}
	})
}

func TestLikeliest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{1, 2, 17, 300} {
		logits := make([]float32, size)
		for i := range logits {
			logits[i] = float32(r.IntN(40)) / 4 // with many that are equal
		}
		order := make([]int32, size)
		for i := range order {
			order[i] = int32(i)
		}
		slices.SortStableFunc(order, func(a, b int32) int {
			switch {
			case logits[a] > logits[b]:
				return -1
			case logits[a] < logits[b]:
				return 1
			}
			return int(a - b)
		})
		for _, k := range []int{1, 2, size/2 + 1, size} {
			if k > size {
				continue
			}
			tokens, logs, sum := make([]int32, k), make([]float32, k), 0.0
			likeliest(logits, 2, tokens, logs)
			for i := range logs {
				sum += math.Exp(float64(logs[i]))
			}
			if !reflect.DeepEqual(tokens, order[:k]) {
				t.Errorf("the likeliest %d of %d are %v, want %v", k, size, tokens, order[:k])
			}
			if sum > 1+1e-6 || k == size && sum < 1-1e-6 {
				t.Errorf("the probabilities of %d of %d add up to %g", k, size, sum)
			}
			if got, want := float64(logs[0]-logs[k-1]), float64(logits[tokens[0]]-logits[tokens[k-1]])/2; math.Abs(got-want) > 1e-5 {
				t.Errorf("best and last differ by %g, want %g", got, want)
			}
		}
	}
}

func BenchmarkLikeliest(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	logits, tokens, logs := make([]float32, 49152), make([]int32, 64), make([]float32, 64)
	for i := range logits {
		logits[i] = float32(r.NormFloat64())
	}
	for b.Loop() {
		likeliest(logits, 1, tokens, logs)
	}
}
