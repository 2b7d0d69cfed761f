package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/kernelext/host/resident"
	"github.com/offshoot-ml/offshoot/slm"
)

// records are a search's file: a line of JSON that says what was searched, then one for each evaluation. With halving a
// candidate has several, of which the last counts. A line that was cut off when the process was killed is dropped, and its
// evaluation made again.
type records struct {
	path       string
	head       recordsHead
	population slm.Population
	whole      int // bytes of whole lines
	cut        []byte
	file       *os.File // nil while they are only read
}

// recordsHead is the first line.
type recordsHead struct {
	Search  slm.Search `json:"search"`
	Teacher slm.Config `json:"teacher"`
	SHA256  string     `json:"sha256"` // of the teacher
	Held    slm.Held   `json:"held"`   // the text on which candidates are judged
}

// readRecords reads a file, or nothing where there is none. One that holds something else is an error.
func readRecords(path string) (*records, error) {
	r := &records{path: path}
	text, err := os.ReadFile(path)
	if err == nil {
		err = r.read(text)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("records %s: %w", path, err)
	}
	return r, nil
}

// read takes the whole lines of a file.
func (r *records) read(text []byte) error {
	lines := bufio.NewReader(bytes.NewReader(text))
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			r.cut = line
			return nil
		}
		if n == 1 {
			if err = r.readHead(line); err != nil {
				return errors.New("it is another file; name one that is not there")
			}
		} else if err = r.readCandidate(line); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		r.whole += len(line)
	}
}

func (r *records) readHead(line []byte) error {
	strict := json.NewDecoder(bytes.NewReader(line))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&r.head); err != nil || r.head.SHA256 == "" {
		return errors.Join(err, errors.New("no head"))
	}
	name := strings.TrimSuffix(filepath.Base(r.path), filepath.Ext(r.path))
	r.population = slm.Population{Name: name, Teacher: r.head.Teacher, Search: r.head.Search, Held: r.head.Held}
	return nil
}

func (r *records) readCandidate(line []byte) error {
	var c slm.Candidate
	err := json.Unmarshal(line, &c)
	if err == nil {
		r.population.Replace(c)
	}
	return err
}

// begun reports whether the file has a head.
func (r *records) begun() bool { return r.whole > 0 }

// same is the error of a file that holds another search.
func (r *records) same(options slm.Search) error {
	if lines := resident.Differences(r.head.Search, options); r.begun() && len(lines) > 0 {
		return fmt.Errorf("records %s are of another search; continue with the same flags, or name another file:\n%s",
			r.path, strings.ReplaceAll(strings.Join(lines, "\n"), " in the lab", " in the file"))
	}
	return nil
}

// open makes the file ready for evaluations of a search with these properties, and begins it where there is none.
func (r *records) open(head recordsHead) error {
	line, err := json.Marshal(head)
	if err != nil {
		return err
	}
	if err := r.lock(); err != nil {
		return fmt.Errorf("records %s: %w", r.path, err)
	}
	switch {
	case !r.begun() && !bytes.HasPrefix(line, r.cut):
		err = errors.New("it is another file; name one that is not there")
	case r.begun():
		err = r.fits(head)
	}
	if err == nil {
		err = r.file.Truncate(int64(r.whole))
	}
	if err == nil && !r.begun() {
		err = errors.Join(r.append(line), r.readHead(line))
	}
	if err != nil {
		return fmt.Errorf("records %s: %w", r.path, err)
	}
	return nil
}

// lock makes this process the only one that writes the file, and reads what it holds by now.
func (r *records) lock() (err error) {
	if r.file, err = os.OpenFile(r.path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644); err != nil {
		return err
	}
	if err := syscall.Flock(int(r.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return errors.New("another search is writing it")
	}
	text, err := io.ReadAll(r.file)
	if err != nil {
		return err
	}
	*r = records{path: r.path, file: r.file}
	return r.read(text)
}

// fits is the error of a file that was begun with another search, teacher or text.
func (r *records) fits(head recordsHead) error {
	if r.head.SHA256 != head.SHA256 {
		return fmt.Errorf("they are of another teacher: its SHA-256 is %.12s, it was %.12s; name another file", head.SHA256, r.head.SHA256)
	}
	if r.head.Held == (slm.Held{}) {
		return errors.New("they do not say on which text candidates were judged; name another file")
	}
	if !reflect.DeepEqual(r.head.Teacher, head.Teacher) {
		return errors.New("they are of a teacher of another architecture; name another file")
	}
	if err := errors.Join(r.same(head.Search), resident.SameText("the search", r.head.Held, head.Held)); err != nil {
		return err
	}
	for _, c := range r.population.Candidates {
		if err := c.Subnet.Validate(head.Teacher); err != nil {
			return fmt.Errorf("candidate %d: %w", c.ID, err)
		}
		if rungs := len(c.Rungs); (rungs == 0) != head.Search.Halving.IsZero() || rungs > max(0, head.Search.Halving.Rungs) {
			return fmt.Errorf("candidate %d was judged on %d rungs", c.ID, rungs)
		}
	}
	return nil
}

// evolve evaluates what they lack; watch is told of each evaluation.
func (r *records) evolve(ctx context.Context, judge *resident.Judge, watch func(kernelext.Event)) error {
	keep := func(c slm.Candidate, _ resident.Basis) error { return r.add(c) }
	return judge.Evolve(ctx, &r.population, keep, watch)
}

// add appends an evaluation; the population is the caller's to change.
func (r *records) add(c slm.Candidate) error {
	line, err := json.Marshal(c)
	if err == nil {
		err = r.append(line)
	}
	if err != nil {
		return fmt.Errorf("records %s: %w", r.path, err)
	}
	return nil
}

// append writes a line so that it survives a crash.
func (r *records) append(line []byte) error {
	n, err := r.file.Write(append(line, '\n'))
	r.whole += n
	if err != nil {
		return err
	}
	return r.file.Sync()
}

func (r *records) close() {
	if r.file != nil {
		r.file.Close()
	}
}
