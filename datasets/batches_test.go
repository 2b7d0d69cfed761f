package datasets

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// take reads n batches.
func take(t *testing.T, b *Batches, n int) [][]int32 {
	t.Helper()
	var out [][]int32
	for range n {
		batch, err := b.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, batch)
	}
	return out
}

// stream puts windows of seqLen+1 tokens back together, and reports windows that do not meet in one token.
func stream(t *testing.T, batches [][]int32, seqLen int) []int32 {
	t.Helper()
	var out []int32
	for window := range slices.Chunk(slices.Concat(batches...), seqLen+1) {
		if len(out) > 0 && out[len(out)-1] != window[0] {
			t.Fatalf("a window begins with %d, the one before ends with %d", window[0], out[len(out)-1])
		}
		if len(out) > 0 {
			window = window[1:]
		}
		out = append(out, window...)
	}
	return out
}

// TestLongDocuments reads an epoch of documents that are cut into passages, and finds every line once, and passages of
// one document apart.
func TestLongDocuments(t *testing.T) {
	files, want := map[string]string{}, map[string]int{}
	for d := range 12 {
		var text strings.Builder
		for line := range 500 {
			fmt.Fprintf(&text, "%d:%d\n", d, line)
		}
		files[fmt.Sprintf("%02d.txt", d)] = text.String()
	}
	c := openText(t, folder(t, files))
	for _, d := range c.training {
		for line := range strings.Lines(files[d.Path]) {
			want[line]++
		}
	}
	b := c.Train(5, 1, 64)
	var batches [][]int32
	for epoch(b) < 1 {
		batches = append(batches, take(t, b, 1)...)
	}
	read := decode(t, c.tokenizer, stream(t, batches, 64))
	parts := strings.SplitAfter(read, endOfText)
	if n := b.passages.count(); n < 2*len(c.training) || len(parts) < n {
		t.Fatalf("%d documents in %d passages, %d read", len(c.training), n, len(parts))
	}
	changes := 0
	for i, part := range parts[:b.passages.count()] {
		for line := range strings.Lines(strings.TrimSuffix(part, endOfText)) {
			want[line]--
		}
		if i > 0 && part[:strings.Index(part, ":")] != parts[i-1][:strings.Index(parts[i-1], ":")] {
			changes++
		}
	}
	for line, n := range want {
		if n != 0 {
			t.Errorf("line %q was read %d times too few", line, n)
		}
	}
	if changes < b.passages.count()/2 {
		t.Errorf("only %d of %d passages follow one of another document", changes, b.passages.count())
	}
}

// epoch is the epoch that all rows have reached.
func epoch(b *Batches) int {
	first := func(p, q Place) int { return cmp.Compare(p.Epoch, q.Epoch) }
	return slices.MinFunc(b.Position().Rows, first).Epoch
}

// rowsOf gives each row its windows.
func rowsOf(batches [][]int32, rows, seqLen int) [][][]int32 {
	out := make([][][]int32, rows)
	for _, batch := range batches {
		for r := range rows {
			out[r] = append(out[r], batch[r*(seqLen+1):(r+1)*(seqLen+1)])
		}
	}
	return out
}

