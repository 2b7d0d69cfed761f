package datasets

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// longestLine is the most bytes that a line of JSON may have. Such a line needs about three times that in memory.
const longestLine = 256 << 20

// readLines gives a column of JSON Lines with the numbers of the lines, from 1. Empty lines are skipped; null is an empty
// text. An error names the line.
func readLines(r io.Reader, column string, longest int, give give) error {
	lines := bufio.NewReaderSize(r, 256<<10)
	var line []byte
	for number := int64(1); ; number++ {
		var err error
		if line, err = readLine(lines, line[:0], longest); err == io.EOF {
			return nil
		}
		text := ""
		if err == nil {
			text, err = columnOf(line, column)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if !give(number, text) {
			return nil
		}
	}
}

// readLine appends the next line to line. io.EOF means that there is none.
func readLine(r *bufio.Reader, line []byte, longest int) ([]byte, error) {
	for {
		piece, err := r.ReadSlice('\n')
		line = append(line, piece...)
		switch {
		case len(line) > longest:
			return line, fmt.Errorf("it is longer than the %d MiB that a line may have; cut its document up", longest>>20)
		case err == io.EOF && len(line) > 0:
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return line, err
		}
	}
}

// columnOf is the text that an object has in a column.
func columnOf(line []byte, column string) (string, error) {
	line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\uFEFF")))
	if len(line) == 0 {
		return "", nil
	}
	if !utf8.Valid(line) {
		return "", errors.New("it is not UTF-8; convert the file to UTF-8")
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(line, &object); err != nil || object == nil {
		return "", notObject(line, err)
	}
	value, ok := object[column]
	if !ok {
		return "", noColumn(column, slices.Sorted(maps.Keys(object)))
	}
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return "", fmt.Errorf("column %q holds %s, not text; name another with Column", column, kindOf(value))
	}
	return text, nil
}

func notObject(line []byte, err error) error {
	if json.Valid(line) {
		return fmt.Errorf("it holds %s, where JSON Lines has an object such as {\"text\": \"...\"}", kindOf(line))
	}
	return fmt.Errorf("it is no JSON object; in JSON Lines each line is a whole one: %w", err)
}

// kindOf says what kind of value a JSON text is.
func kindOf(value []byte) string {
	switch value[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a text"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	}
	return "a number"
}

// noColumn lists the columns that there are instead.
func noColumn(column string, have []string) error {
	const most = 50 // a line may have thousands
	list := strings.Join(have[:min(len(have), most)], ", ")
	if len(have) > most {
		list += fmt.Sprintf(" and %d more", len(have)-most)
	}
	if len(have) == 0 {
		list = "none"
	}
	return fmt.Errorf("there is no column %q; name one with Column: there is %s", column, list)
}
