package datasets

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// collect is a give that notes what it is given.
func collect(into *[]string) give {
	return func(number int64, text string) bool {
		*into = append(*into, fmt.Sprintf("%d %s", number, text))
		return true
	}
}

func TestReadText(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string
	}{
		{"", []string{"0 "}},
		{"short", []string{"0 short"}},
		{"\uFEFFmark", []string{"0 mark"}},
		{"exactly 10", []string{"0 exactly 10"}},
		{"first\n\nb\nthree", []string{"1 first\n\n", "2 b\nthree"}},
		{"one and\ntwo", []string{"1 one and\n", "2 two"}},
		{"nowhere to end", []string{"1 nowhere to", "2  end"}},
		{"äöüäöüäöü", []string{"1 äöüäö", "2 üäöü"}},
		{"aäöüäöüäöü", []string{"1 aäöüä", "2 öüäöü"}},
	} {
		var got []string
		if err := readText(strings.NewReader(test.text), 10, collect(&got)); err != nil {
			t.Errorf("%q: %v", test.text, err)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%q gives %q, want %q", test.text, got, test.want)
		}
	}
}

func TestReadTextRefusesBinary(t *testing.T) {
	for text, want := range map[string]string{
		"ab\x00c":                          "byte 2 is zero",
		"ab\xffc":                          "byte 2 is not UTF-8",
		"\xff\xfea\x00":                    "UTF-16",
		"a text\n\xe2\x82 cut":             "byte 7 is not UTF-8",
		"long enough for parts, then \xff": "byte 28 is not UTF-8",
		"long enough for parts, then \x00": "byte 28 is zero",
	} {
		err := readText(strings.NewReader(text), 10, func(int64, string) bool { return true })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// FuzzReadText wants the parts of any text to be that text, and none longer than allowed.
func FuzzReadText(f *testing.F) {
	f.Add("one\n\ntwo\nthree äöü", 7)
	f.Add("\xff\xfe", 4)
	f.Fuzz(func(t *testing.T, text string, longest int) {
		if longest < utf8.UTFMax || longest > 1<<16 || strings.HasPrefix(text, "\uFEFF") {
			return
		}
		var got strings.Builder
		err := readText(strings.NewReader(text), longest, func(_ int64, part string) bool {
			if len(part) > longest || !utf8.ValidString(part) {
				t.Errorf("part %q", part)
			}
			got.WriteString(part)
			return true
		})
		if valid := utf8.ValidString(text) && !strings.Contains(text, "\x00"); valid != (err == nil) {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil && got.String() != text && !strings.Contains(text, "\uFEFF") {
			t.Errorf("the parts of %q are %q", text, got.String())
		}
	})
}
