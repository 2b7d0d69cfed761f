package datasets

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// byteVocabulary has the separator, a chat token, the 256 bytes as byte-level BPE writes them, and two merges.
func byteVocabulary() checkpoint.Vocabulary {
	v := checkpoint.Vocabulary{Model: "gpt2", PreTokenizer: "smollm", Tokens: []string{endOfText, "<|im_start|>"},
		Types: []int32{checkpoint.TokenControl, checkpoint.TokenControl}, BOS: -1, EOS: 1, Unknown: -1}
	next := rune(256)
	for b := range 256 {
		r := rune(b)
		if b <= ' ' || (b >= 0x7f && b <= 0xa0) || b == 0xad { // not printable: a rune from 256 on stands for it
			r = next
			next++
		}
		v.Tokens, v.Types = append(v.Tokens, string(r)), append(v.Types, checkpoint.TokenNormal)
	}
	v.Tokens, v.Types = append(v.Tokens, "in", "int"), append(v.Types, checkpoint.TokenNormal, checkpoint.TokenNormal)
	v.Merges = []string{"i n", "in t"}
	return v
}

// byteID is the id of a byte in byteVocabulary.
func byteID(b byte) int32 { return int32(b) + 2 }

func newByteTokenizer(t testing.TB) *Tokenizer {
	t.Helper()
	tokenizer, err := NewTokenizer(byteVocabulary())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tokenizer.Close(); err != nil {
			t.Error(err)
		}
	})
	return tokenizer
}

func TestEncodeDecode(t *testing.T) {
	tokenizer := newByteTokenizer(t)
	for _, test := range []struct {
		text string
		want []int32
		back string // when it differs from text
	}{
		{"", nil, ""},
		{"int i", []int32{259, byteID(' '), byteID('i')}, ""},
		{"é", []int32{byteID(0xc3), byteID(0xa9)}, ""},
		{"a\x00\x00in", []int32{byteID('a'), byteID(0), byteID(0), 258}, ""},
		{"\x00", []int32{byteID(0)}, ""},
		{"a\xffb", []int32{byteID('a'), byteID(0xef), byteID(0xbf), byteID(0xbd), byteID('b')}, "a\uFFFDb"},
	} {
		got := encode(t, tokenizer, test.text)
		if !slices.Equal(got, test.want) {
			t.Errorf("Encode(%q) = %v, want %v", test.text, got, test.want)
		}
		back := test.back
		if back == "" {
			back = test.text
		}
		if text := decode(t, tokenizer, got); text != back {
			t.Errorf("Decode(Encode(%q)) = %q, want %q", test.text, text, back)
		}
	}
	if text := decode(t, tokenizer, []int32{-1, byteID('a'), 260, 1 << 30, byteID(0xc3)}); text != "a\uFFFD" {
		t.Errorf("ids outside and half a letter: %q", text)
	}
}

// encode is Encode of a tokenizer that knows the text.
func encode(t testing.TB, tokenizer *Tokenizer, text string) []int32 {
	t.Helper()
	ids, err := tokenizer.Encode(text)
	if err != nil {
		t.Error(err)
	}
	return ids
}

// decode is Decode of ids that a tokenizer has a text for.
func decode(t testing.TB, tokenizer *Tokenizer, ids []int32) string {
	t.Helper()
	text, err := tokenizer.Decode(ids)
	if err != nil {
		t.Error(err)
	}
	return text
}

func TestSpecialTokens(t *testing.T) {
	tokenizer := newByteTokenizer(t)
	const text = "<|im_start|>i"
	if ids := encode(t, tokenizer, text); len(ids) != len(text) || slices.Contains(ids, 1) {
		t.Errorf("a document forged a special token: %v", ids)
	}
	ids, err := tokenizer.EncodePrompt(text)
	if want := []int32{1, byteID('i')}; err != nil || !slices.Equal(ids, want) {
		t.Errorf("EncodePrompt = %v, %v, want %v", ids, err, want)
	}
	if back := decode(t, tokenizer, ids); back != text {
		t.Errorf("Decode = %q", back)
	}
	if tokenizer.Separator() != 0 || tokenizer.Vocab() != 260 {
		t.Errorf("separator %d, %d tokens", tokenizer.Separator(), tokenizer.Vocab())
	}
}