// TestEpochs reads several epochs and finds each training document once in each, in another order, whatever the number of
// rows: row r of B has every B-th document from the r-th on.
func TestEpochs(t *testing.T) {
	c := openText(t, numbered(t, 60))
	n, want := len(c.training), map[string]bool{}
	for _, d := range c.training {
		text, err := c.read(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		want[string(text)] = true
	}
	var first []string
	for _, rows := range []int{1, 2, 7, n + 3} {
		b := c.Train(7, rows, 5)
		var batches [][]int32
		for epoch(b) < 4 {
			batches = append(batches, take(t, b, 1)...)
		}
		documents := make([]string, 3*n)
		for r, windows := range rowsOf(batches, rows, 5) {
			for i, d := range strings.Split(decode(t, c.tokenizer, stream(t, windows, 5)), endOfText) {
				if at := i*rows + r; at < len(documents) {
					documents[at] = d
				}
			}
		}
		if first == nil {
			first = documents
		}
		if !slices.Equal(documents, first) {
			t.Errorf("%d rows read other documents", rows)
		}
	}
	for epoch := range 3 {
		order := first[epoch*n : (epoch+1)*n]
		for _, d := range order {
			if !want[d] {
				t.Errorf("epoch %d has %q, which is no training document", epoch, d)
			}
		}
		if distinct := slices.Compact(slices.Sorted(slices.Values(order))); len(distinct) != n {
			t.Errorf("epoch %d has %d of %d documents", epoch, len(distinct), n)
		}
	}
	if slices.Equal(first[:n], first[n:2*n]) || slices.Equal(first[n:2*n], first[2*n:]) {
		t.Error("two epochs have the same order")
	}
}

// TestResume stops before every batch of two epochs, carries the position as JSON to a fresh stream, and compares.
func TestResume(t *testing.T) {
	root := numbered(t, 23)
	// A document whose second passage is empty.
	long := strings.Repeat("z", 2100) + "\n"
	if err := os.WriteFile(filepath.Join(root, "d", "long.txt"), []byte(long), 0o644); err != nil {
		t.Fatal(err)
	}
	if p := cutIntoPassages([]textFile{{Bytes: int64(len(long))}}, passageBytes(1)); p.count() != 2 || len(p.text([]byte(long), 1)) > 0 {
		t.Fatalf("%d passages", p.count())
	}
	for _, size := range []struct{ batch, seqLen int }{{1, 4}, {2, 3}, {3, 40}, {2, 500}} {
		original := openText(t, root).Train(3, size.batch, size.seqLen)
		fresh := openText(t, root)
		for epoch(original) < 3 {
			saved, err := json.Marshal(original.Position())
			if err != nil {
				t.Fatal(err)
			}
			var p Position
			if err := json.Unmarshal(saved, &p); err != nil {
				t.Fatal(err)
			}
			resumed := fresh.Train(3, size.batch, size.seqLen)
			if err := resumed.Seek(p); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(resumed.Position(), original.Position()) {
				t.Fatalf("%+v: position %+v after Seek(%+v)", size, resumed.Position(), p)
			}
			want, got := take(t, original, 2), take(t, resumed, 2)
			if !slices.EqualFunc(got, want, slices.Equal[[]int32]) || !reflect.DeepEqual(resumed.Position(), original.Position()) {
				t.Fatalf("%+v: from %+v the stream goes on differently", size, p)
			}
		}
	}
}

// TestSeekBack asks one stream for the same batch again, also after it went on into another epoch.
func TestSeekBack(t *testing.T) {
	b := openText(t, numbered(t, 9)).Train(1, 2, 30)
	take(t, b, 1)
	p := b.Position()
	want := take(t, b, 1)
	take(t, b, 12)
	if epoch(b) == 0 {
		t.Fatal("the stream did not leave the epoch")
	}
	if err := b.Seek(p); err != nil {
		t.Fatal(err)
	}
	if got := take(t, b, 1); !slices.Equal(got[0], want[0]) {
		t.Error("another batch after going back")
	}
}

func TestSeed(t *testing.T) {
	c := openText(t, numbered(t, 60))
	first := take(t, c.Train(1, 2, 16), 5)
	if again := take(t, c.Train(1, 2, 16), 5); !slices.EqualFunc(first, again, slices.Equal[[]int32]) {
		t.Error("one seed gave two streams")
	}
	if other := take(t, c.Train(2, 2, 16), 5); slices.EqualFunc(first, other, slices.Equal[[]int32]) {
		t.Error("two seeds gave one stream")
	}
}

func TestSeekRefuses(t *testing.T) {
	c := openText(t, numbered(t, 9))
	b := c.Train(1, 2, 4)
	take(t, b, 3)
	at := b.Position()
	for _, p := range []Place{{-1, 0, 0}, {0, -1, 0}, {0, b.passages.count(), 0}, {0, 0, -1}, {0, 0, 1000}} {
		if err := b.Seek(Position{[]Place{{}, p}}); err == nil || !reflect.DeepEqual(b.Position(), at) {
			t.Errorf("Seek(%+v): %v, position %+v", p, err, b.Position())
		}
	}
	for text, want := range map[string]string{
		`{"epoch": 1, "passage": 2, "token": 3}`:             "older version of this program",
		`{"rows": [{"epoch": 1, "passage": 2, "token": 3}]}`: "batches of 1 rows, these have 2",
	} {
		var p Position
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatal(err)
		}
		if err := b.Seek(p); err == nil || !strings.Contains(err.Error(), want) || !reflect.DeepEqual(b.Position(), at) {
			t.Errorf("Seek(%s): %v, want %q", text, err, want)
		}
	}
}

