package datasets

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A tokenizer that is written and read again cuts text into the same tokens.
func TestReadTokenizerThatWasWritten(t *testing.T) {
	written := newByteTokenizer(t)
	read, err := ReadTokenizer(written.JSON(), -1)
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	text := "int é 12\x00<|im_start|>"
	if got, want := encode(t, read, text), encode(t, written, text); !slices.Equal(got, want) || decode(t, read, got) != text {
		t.Errorf("%v, want %v; %q", got, want, decode(t, read, got))
	}
	if read.Vocab() != written.Vocab() || read.Separator() != written.Separator() || read.Hash() != written.Hash() {
		t.Errorf("vocabulary %d, separator %d, hash %s", read.Vocab(), read.Separator(), read.Hash())
	}
}

// wordLevel is the tokenizer.json of words, with the rest of its fields to be filled in.
const wordLevel = `{"version": "1.0", "truncation": %T, "padding": %P, "added_tokens": [], "normalizer": null,
"pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": null, "decoder": null,
"model": {"type": "WordLevel", "vocab": {"zero": 0, "one": 1, "two": 2, "Ā": 3}, "unk_token": "zero"}}`

func TestReadTokenizerIgnoresTruncationAndPadding(t *testing.T) {
	text := strings.NewReplacer(
		"%T", `{"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0}`,
		"%P", `{"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "zero"}`,
	).Replace(wordLevel)
	read, err := ReadTokenizer([]byte(text), 2)
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	if got, want := encode(t, read, "one two Ā one six"), []int32{1, 2, 3, 1, 0}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if read.Vocab() != 4 || read.Separator() != 2 {
		t.Errorf("vocabulary %d, separator %d", read.Vocab(), read.Separator())
	}
	if got := decode(t, read, []int32{-1, 3}); got != "Ā" { // no byte 0: the vocabulary is not of bytes
		t.Errorf("decoded %q", got)
	}
}

func TestReadTokenizerOfPieces(t *testing.T) {
	read, err := ReadTokenizer([]byte(`{"version": "1.0", "truncation": null, "padding": null, "added_tokens":
		[{"id": 4, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
		"normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": null,
		"model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -1.0], ["b", -1.5], ["ab", -1.2]], "byte_fallback": false}}`), 4)
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	if got, want := encode(t, read, "abba"), []int32{3, 2, 1}; !slices.Equal(got, want) || read.Vocab() != 5 {
		t.Errorf("got %v, want %v; vocabulary %d", got, want, read.Vocab())
	}
}

func TestReadTokenizerRefuses(t *testing.T) {
	whole := strings.NewReplacer("%T", "null", "%P", "null").Replace(wordLevel)
	for name, text := range map[string]string{
		"nothing": "", "not JSON": "{", "a list": "[]", "no model": `{"version": "1.0"}`, "no vocabulary": `{"model": {"vocab": {}}}`,
		"words for ids": `{"model": {"vocab": {"a": "b"}}}`, "an unknown model": strings.Replace(whole, "WordLevel", "Telepathy", 1),
	} {
		if read, err := ReadTokenizer([]byte(text), 0); err == nil {
			read.Close()
			t.Errorf("%s: no error", name)
		}
	}
}

// Without a token to put between documents text is read, but no corpus.
func TestTokenizerWithoutSeparator(t *testing.T) {
	read, err := ReadTokenizer([]byte(strings.NewReplacer("%T", "null", "%P", "null").Replace(wordLevel)), -1)
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	if got := encode(t, read, "one two"); !slices.Equal(got, []int32{1, 2}) {
		t.Errorf("got %v", got)
	}
	if _, err := Text(t.Context(), read, "."); err == nil || !strings.Contains(err.Error(), "between documents") {
		t.Errorf("a corpus: %v", err)
	}
}

// A text that a vocabulary has no token for ends what needs its tokens, with its document's name, and is not left out.
func TestTextOutsideTheVocabulary(t *testing.T) {
	text := strings.NewReplacer("%T", "null", "%P", "null", `"unk_token": "zero"`, `"unk_token": "none"`).Replace(wordLevel)
	read, err := ReadTokenizer([]byte(text), 2)
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	want := func(what string, err error, parts ...string) {
		t.Helper()
		for _, part := range append(parts, `may lack what is in "one six`) {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v, want %q", what, err, part)
			}
		}
	}
	if ids, err := read.Encode(""); err != nil || len(ids) != 0 {
		t.Errorf("no text: %v, %v", ids, err)
	}
	_, err = read.Encode("one six")
	want("a text", err)
	_, err = read.EncodePrompt("one six")
	want("a prompt", err)
	source := listed{documents: []Document{{"a", "one two"}, {"b", "one six"}, {"c", "two"}}}
	_, err = Tokenize(t.Context(), source, read, t.TempDir(), TokenizeOptions{})
	want("tokens", err, "document b: ")
	files := map[string]string{}
	for i := range 100 {
		files[fmt.Sprintf("%02d.txt", i)] = "one six" + strings.Repeat(" one", i)
	}
	corpus, err := Text(t.Context(), read, folder(t, files))
	if err != nil {
		t.Fatal(err)
	}
	_, err = corpus.Train(1, 1, 4).Next(t.Context())
	want("a batch", err, ".txt: ")
	_, err = corpus.Validation(4, 4)
	want("held-out text", err, ".txt: ")
}
