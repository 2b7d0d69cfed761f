package datasets

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func readSample(t testing.TB, source Source, tokenizer *Tokenizer, o SampleOptions) Sample {
	t.Helper()
	s, err := ReadSample(t.Context(), source, tokenizer, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The held-out documents are those that Tokenize puts into the validation half, whatever limits the text; with the whole text
// come the others. Bytes and tokens are those of the documents.
func TestReadSample(t *testing.T) {
	tokenizer, source := newByteTokenizer(t), manyDocuments(2000)
	source.documents = append(source.documents, source.documents[:40]...) // no text twice
	for i := range 40 {
		source.documents[2000+i].ID += " again"
	}
	for _, limit := range []int64{0, 20_000} {
		tokens := tokenize(t, source, tokenizer, t.TempDir(), TokenizeOptions{Limit: limit})
		training, held := tokens.Documents()
		got := readSample(t, source, tokenizer, SampleOptions{Limit: limit})
		if want := tokens.validation.all(t); got.Documents != int(held) || !sameMultiset(got.IDs[1:], want) {
			t.Errorf("limit %d: %d held-out documents of %d tokens, Tokenize has %d of %d", limit, got.Documents, got.Tokens(), held, len(want))
		}
		whole := readSample(t, source, tokenizer, SampleOptions{Limit: limit, Whole: true})
		if bytes := int64(len(decode(t, tokenizer, whole.IDs))); whole.Documents != int(training+held) || whole.IDs[0] != tokenizer.Separator() ||
			whole.Bytes != bytes-int64(whole.Documents+1)*int64(len(endOfText)) {
			t.Errorf("limit %d: all are %d documents of %d bytes, their tokens decode to %d; Tokenize has %d", limit, whole.Documents, whole.Bytes, bytes, training+held)
		}
	}
}

func sameMultiset(a, b []int32) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// A sample ends with the document that reaches its tokens, comes from the whole text, and is the beginning of a larger one from
// the same text.
func TestSampleOfSomeTokens(t *testing.T) {
	tokenizer, source := newByteTokenizer(t), manyDocuments(1000)
	small, large := readSample(t, source, tokenizer, SampleOptions{Whole: true, Tokens: 1000}), readSample(t, source, tokenizer, SampleOptions{Whole: true, Tokens: 2000})
	if small.Tokens() < 1000 || small.Tokens() > 1100 || !slices.Equal(large.IDs[:len(small.IDs)], small.IDs) {
		t.Errorf("%d tokens, and of twice as many %d", small.Tokens(), large.Tokens())
	}
	if first, _, _ := strings.Cut(decode(t, tokenizer, small.IDs[1:]), endOfText); first == source.documents[0].Text {
		t.Errorf("the sample begins with the first document")
	}
}

// Each token of the sample is predicted once, from the one before it.
func TestSampleWindows(t *testing.T) {
	s := Sample{IDs: []int32{9, 1, 2, 3, 4, 5, 6, 7}}
	for _, c := range []struct {
		tokens, seqLen int
		want           []int32
	}{
		{0, 3, []int32{9, 1, 2, 3, 3, 4, 5, 6}},
		{2, 3, []int32{9, 1, 2, 3}},
		{4, 3, []int32{9, 1, 2, 3, 3, 4, 5, 6}},
		{99, 7, []int32{9, 1, 2, 3, 4, 5, 6, 7}},
	} {
		if got, err := s.Windows(c.tokens, c.seqLen); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%d tokens in windows of %d: %v, %v; want %v", c.tokens, c.seqLen, got, err, c.want)
		}
	}
	if _, err := s.Windows(0, 8); err == nil || !strings.Contains(err.Error(), "7 tokens are too few") {
		t.Errorf("a window that is too long: %v", err)
	}
}

func TestReadSampleRefuses(t *testing.T) {
	tokenizer := newByteTokenizer(t)
	few := manyDocuments(3)
	if _, err := ReadSample(t.Context(), few, tokenizer, SampleOptions{}); err == nil || !strings.Contains(err.Error(), "none of its 3 documents is held out") {
		t.Errorf("three documents: %v", err)
	}
	few.fail = errors.New("it broke")
	if _, err := ReadSample(t.Context(), few, tokenizer, SampleOptions{Whole: true}); err == nil || !strings.Contains(err.Error(), "it broke") {
		t.Errorf("a source that breaks: %v", err)
	}
}
