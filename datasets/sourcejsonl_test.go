package datasets

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestReadLines(t *testing.T) {
	for _, test := range []struct {
		lines string
		want  []string
	}{
		{"", nil},
		{`{"text": "one"}` + "\n" + `{"text": "two"}`, []string{"1 one", "2 two"}},
		{"\uFEFF" + `{"text": "one"}` + "\r\n\r\n" + `{"other": [1], "text": "t\u00e4\ud83d\ude00\n"}` + "\n", []string{"1 one", "2 ", "3 tä😀\n"}},
		{`{"text": null, "Text": "x"}`, []string{"1 "}},
	} {
		var got []string
		if err := readLines(strings.NewReader(test.lines), "text", 1<<20, collect(&got)); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%q gives %q, %v; want %q", test.lines, got, err, test.want)
		}
	}
}

func TestReadLinesRefuses(t *testing.T) {
	many := `{"a0": 1` + strings.Repeat(`, "b": 2`, 3)
	for i := range 60 {
		many += `, "c` + strings.Repeat("x", i) + `": 3`
	}
	for line, want := range map[string][]string{
		`[{"text": "a"}]`:             {"it holds a list", "JSON Lines has an object"},
		`"text"`:                      {"it holds a text"},
		`3`:                           {"it holds a number"},
		`null`:                        {"it holds null"},
		`true`:                        {"it holds true or false"},
		`{`:                           {"no JSON object"},
		`{"text": "a"} {"text": "b"}`: {"no JSON object", "each line is a whole one"},
		`{"content": 1, "body": 2}`:   {`there is no column "text"`, "name one with Column", "body, content"},
		`{"Text": "a"}`:               {`no column "text"`, "Text"},
		`{}`:                          {"there is none"},
		`{"text": 1}`:                 {`column "text" holds a number`},
		`{"text": ["a"]}`:             {"holds a list"},
		`{"text": {"a": 1}}`:          {"holds an object"},
		"{\"text\": \"a\xff\"}":       {"it is not UTF-8"},
		many + `}`:                    {"and 12 more"},
		`{"text": "` + strings.Repeat("a", 1<<20) + `"}`: {"longer than the 1 MiB"},
	} {
		lines := `{"text": "fine"}` + "\n\n" + line + "\n"
		var got []string
		err := readLines(strings.NewReader(lines), "text", 1<<20, collect(&got))
		if len(got) != 2 {
			t.Errorf("%.40q: %q before the error", line, got)
		}
		for _, want := range append(want, "line 3: ") {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%.40q: %v, want %q", line, err, want)
			}
		}
	}
}

func TestLongLines(t *testing.T) {
	long := strings.Repeat("a long line. ", 1<<20) // 13 MiB
	var got string
	err := readLines(strings.NewReader(`{"text": "x"}`+"\n"+`{"text": "`+long+`"}`), "text", longestLine, func(_ int64, text string) bool { got = text; return true })
	if err != nil || got != long {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// FuzzReadLines wants texts that are UTF-8, in the order of their lines, from anything.
func FuzzReadLines(f *testing.F) {
	f.Add([]byte(`{"text": "one"}` + "\n" + `{"text": null}`))
	f.Add([]byte("\uFEFF{\"text\": \"\\ud800\"}\r\n[]"))
	f.Fuzz(func(t *testing.T, lines []byte) {
		all := int64(bytes.Count(lines, []byte("\n")))
		if len(lines) > 0 && lines[len(lines)-1] != '\n' {
			all++
		}
		seen := int64(0)
		err := readLines(bytes.NewReader(lines), "text", 1<<16, func(number int64, text string) bool {
			if seen++; number != seen || !utf8.ValidString(text) {
				t.Errorf("line %d gives %q as number %d", seen, text, number)
			}
			return true
		})
		if err == nil && seen != all {
			t.Errorf("%d of %d lines", seen, all)
		}
	})
}
