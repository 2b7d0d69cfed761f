package plots

import (
	"encoding/json"
	"fmt"
	"html"
	"strconv"
	"strings"
	"unicode"
)

// lineEnd stands for the end of a line inside a text. Such signs are those that all fonts have.
const lineEnd = '¶'

// visible is a token's text on one line: a line's end and what prints nothing are written as signs.
func visible(text string) string {
	var out strings.Builder
	for _, r := range text {
		switch {
		case r == '\n':
			out.WriteRune(lineEnd)
		case r == '\t':
			out.WriteRune('→')
		case unicode.IsPrint(r):
			out.WriteRune(r)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			out.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return out.String()
}

// spaced is visible, with signs for spaces, too: a token that stands alone shows whether it begins a word.
func spaced(text string) string { return strings.ReplaceAll(visible(text), " ", "·") }

// columns is how many places a text takes where all letters are equally wide; letters of East Asia and pictures take two.
func columns(text string) (n int) {
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me):
		case r >= 0x1100 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul), r >= 0xff01 && r <= 0xff60, r >= 0x1f300:
			n += 2
		default:
			n++
		}
	}
	return n
}

// quotedAll are strings as a JavaScript array that may stand inside a page's script.
func quotedAll(texts []string) string {
	text, _ := json.Marshal(texts) // strings always marshal
	return string(text)
}

// abridged shortens a name that would not fit its place in the middle: names of runs differ at their ends.
func abridged(name string, most int) string {
	letters := []rune(name)
	if len(letters) <= most {
		return name
	}
	return string(letters[:(most-1)/2]) + "…" + string(letters[len(letters)-most/2:])
}

// named is a model as tooltips name it: a student with the step that it has come to.
func named(model string, steps int) string {
	name := html.EscapeString(abridged(model, 30))
	if steps > 0 {
		name += fmt.Sprintf(", step %d", steps)
	}
	return name
}
