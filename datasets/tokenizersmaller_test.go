package datasets

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// texts try what a tokenizer may trip over: bytes that large vocabularies lack, NUL, special tokens' text, other scripts.
var texts = []string{"", "int main in 12\n", "\x00a\x00", "<|im_start|>user<|endoftext|>", "é 日本語 🦎 \u0301", "\t\r\n  \u00ad\u0085\v\f",
	"package main\n\nfunc main() { println(`x`) }\n", "\U0010FFFF\uFFFD\u07ff\u0800"}

func smaller(t testing.TB, text []byte, vocab int) *Tokenizer {
	t.Helper()
	text, eos, err := SmallerTokenizer(text, vocab)
	if err != nil {
		t.Fatal(err)
	}
	tokenizer, err := ReadTokenizer(text, eos)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tokenizer.Close() })
	if tokenizer.Vocab() != vocab || tokenizer.Separator() != int32(eos) {
		t.Fatalf("%d tokens, separator %d; want %d, %d", tokenizer.Vocab(), tokenizer.Separator(), vocab, eos)
	}
	return tokenizer
}

// roundTrip encodes a text and reads it back.
func roundTrip(t *testing.T, tokenizer *Tokenizer, text string) {
	t.Helper()
	ids := encode(t, tokenizer, text)
	for _, id := range ids {
		if id < 0 || int(id) >= tokenizer.Vocab() || id == tokenizer.Separator() {
			t.Errorf("%q has the token %d, of %d", text, id, tokenizer.Vocab())
		}
	}
	if got, want := decode(t, tokenizer, ids), strings.ToValidUTF8(text, "\uFFFD"); got != want {
		t.Errorf("%q came back as %q", want, got)
	}
}

// Every size has its bytes and merges, and no text is lost.
func TestSmallerTokenizer(t *testing.T) {
	written := newByteTokenizer(t).JSON()
	for vocab, want := range map[int]string{257: "i|n|t", 258: "in|t", 259: "int"} {
		tokenizer := smaller(t, written, vocab)
		for _, text := range texts {
			roundTrip(t, tokenizer, text)
		}
		var parts []string
		for _, id := range encode(t, tokenizer, "int") {
			parts = append(parts, decode(t, tokenizer, []int32{id}))
		}
		if got := strings.Join(parts, "|"); got != want {
			t.Errorf("%d tokens cut \"int\" into %q, want %q", vocab, got, want)
		}
	}
}

// The ids are dense, and the same file gives the same bytes.
func TestSmallerTokenizerOfSmolLM2(t *testing.T) {
	large := smolTokenizer(t)
	const vocab = 4096
	first, _, err := SmallerTokenizer(large.JSON(), vocab)
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := SmallerTokenizer(large.JSON(), vocab)
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("another file the second time (%v)", err)
	}
	ids, err := readVocabulary(first)
	if err != nil || len(ids) != vocab {
		t.Fatalf("%d tokens (%v)", len(ids), err)
	}
	taken := make([]bool, vocab)
	for _, id := range ids {
		taken[id] = true
	}
	if slices.Contains(taken, false) {
		t.Error("an id has no token")
	}
	tokenizer := smaller(t, large.JSON(), vocab)
	for _, text := range texts {
		roundTrip(t, tokenizer, text)
	}
	if few, many := len(encode(t, large, texts[6])), len(encode(t, tokenizer, texts[6])); many < few || many > 2*few {
		t.Errorf("a program has %d tokens, %d with the large vocabulary", many, few)
	}
}

// Merges in the older form are the same, and two ways to one token share its id.
func TestSmallerTokenizerReadsMerges(t *testing.T) {
	v := byteVocabulary()
	v.Merges, v.Tokens = append(v.Merges, "n t", "i nt"), append(v.Tokens, "nt")
	v.Types = append(v.Types, checkpoint.TokenNormal)
	text, err := tokenizerJSON(v)
	if err != nil {
		t.Fatal(err)
	}
	want, _, err := SmallerTokenizer(text, 260)
	if err != nil {
		t.Fatal(err)
	}
	older := bytes.ReplaceAll(text, []byte(`["i","n"],["in","t"],["n","t"],["i","nt"]`), []byte(`"i n","in t","n t","i nt"`))
	got, _, err := SmallerTokenizer(older, 260)
	if err != nil || bytes.Equal(older, text) || !bytes.Equal(got, want) || !bytes.Contains(want, []byte(`["i","nt"]`)) {
		t.Errorf("%v\n%s", err, got[max(0, len(got)-200):])
	}
}

func TestSmallerTokenizerRefuses(t *testing.T) {
	written := newByteTokenizer(t).JSON()
	with := func(path []string, value any) []byte {
		var file map[string]any
		if err := json.Unmarshal(written, &file); err != nil {
			t.Fatal(err)
		}
		at := file
		for _, name := range path[:len(path)-1] {
			at = at[name].(map[string]any)
		}
		at[path[len(path)-1]] = value
		text, err := json.Marshal(file)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for name, test := range map[string]struct {
		text  []byte
		vocab int
		want  string
	}{
		"too few merges":   {written, 260, "its 2 merges make 259 tokens, want 260"},
		"less than bytes":  {written, 256, "256 tokens are too few"},
		"no JSON":          {[]byte("{"), 257, "tokenizer.json: "},
		"no model":         {[]byte("{}"), 257, "its model cannot be read"},
		"words":            {with([]string{"model", "type"}, "WordLevel"), 257, `its model is "WordLevel", want BPE`},
		"letters":          {with([]string{"pre_tokenizer"}, map[string]any{"type": "Metaspace"}), 257, "want one that merges bytes"},
		"ends of words":    {with([]string{"model", "end_of_word_suffix"}, "</w>"), 257, "ends of words"},
		"merges of what":   {with([]string{"model", "merges"}, []string{"ab c"}), 258, `merge 0 is of "ab"`},
		"merges of one":    {with([]string{"model", "merges"}, []string{"ab"}), 258, "merge 0 is \"ab\", want two"},
		"merges of number": {with([]string{"model", "merges"}, []int{1}), 258, "its merges cannot be read"},
	} {
		if text, eos, err := SmallerTokenizer(test.text, test.vocab); err == nil || text != nil || eos != -1 || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func FuzzSmallerTokenizer(f *testing.F) {
	written, err := tokenizerJSON(byteVocabulary())
	if err != nil {
		f.Fatal(err)
	}
	tokenizer := smaller(f, written, 259)
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { roundTrip(t, tokenizer, text) })
}
