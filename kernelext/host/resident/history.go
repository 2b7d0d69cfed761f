package resident

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// History is what a lab's records tell about a run, for whoever writes its student down.
type History struct {
	Curve       slm.Curve // with all its points
	Checkpoint  string    // the file of its training state
	Best        string    // that of its kept checkpoint with the lowest held-out loss; Checkpoint where none was validated
	SHA256      string    // of the teacher
	Search      *Found    // the search that found its sub-network; nil for none
	Measurement *Measured // of the teacher, if it was ever taken
}

// Found is a candidate of a search.
type Found struct {
	Name      string // of the search
	Search    slm.Search
	Evaluated int // candidates
	slm.Candidate
}

// Measured is a teacher's held-out cross-entropy, in nats per token.
type Measured struct {
	Corpus         string
	Loss           float64
	Tokens, Window int // predicted, in all and in a window
}

// ReadHistory reads a run's records from the state folder home. It needs no host and disturbs none: it only reads.
func ReadHistory(ctx context.Context, home, labName, run string) (History, error) {
	if err := errors.Join(kernelext.CheckName("lab", labName), kernelext.CheckName("run", run)); err != nil {
		return History{}, err
	}
	l, err := openRecords(ctx, home, labName)
	if err != nil {
		return History{}, err
	}
	defer l.close()
	return l.history(ctx, home, run)
}

// openRecords opens an existing lab for reading.
func openRecords(ctx context.Context, home, name string) (*lab, error) {
	l := &lab{name: name, folder: filepath.Join(home, "labs", name)}
	path := filepath.Join(l.folder, "lab.db")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		labs := (&Host{settings: Settings{Home: home}}).labNames()
		return nil, fmt.Errorf("there is no lab %q in %s (%s)", name, home, listed("it holds", labs, "it holds none"))
	}
	var err error
	l.store, err = openStoreToRead(ctx, path)
	return l, err
}

func (l *lab) history(ctx context.Context, home, run string) (h History, err error) {
	c, found, err := l.run(ctx, run)
	if err != nil || !found {
		return h, l.noSuch(ctx, err, "run", run, l.runs)
	}
	if c.Points, err = l.points(ctx, run, 0, 1<<30); err != nil {
		return h, err
	}
	h.Curve, h.Checkpoint, h.Best = c, l.checkpoint(run), l.best(c)
	if _, err = l.one(ctx, []any{&h.SHA256}, "SELECT sha256 FROM teachers WHERE name = ?", c.Distillation.Teacher); err != nil {
		return h, err
	}
	h.Measurement = readMeasured(home, c.Distillation.Teacher, h.SHA256)
	h.Search, err = l.finder(ctx, c)
	return h, err
}

// best is the file of the kept checkpoint with the lowest held-out loss.
func (l *lab) best(c slm.Curve) string {
	kept, file, least := l.kept(c.Name), l.checkpoint(c.Name), math.Inf(1)
	for _, p := range c.Points {
		if p.Validation != 0 && p.Validation < least && slices.Contains(kept, p.Step) {
			file, least = l.keptPath(c.Name, p.Step), p.Validation
		}
	}
	return file
}

// finder is the candidate whose sub-network a run trains; nil when no search of its teacher evaluated it. Of several it is
// the first.
func (l *lab) finder(ctx context.Context, c slm.Curve) (*Found, error) {
	subnet := text(c.Distillation.Subnet.Normalize(c.Teacher))
	names, err := l.searches(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		p, _, err := l.search(ctx, name)
		if err != nil {
			return nil, err
		}
		if p.Search.Teacher != c.Distillation.Teacher {
			continue
		}
		f := Found{Name: name, Search: p.Search}
		found, err := l.one(ctx, []any{&jsonValue[slm.Candidate]{&f.Candidate}},
			"SELECT json FROM candidates WHERE search = ? AND subnet = ? AND failure IS NULL ORDER BY id LIMIT 1", name, subnet)
		if err != nil {
			return nil, err
		}
		if found {
			f.Evaluated, _, _, err = l.tally(ctx, name)
			return &f, err
		}
	}
	return nil, nil
}

// readMeasured reads what a host remembered of a teacher, see measurement. It is nil where that is of another content.
func readMeasured(home, teacher, sha256 string) *Measured {
	content, err := os.ReadFile(filepath.Join(home, "teachers", url.PathEscape(teacher)+".perplexity.json"))
	var m measurement
	if err != nil || json.Unmarshal(content, &m) != nil || m.SHA256 == "" || m.SHA256 != sha256 {
		return nil
	}
	return &Measured{Corpus: m.Corpus, Loss: m.Loss, Tokens: m.Tokens, Window: m.Window}
}
