package datasets

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestPassagesMakeTheDocument cuts texts of several kinds, and puts them together again.
func TestPassagesMakeTheDocument(t *testing.T) {
	for name, text := range map[string]string{
		"short":       "a\n",
		"lines":       strings.Repeat("0123456789\n", 50),
		"one line":    strings.Repeat("0123456789", 50),
		"wide runes":  strings.Repeat("世界", 90),
		"a long line": "a\nb\n" + strings.Repeat("x", 200) + "\n" + strings.Repeat("y\n", 60),
		"just full":   strings.Repeat("x", 63) + "\n",
		"line ends":   strings.Repeat("\n", 200),
		"ends apart":  strings.Repeat(strings.Repeat("z", 90)+"\n", 9),
	} {
		p := cutIntoPassages([]textFile{{Bytes: int64(len(text))}}, 64)
		var whole strings.Builder
		for part := range p.count() {
			cut := p.text([]byte(text), part)
			if !utf8.Valid(cut) {
				t.Errorf("%s: part %d cuts a rune", name, part)
			}
			if len(cut) > 2*64+utf8.UTFMax {
				t.Errorf("%s: part %d has %d bytes", name, part, len(cut))
			}
			whole.Write(cut)
		}
		if whole.String() != text {
			t.Errorf("%s: the parts make %q", name, whole.String())
		}
	}
}

func TestPassagesBeginAtLines(t *testing.T) {
	text := strings.Repeat("0123456789\n", 50)
	p := cutIntoPassages([]textFile{{Bytes: int64(len(text))}}, 64)
	if p.count() != 9 {
		t.Fatalf("%d passages", p.count())
	}
	for part := range p.count() {
		cut := string(p.text([]byte(text), part))
		if !strings.HasPrefix(cut, "0") || !strings.HasSuffix(cut, "9\n") {
			t.Errorf("part %d is %q", part, cut)
		}
	}
}

func TestPassageNumbers(t *testing.T) {
	p := cutIntoPassages([]textFile{{Bytes: 1}, {Bytes: 200}, {Bytes: 64}, {Bytes: 65}}, 64)
	want := [][2]int{{0, 0}, {1, 0}, {1, 1}, {1, 2}, {1, 3}, {2, 0}, {3, 0}, {3, 1}}
	if p.count() != len(want) {
		t.Fatalf("%d passages, want %d", p.count(), len(want))
	}
	for n, w := range want {
		if document, part := p.of(n); document != w[0] || part != w[1] {
			t.Errorf("passage %d is part %d of document %d, want %v", n, part, document, w)
		}
	}
}

func TestPassageBytes(t *testing.T) {
	for _, test := range []struct{ seqLen, want int }{{1, 2 << 10}, {256, 2 << 10}, {257, 4 << 10}, {1024, 8 << 10}, {1 << 30, maxDocument}} {
		if got := passageBytes(test.seqLen); got != int64(test.want) {
			t.Errorf("windows of %d tokens: %d bytes, want %d", test.seqLen, got, test.want)
		}
	}
}
