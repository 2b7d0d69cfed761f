package datasets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// aTokens is tokens in several shards, whose windows of the training half are all different for seqLen 7.
func aTokens(t testing.TB) *Tokens {
	t.Helper()
	return tokenize(t, manyDocuments(200), newByteTokenizer(t), t.TempDir(), small)
}

// windowsOf reads n batches and cuts them into windows.
func windowsOf(t *testing.T, w *Windows, n int) [][]int32 {
	t.Helper()
	var out [][]int32
	for range n {
		ids, err := w.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(ids) != w.batch*(w.seqLen+1) {
			t.Fatalf("%d ids in a batch of %d windows of %d", len(ids), w.batch, w.seqLen+1)
		}
		out = slices.AppendSeq(out, slices.Chunk(ids, w.seqLen+1))
	}
	return out
}

// TestWindows reads two epochs of batches that do not divide them, and finds each window once in each, in another order.
func TestWindows(t *testing.T) {
	const seqLen, batch = 7, 3
	tokens := aTokens(t)
	text := tokens.training.all(t)
	count := (len(text) - 1) / seqLen
	want := map[string]int{}
	for i := range count {
		want[fmt.Sprint(text[i*seqLen:(i+1)*seqLen+1])]++
	}
	read := windowsOf(t, tokens.Train(1, batch, seqLen), (2*count+batch-1)/batch)
	for epoch := range 2 {
		found := map[string]int{}
		for _, w := range read[epoch*count : (epoch+1)*count] {
			found[fmt.Sprint(w)]++
		}
		for w, n := range want {
			if found[w] != n {
				t.Errorf("epoch %d has window %s %d times, want %d", epoch, w, found[w], n)
			}
		}
	}
	same := 0
	for i := range count {
		if slices.Equal(read[i], read[count+i]) {
			same++
		}
	}
	if count < 200 || same > count/10 {
		t.Errorf("%d of %d windows have the same place in both epochs", same, count)
	}
}

func TestWindowsFollowSeedOnly(t *testing.T) {
	tokens := aTokens(t)
	one, six, other := windowsOf(t, tokens.Train(1, 1, 7), 12), windowsOf(t, tokens.Train(1, 6, 7), 2), windowsOf(t, tokens.Train(2, 6, 7), 2)
	if fmt.Sprint(one) != fmt.Sprint(six) {
		t.Error("another batch size reads in another order")
	}
	if fmt.Sprint(six) == fmt.Sprint(other) {
		t.Error("another seed reads in the same order")
	}
}

func TestWindowsResume(t *testing.T) {
	tokens := aTokens(t)
	count := int(tokens.training.windows(7))
	w := tokens.Train(9, 4, 7)
	for i := range count/4 + 3 { // into the second epoch
		saved, err := json.Marshal(w.Position())
		if err != nil {
			t.Fatal(err)
		}
		want := windowsOf(t, w, 1)
		var p WindowPosition
		if err := json.Unmarshal(saved, &p); err != nil {
			t.Fatal(err)
		}
		resumed := tokens.Train(9, 4, 7)
		if err := resumed.Seek(p); err != nil {
			t.Fatal(err)
		}
		if got := windowsOf(t, resumed, 1); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("batch %d from %s is %v, want %v", i, saved, got, want)
		}
	}
	if w.Position().Epoch != 1 {
		t.Errorf("the end is at %+v", w.Position())
	}
}

func TestWindowsSeekRefuses(t *testing.T) {
	w := aTokens(t).Train(1, 2, 7)
	windowsOf(t, w, 3)
	before, count := w.Position(), w.half.windows(7)
	for _, p := range []WindowPosition{{-1, 0}, {0, -1}, {0, count}, {3, count + 5}} {
		if err := w.Seek(p); err == nil || !strings.Contains(err.Error(), "no position") || w.Position() != before {
			t.Errorf("Seek(%+v): %v, now at %+v", p, err, w.Position())
		}
	}
	if err := w.Seek(WindowPosition{5, count - 1}); err != nil {
		t.Error(err)
	}
	if windowsOf(t, w, 1); w.Position() != (WindowPosition{6, 1}) {
		t.Errorf("over the end of an epoch to %+v", w.Position())
	}
}

func TestWindowsFail(t *testing.T) {
	tokens := aTokens(t)
	if _, err := tokens.Train(1, 1, 1_000_000).Next(t.Context()); err == nil || !strings.Contains(err.Error(), "too few for a window") {
		t.Errorf("a window longer than the text: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := tokens.Train(1, 2, 7)
	if _, err := w.Next(ctx); !errors.Is(err, context.Canceled) || w.Position() != (WindowPosition{}) {
		t.Errorf("cancelled: %v, at %+v", err, w.Position())
	}
	for _, size := range [][2]int{{0, 1}, {1, 0}, {-1, -1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("batch and seqLen %v are accepted", size)
				}
			}()
			tokens.Train(1, size[0], size[1])
		}()
	}
}

func TestTokensValidation(t *testing.T) {
	const seqLen = 8
	tokens := aTokens(t)
	text, count := tokens.validation.all(t), int(tokens.validation.windows(seqLen))
	whole, err := tokens.Validation(count*seqLen, seqLen)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{}
	for i := range count {
		want[fmt.Sprint(text[i*seqLen:(i+1)*seqLen+1])]++
	}
	for w := range slices.Chunk(whole, seqLen+1) {
		want[fmt.Sprint(w)]--
	}
	for w, n := range want {
		if n != 0 {
			t.Errorf("window %s is sampled %d times too few", w, n)
		}
	}
	for _, n := range []int{1, seqLen, seqLen + 1, 5 * seqLen} {
		sample, err := tokens.Validation(n, seqLen)
		if windows := (n + seqLen - 1) / seqLen; err != nil || !slices.Equal(sample, whole[:windows*(seqLen+1)]) {
			t.Errorf("%d tokens: %d ids, %v", n, len(sample), err)
		}
	}
	if _, err := tokens.Validation(count*seqLen+1, seqLen); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("has %d windows", count)) {
		t.Errorf("more than there is: %v", err)
	}
	for _, size := range [][2]int{{0, 8}, {8, 0}} {
		if _, err := tokens.Validation(size[0], size[1]); err == nil {
			t.Errorf("a sample of %v", size)
		}
	}
}

// BenchmarkNext is the time that a batch of 4 windows of 128 takes from the step that waits for it.
func BenchmarkNext(b *testing.B) {
	w := tokenize(b, manyDocuments(20_000), newByteTokenizer(b), b.TempDir(), TokenizeOptions{HeldOut: 5}).Train(1, 4, 128)
	for b.Loop() {
		if _, err := w.Next(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
