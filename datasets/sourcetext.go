package datasets

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// longestText is the most bytes of a file of text that are one document: more than a long book. A longer file, such as a
// whole corpus in one, is given in parts.
const longestText = 8 << 20

// give takes a text and its number in its file; false means that no more are wanted.
type give func(number int64, text string) bool

// readText gives all that r has as one text with the number 0, or, if it has more than longest bytes, in parts numbered
// from 1, which end with a paragraph, or a line, or else anywhere between two characters.
func readText(r io.Reader, longest int, give give) error {
	var held bytes.Buffer
	offset := 0 // of held in the file
	for part := int64(1); ; part++ {
		if _, err := held.ReadFrom(io.LimitReader(r, int64(longest+1-held.Len()))); err != nil {
			return err
		}
		text := held.Bytes()
		last := len(text) <= longest
		if !last {
			text = text[:partEnd(text[:longest])]
		}
		if err := checkText(text, offset); err != nil {
			return err
		}
		number := part
		if last && part == 1 {
			number = 0
		}
		if !give(number, strings.TrimPrefix(string(text), "\uFEFF")) || last {
			return nil
		}
		held.Next(len(text))
		offset += len(text)
	}
}

// partEnd is where to end a part that may be as long as text.
func partEnd(text []byte) int {
	half := len(text) / 2
	for _, end := range []string{"\n\n", "\n"} {
		if i := bytes.LastIndex(text[half:], []byte(end)); i >= 0 {
			return half + i + len(end)
		}
	}
	for back := 1; back < utf8.UTFMax && back < len(text); back++ {
		if i := len(text) - back; utf8.RuneStart(text[i]) && !utf8.FullRune(text[i:]) {
			return i
		}
	}
	return len(text)
}

// checkText reports what is no text. offset is where it begins in its file.
func checkText(text []byte, offset int) error {
	zero := bytes.IndexByte(text, 0)
	if zero < 0 && utf8.Valid(text) {
		return nil
	}
	if offset == 0 && (bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff"))) {
		return errors.New("it is in UTF-16; convert it to UTF-8")
	}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return fmt.Errorf("byte %d is not UTF-8; convert the file to UTF-8, or leave it out if it is no text", offset+i)
		}
		if i == zero {
			break
		}
		i += size
	}
	return fmt.Errorf("byte %d is zero, so this is binary and no text; leave the file out", offset+zero)
}