func TestNewTokenizerRefuses(t *testing.T) {
	for _, test := range []struct {
		name string
		harm func(v *checkpoint.Vocabulary)
		want string
	}{
		{"another model", func(v *checkpoint.Vocabulary) { v.Model = "llama" }, `model "llama"`},
		{"another cut", func(v *checkpoint.Vocabulary) { v.PreTokenizer = "tekken" }, `"tekken" is not supported (supported: gpt-2, llama-bpe, olmo, qwen2, smollm)`},
		{"a token twice", func(v *checkpoint.Vocabulary) { v.Tokens[9] = v.Tokens[8] }, "two ids, 8 and 9"},
		{"a merge of one", func(v *checkpoint.Vocabulary) { v.Merges[1] = "int" }, "merge 1"},
		{"a merge of strangers", func(v *checkpoint.Vocabulary) { v.Merges[1] = "foo bar" }, "do not fit together"},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := byteVocabulary()
			test.harm(&v)
			if tokenizer, err := NewTokenizer(v); err == nil || tokenizer != nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func TestTokenizerHash(t *testing.T) {
	a, b := newByteTokenizer(t), newByteTokenizer(t)
	if a.Hash() != b.Hash() || len(a.Hash()) != 64 || !json.Valid(a.JSON()) {
		t.Errorf("equal vocabularies have hashes %s and %s", a.Hash(), b.Hash())
	}
	v := byteVocabulary()
	v.PreTokenizer = "gpt-2"
	c, err := NewTokenizer(v)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.Hash() == a.Hash() {
		t.Error("another way of cutting has the same hash")
	}
}

func TestTokenizerConcurrently(t *testing.T) {
	tokenizer := newByteTokenizer(t)
	text := strings.Repeat("int main in 12\n", 50)
	want := encode(t, tokenizer, text)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 20 {
				ids, err := tokenizer.EncodePrompt(text)
				if err != nil || !slices.Equal(ids, want) || !slices.Equal(encode(t, tokenizer, text), want) || decode(t, tokenizer, ids) != text {
					t.Error("another result beside other goroutines")
				}
			}
		})
	}
	wait.Wait()
}

func TestCloseTwice(t *testing.T) {
	tokenizer, err := NewTokenizer(byteVocabulary())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := tokenizer.Close(); err != nil {
			t.Error(err)
		}
	}
	if ids, err := tokenizer.Encode("a"); err == nil {
		t.Errorf("a closed tokenizer encodes: %v", ids)
	}
	if text, err := tokenizer.Decode([]int32{byteID('a')}); err == nil {
		t.Errorf("a closed tokenizer decodes: %q", text)
	}
}

// smolTokenizer is that of the teacher which the set-up installs; a test is skipped without it.
func smolTokenizer(t testing.TB) *Tokenizer {
	t.Helper()
	home := os.Getenv("OFFSHOOT_HOME")
	if home == "" {
		home = filepath.Join("..", ".offshoot")
	}
	path := filepath.Join(home, "teachers", "smollm2-135m.gguf")
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the teacher is not installed (%v); go run ./kernelext/lab setup installs it", err)
	}
	teacher, err := checkpoint.Open(t.Context(), path, checkpoint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer teacher.Close()
	tokenizer, err := TeacherTokenizer(teacher)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tokenizer.Close() })
	return tokenizer
}

// TestAgainstHuggingFace compares ids and text with those of testdata/tokenizer_reference.py.
func TestAgainstHuggingFace(t *testing.T) {
	tokenizer := smolTokenizer(t)
	content, err := os.ReadFile(filepath.Join("testdata", "tokens.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Text, Decoded  string
		Plain, Special []int32
	}
	if err := json.Unmarshal(content, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 20 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		if got := encode(t, tokenizer, c.Text); !slices.Equal(got, c.Plain) {
			t.Errorf("Encode(%q) = %v, want %v", c.Text, got, c.Plain)
		}
		if got, err := tokenizer.EncodePrompt(c.Text); err != nil || !slices.Equal(got, c.Special) {
			t.Errorf("EncodePrompt(%q) = %v, %v, want %v", c.Text, got, err, c.Special)
		}
		if got := decode(t, tokenizer, c.Plain); got != c.Decoded {
			t.Errorf("Decode(%v) = %q, want %q", c.Plain, got, c.Decoded)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	tokenizer := smolTokenizer(b)
	text, err := os.ReadFile("batches.go")
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		n += len(encode(b, tokenizer, string(text)))
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "tokens/s")
}

// A token's text is the one that it has inside a text, also where the beginning of a text loses its space.
func TestPiece(t *testing.T) {
	spaced, err := ReadTokenizer([]byte(`{"version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": null, "post_processor": null,
		"decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "Fuse"},
			{"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
		"model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["▁a", -1.0], ["b", -1.5]], "byte_fallback": false}}`), 2)
	if err != nil {
		t.Fatal(err)
	}
	defer spaced.Close()
	bytes := newByteTokenizer(t)
	for _, test := range []struct {
		tokenizer *Tokenizer
		id        int32
		want      string
	}{{spaced, 1, " a"}, {spaced, 2, "b"}, {bytes, 259, "int"}, {bytes, byteID(' '), " "}, {bytes, 0, endOfText}, {bytes, byteID(0), "\x00"},
		{bytes, byteID(0xc3), "\uFFFD"}, {bytes, 9999, ""}} {
		if got := test.tokenizer.Piece(test.id); got != test.want {
			t.Errorf("the piece of %d is %q, want %q", test.id, got, test.want)
		}
	}
}
