package resident

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm/atomicfile"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// lab is an open lab: a folder with its records and its runs' checkpoints.
type lab struct {
	name   string
	folder string
	*store
}

func (h *Host) labFolder(name string) string { return filepath.Join(h.settings.Home, "labs", name) }

// lab opens a lab, and makes it the first time.
func (h *Host) lab(ctx context.Context, name string) (*lab, error) {
	if err := kernelext.CheckName("lab", name); err != nil {
		return nil, err
	}
	h.labsMu.Lock()
	defer h.labsMu.Unlock()
	if open, ok := h.labs[name]; ok {
		if _, err := os.Stat(open.folder); err == nil {
			return open, nil
		}
		h.log.Warn("lab's folder was removed", "lab", name)
		open.close()
		delete(h.labs, name)
	}
	folder := h.labFolder(name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, unwritable(folder, err)
	}
	s, err := openStore(ctx, filepath.Join(folder, "lab.db"))
	if err != nil {
		return nil, unwritable(folder, err)
	}
	h.log.Info("lab opened", "lab", name, "folder", folder)
	h.labs[name] = &lab{name: name, folder: folder, store: s}
	return h.labs[name], nil
}

// labNames lists the labs on disk.
func (h *Host) labNames() []string {
	files, _ := filepath.Glob(filepath.Join(h.settings.Home, "labs", "*", "lab.db"))
	names := []string{}
	for _, file := range files {
		names = append(names, filepath.Base(filepath.Dir(file)))
	}
	slices.Sort(names)
	return names
}

// checkpoint is where a run's training state is.
func (l *lab) checkpoint(run string) string {
	return filepath.Join(l.folder, "runs", run, "checkpoint.safetensors")
}

// unwritable explains an error of writing into a folder: what is wrong, and what to do. Other errors pass.
func unwritable(folder string, err error) error {
	reason, advice := writeTrouble(err)
	if reason == "" {
		return err
	}
	return kernelext.Errorf(kernelext.Unwritable, "%s cannot be written: %s (%v); %s, then run the cell again", folder, reason, err, advice)
}

func writeTrouble(err error) (reason, advice string) {
	var fromDatabase *sqlite.Error
	code := 0
	if errors.As(err, &fromDatabase) {
		code = fromDatabase.Code() & 0xff
	}
	switch {
	case atomicfile.IsDiskFull(err), code == sqlite3.SQLITE_FULL:
		return "the disk is full", "free some space"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), code == sqlite3.SQLITE_READONLY,
		code == sqlite3.SQLITE_CANTOPEN, code == sqlite3.SQLITE_PERM:
		return "no permission", "make it writable, or set OFFSHOOT_HOME to a folder that is"
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return "a file is in its place", "move the file away"
	case code == sqlite3.SQLITE_IOERR:
		return "the disk fails or is full", "look at the disk"
	case code == sqlite3.SQLITE_CORRUPT, code == sqlite3.SQLITE_NOTADB:
		return "its lab.db is damaged", "move that file away or bring a copy back"
	}
	return "", ""
}

// contents lists what the lab holds.
func (l *lab) contents(ctx context.Context) (*kernelext.Contents, error) {
	c := &kernelext.Contents{Lab: l.name, Folder: l.folder, Searches: []kernelext.SearchEntry{}, Runs: []kernelext.RunEntry{}}
	var err error
	if c.Teachers, err = l.teachers(ctx); err != nil {
		return nil, err
	}
	searches, err := l.searches(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range searches {
		entry, err := l.searchEntry(ctx, name)
		if err != nil {
			return nil, err
		}
		c.Searches = append(c.Searches, entry)
	}
	runs, err := l.runs(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range runs {
		entry, err := l.runEntry(ctx, name)
		if err != nil {
			return nil, err
		}
		c.Runs = append(c.Runs, entry)
	}
	return c, nil
}

func (l *lab) searchEntry(ctx context.Context, name string) (kernelext.SearchEntry, error) {
	p, _, err := l.search(ctx, name)
	if err != nil {
		return kernelext.SearchEntry{}, err
	}
	_, done, best, err := l.tally(ctx, name)
	total := p.Search.Evaluations()
	if p.Exhausted {
		total = done
	}
	return kernelext.SearchEntry{Name: name, Done: done, Total: total, BestLoss: best.Float64, Failed: done > 0 && !best.Valid, Told: p.Search.Told}, err
}

func (l *lab) runEntry(ctx context.Context, name string) (kernelext.RunEntry, error) {
	c, _, err := l.run(ctx, name)
	if err != nil {
		return kernelext.RunEntry{}, err
	}
	step, err := l.lastStep(ctx, name)
	if err != nil {
		return kernelext.RunEntry{}, err
	}
	entry := kernelext.RunEntry{Name: name, Steps: max(0, step), Parameters: c.Parameters}
	if c.Points, err = l.points(ctx, name, max(0, step-2*c.Distillation.EvalEvery), 1<<20); err != nil {
		return entry, err
	}
	if v := c.Validation(); v == v { // not NaN
		entry.Validation = v
	}
	entry.Scores, err = l.scores(ctx, name)
	return entry, err
}

// listed is a list of names for an error message.
func listed(what string, names []string, none string) string {
	if len(names) == 0 {
		return none
	}
	return fmt.Sprintf("%s: %s", what, strings.Join(names, ", "))
}
