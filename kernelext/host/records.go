package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/offshoot-ml/offshoot/slm"
)

// records are a search's file: a line of JSON that says what was searched, then one for each evaluated candidate. A line
// that was cut off when the process was killed is dropped, and its candidate evaluated again.
type records struct {
	path       string
	file       *os.File
	candidates []slm.Candidate
}

// recordsHead is the first line.
type recordsHead struct {
	Search  slm.Search `json:"search"`
	Teacher slm.Config `json:"teacher"`
	SHA256  string     `json:"sha256"` // of the teacher
	Corpus  string     `json:"corpus"` // from which the held-out tokens come
}

// openRecords begins a file, or reads one that is there: it must be of the same search.
func openRecords(path string, head recordsHead) (*records, error) {
	line, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	r := &records{path: path}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		text = nil
	case err != nil:
		return nil, err
	}
	whole, err := r.read(text, line)
	if err != nil {
		return nil, fmt.Errorf("records %s: %w", path, err)
	}
	if r.file, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644); err != nil {
		return nil, err
	}
	if err = r.file.Truncate(int64(whole)); err == nil {
		_, err = r.file.Seek(int64(whole), 0)
	}
	if err == nil && whole == 0 {
		err = r.append(line)
	}
	if err != nil {
		r.close()
		return nil, fmt.Errorf("records %s: %w", path, err)
	}
	return r, nil
}

// read takes the whole lines of a file, and returns how many bytes they have.
func (r *records) read(text, head []byte) (whole int, err error) {
	lines := bufio.NewReader(bytes.NewReader(text))
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if err != nil { // cut off, or the end
			if n == 1 && !bytes.HasPrefix(head, line) {
				return 0, errors.New("it is another file; name one that is not there")
			}
			return whole, nil
		}
		if n == 1 {
			if !bytes.Equal(bytes.TrimSpace(line), head) {
				return 0, errors.New("they are of another search, teacher or text; continue with the same flags, or name another file")
			}
		} else {
			var c slm.Candidate
			if err := json.Unmarshal(line, &c); err != nil {
				return 0, fmt.Errorf("line %d: %w", n, err)
			}
			r.candidates = append(r.candidates, c)
		}
		whole += len(line)
	}
}

func (r *records) add(c slm.Candidate) error {
	line, err := json.Marshal(c)
	if err == nil {
		err = r.append(line)
	}
	if err != nil {
		return fmt.Errorf("records %s: %w", r.path, err)
	}
	r.candidates = append(r.candidates, c)
	return nil
}

// append writes a line so that it survives a crash.
func (r *records) append(line []byte) error {
	if _, err := r.file.Write(append(line, '\n')); err != nil {
		return err
	}
	return r.file.Sync()
}

func (r *records) close() { r.file.Close() }