// TestNextFails cancels, and changes and removes a document on the way.
func TestNextFails(t *testing.T) {
	root := numbered(t, 9)
	c := openText(t, root)
	b := c.Train(1, 1, 8)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Next(ctx); !errors.Is(err, context.Canceled) || !reflect.DeepEqual(b.Position(), c.Train(1, 1, 8).Position()) {
		t.Errorf("cancelled: %v at %+v", err, b.Position())
	}
	for _, d := range c.training {
		if err := os.WriteFile(filepath.Join(root, filepath.FromSlash(d.Path)), []byte("changed"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Next(t.Context()); err == nil || !strings.Contains(err.Error(), "changed since") || !reflect.DeepEqual(b.Position(), c.Train(1, 1, 8).Position()) {
		t.Errorf("changed: %v at %+v", err, b.Position())
	}
	if err := os.RemoveAll(filepath.Join(root, "d")); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Next(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("removed: %v", err)
	}
}

func TestTrainPanics(t *testing.T) {
	c := openText(t, numbered(t, 9))
	for _, size := range [][2]int{{0, 4}, {4, 0}, {-1, 4}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Train of %v did not panic", size)
				}
			}()
			c.Train(1, size[0], size[1])
		}()
	}
}

func TestValidation(t *testing.T) {
	files := map[string]string{}
	for i := range 600 { // long and short ones; the content is its own offset, so that a window tells its place
		name := "v/" + strings.Repeat("x", i%5) + string(rune('a'+i%26)) + string(rune('a'+i/26)) + ".txt"
		files[name] = name + strings.Repeat("0123456789", i%40)
	}
	c := openText(t, folder(t, files))
	const seqLen = 32
	large, err := c.Validation(40*seqLen, seqLen)
	if err != nil {
		t.Fatal(err)
	}
	if len(large) != 40*(seqLen+1) {
		t.Fatalf("%d ids", len(large))
	}
	for _, tokens := range []int{1, seqLen, seqLen + 1, 7 * seqLen} {
		small, err := c.Validation(tokens, seqLen)
		if n := (tokens + seqLen - 1) / seqLen; err != nil || !slices.Equal(small, large[:n*(seqLen+1)]) {
			t.Errorf("%d tokens are not the beginning of a larger sample (%v)", tokens, err)
		}
	}
	groups, err := c.validationGroups(seqLen, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	most := 0
	for i, g := range groups {
		most += len(g.order)
		if start := g.order[0] * seqLen; i < 40 && !slices.Equal(large[i*(seqLen+1):(i+1)*(seqLen+1)], g.tokens[start:start+seqLen+1]) && len(groups) >= 40 {
			t.Errorf("window %d is not the first of document group %d", i, i)
		}
		if sorted := slices.Sorted(slices.Values(g.order)); sorted[0] != 0 || len(slices.Compact(sorted)) != len(g.order) {
			t.Errorf("group %d is taken in the order %v", i, g.order)
		}
	}
	if len(groups) < 5 {
		t.Fatalf("only %d groups of documents", len(groups))
	}
	if all, err := c.Validation(most*seqLen, seqLen); err != nil || len(all) != most*(seqLen+1) {
		t.Errorf("the whole half: %d ids, %v, want %d windows", len(all), err, most)
	}
	if _, err := c.Validation(most*seqLen+1, seqLen); err == nil || !strings.Contains(err.Error(), "windows of 32 tokens") {
		t.Errorf("more than there is: %v", err)
	}
	if _, err := c.Validation(0, seqLen); err == nil {
		t.Error("an empty sample")
	}
}
