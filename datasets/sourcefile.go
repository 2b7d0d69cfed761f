package datasets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/offshoot-ml/offshoot/slm"
)

// sourceFile is one file of a source.
type sourceFile struct {
	path   string // where it lies
	name   string // its path below the source's folder: what errors call it
	id     string // what the IDs of its documents begin with
	format format
	packed compression
	held   []byte // its text, where it was read already
}

// documentsOf gives the documents of a source's files, up to the first error: of a file that cannot be had, or read.
func documentsOf(ctx context.Context, data slm.Data, files iter.Seq2[sourceFile, error]) iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		r := &reading{ctx: ctx, column: data.Column, yield: yield}
		for f, err := range files {
			if err == nil {
				err = r.file(f)
			}
			if err != nil {
				yield(Document{}, fmt.Errorf("data %s: %w", data, err))
				return
			}
			if r.done {
				return
			}
		}
		if r.given == 0 {
			yield(Document{}, fmt.Errorf("data %s: %w", data, errNoText))
		}
	}
}

var errNoText = errors.New("there is no text in it: its files or their columns are empty, or its folders have no text, JSONL or Parquet")

// reading is one pass over a source's documents.
type reading struct {
	ctx    context.Context
	column string
	yield  func(Document, error) bool
	given  int   // documents
	done   bool  // no more are wanted
	err    error // of the context
}

// file gives the documents of a file. Texts without anything but white space are left out.
func (r *reading) file(f sourceFile) error {
	give := func(number int64, text string) bool {
		if r.err = context.Cause(r.ctx); r.err != nil {
			return false
		}
		if strings.TrimSpace(text) == "" {
			return true
		}
		r.given++
		r.done = !r.yield(Document{ID: f.documentID(number), Text: text}, nil)
		return !r.done
	}
	if err := f.read(r.column, give); err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	return r.err
}

// documentID is the file's own ID for a text that is the whole file.
func (f sourceFile) documentID(number int64) string {
	if f.format == textFormat && number == 0 {
		return f.id
	}
	return fmt.Sprintf("%s:%d", f.id, number)
}

func (f sourceFile) read(column string, give give) error {
	if f.held != nil {
		return readText(bytes.NewReader(f.held), longestText, give)
	}
	if f.format == parquetFormat {
		return readParquetFile(f.path, column, give)
	}
	content, err := openUnpacked(f.path, f.packed)
	if err != nil {
		return err
	}
	defer content.Close()
	if f.format == linesFormat {
		return readLines(content, column, longestLine, give)
	}
	return readText(content, longestText, give)
}
