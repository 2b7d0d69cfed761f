package datasets

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// TestCuttings shows what each way of cutting keeps together: digits, a contraction in capitals, and letters with accents
// that are put together.
func TestCuttings(t *testing.T) {
	v := byteVocabulary()
	for _, merge := range []string{"1 2", "12 3", "123 4", "' T", "> >", ">> Ċ", "a b", "ab Ċ"} {
		v.Merges = append(v.Merges, merge)
		v.Tokens, v.Types = append(v.Tokens, strings.ReplaceAll(merge, " ", "")), append(v.Types, checkpoint.TokenNormal)
	}
	for _, test := range []struct{ text, gpt2, smollm, olmo, qwen2, llama3 string }{
		{"1234", "1234", "1|2|3|4", "1234", "1|2|3|4", "123|4"},
		{"x'T", "x|'|T", "x|'|T", "x|'|T", "x|'T", "x|'T"},
		{">>\n", ">>|\n", ">>|\n", ">>|\n", ">>\n", ">>\n"},
		{"ab\n", "ab|\n", "ab|\n", "ab|\n", "ab|\n", "ab|\n"},
		{"e\u0301", "e|\xcc|\x81", "e|\xcc|\x81", "\xc3|\xa9", "\xc3|\xa9", "e|\xcc|\x81"},
	} {
		for name, want := range map[string]string{"gpt-2": test.gpt2, "smollm": test.smollm, "olmo": test.olmo, "qwen2": test.qwen2, "llama-bpe": test.llama3} {
			v.PreTokenizer = name
			tokenizer, err := NewTokenizer(v)
			if err != nil {
				t.Fatal(err)
			}
			var parts []string
			for _, id := range encode(t, tokenizer, test.text) {
				parts = append(parts, bytesOf(v.Tokens[id]))
			}
			if got := strings.Join(parts, "|"); got != want {
				t.Errorf("%s cuts %q into %q, want %q", name, test.text, got, want)
			}
			tokenizer.Close()
		}
	}
}

// bytesOf undoes the writing of byte-level BPE.
func bytesOf(token string) string {
	var out []byte
	plain := byteVocabulary().Tokens
	for _, r := range token {
		out = append(out, byte(slices.Index(plain, string(r))-2))
	}
	return string(out)
}

func TestTeacherTokenizer(t *testing.T) {
	written := newByteTokenizer(t)
	teacher := func(rows int, v checkpoint.Vocabulary, text []byte) *checkpoint.Teacher {
		return &checkpoint.Teacher{Config: slm.Config{Name: "t", Vocab: rows}, Vocabulary: v, TokenizerJSON: text, EOS: -1}
	}
	for name, teacher := range map[string]*checkpoint.Teacher{
		"a GGUF's":                  teacher(260, byteVocabulary(), nil),
		"a folder's":                teacher(260, checkpoint.Vocabulary{}, written.JSON()),
		"with rows that fill up":    teacher(304, checkpoint.Vocabulary{}, written.JSON()),
		"with rows beside a GGUF's": teacher(304, byteVocabulary(), nil),
	} {
		tokenizer, err := TeacherTokenizer(teacher)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, want := encode(t, tokenizer, "int x"), encode(t, written, "int x"); !slices.Equal(got, want) || tokenizer.Separator() != 0 || tokenizer.Vocab() != 260 {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		tokenizer.Close()
	}
	// The tokens that were added count as well.
	var added map[string]any
	if err := json.Unmarshal(written.JSON(), &added); err != nil {
		t.Fatal(err)
	}
	added["added_tokens"] = append(added["added_tokens"].([]any), addedToken{ID: 300, Content: "<more>", Special: true})
	text, err := json.Marshal(added)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		teacher *checkpoint.Teacher
		want    string
	}{
		"too few rows":                    {teacher(259, checkpoint.Vocabulary{}, written.JSON()), "its tokenizer has 260 tokens, its embedding only 259 rows"},
		"too few rows for an added token": {teacher(300, checkpoint.Vocabulary{}, text), "its tokenizer has 301 tokens"},
		"none":                            {teacher(260, checkpoint.Vocabulary{}, nil), "put its tokenizer.json beside its config.json"},
		"a broken one":                    {teacher(260, checkpoint.Vocabulary{}, []byte("{")), "tokenizer.json"},
	} {
		if tokenizer, err := TeacherTokenizer(test.teacher); err == nil || tokenizer != nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "teacher t: ") {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}
