package export

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/offshoot-ml/offshoot/slm/atomicfile"
)

// output is a file to be written.
type output struct {
	name  string
	bytes int64 // about how many it has
	write func(out io.Writer) error
}

// stagingPrefix begins the name of the folder in which a student is written.
const stagingPrefix = ".offshoot-export-"

// writeFolder writes a student's files into a folder. They are written beside their places, in a folder inside it, and
// moved there once all of them are on the disk: config.json goes first and comes back last, so a folder with one is whole.
// On an error what was there stays.
func writeFolder(dir string, files []output) error {
	earlier, err := openFolder(dir)
	if err != nil {
		return err
	}
	staging, err := os.MkdirTemp(dir, stagingPrefix+"*.tmp")
	if err != nil {
		return fmt.Errorf("export to %s: %w", dir, err)
	}
	defer os.RemoveAll(staging)
	need := int64(0)
	for _, f := range files {
		need += f.bytes
	}
	for _, f := range files {
		if err := writeFile(filepath.Join(staging, f.name), f.write); err != nil {
			return explain(dir, need, fmt.Errorf("%s: %w", f.name, err))
		}
	}
	if err := replace(dir, staging, files, earlier); err != nil {
		return explain(dir, need, err)
	}
	return nil
}

// openFolder makes a folder, or takes an empty one, or one that holds an earlier export, whose files it names. It takes
// away what interrupted exports left behind.
func openFolder(dir string) (earlier []string, err error) {
	if dir == "" {
		return nil, errors.New("export: no folder is named")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("export to %s: %w", dir, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("export to %s: %w", dir, err)
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		if !strings.HasPrefix(e.Name(), stagingPrefix) {
			return false
		}
		if path := filepath.Join(dir, e.Name()); abandoned(path) {
			os.RemoveAll(path)
		}
		return true
	})
	if len(entries) == 0 {
		return nil, nil
	}
	r, err := ReadRecord(dir)
	if err != nil {
		return nil, fmt.Errorf("export to %s: the folder holds other things (%s, …), and no earlier export: name a new folder", dir, entries[0].Name())
	}
	return r.Files, nil
}

// abandoned says that nobody has written into a folder for a while.
func abandoned(dir string) bool {
	newest := time.Time{}
	filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil {
			if info, err := e.Info(); err == nil && info.ModTime().After(newest) {
				newest = info.ModTime()
			}
		}
		return nil
	})
	return time.Since(newest) > 10*time.Minute
}

// ReadRecord reads the record of a folder that [Write] wrote.
func ReadRecord(dir string) (r Record, err error) {
	path := filepath.Join(dir, recordFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("read %s: %w", path, err)
	}
	if r.Version != recordVersion {
		return r, fmt.Errorf("read %s: it is a record of version %d, this program reads version %d", path, r.Version, recordVersion)
	}
	for _, name := range r.Files {
		if !filepath.IsLocal(name) || filepath.Base(name) != name {
			return r, fmt.Errorf("read %s: it names the file %q, which is not in its folder", path, name)
		}
	}
	return r, nil
}

// writeFile writes a new file and brings it to the disk.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	out := bufio.NewWriterSize(f, 1<<20)
	if err := write(out); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// replace moves the new files into place, and removes those of an earlier export that are no more.
func replace(dir, staging string, files []output, earlier []string) error {
	if err := os.Remove(filepath.Join(dir, configFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, name := range earlier {
		if !slices.ContainsFunc(files, func(f output) bool { return f.name == name }) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	for _, f := range files { // config.json is the last
		if err := os.Rename(filepath.Join(staging, f.name), filepath.Join(dir, f.name)); err != nil {
			return err
		}
	}
	return atomicfile.SyncFolder(dir)
}

func explain(dir string, need int64, err error) error {
	if atomicfile.IsDiskFull(err) {
		return fmt.Errorf("export to %s: the disk is full; the student needs %.1f MB there, free that much and try again: %w", dir, float64(need)/1e6, err)
	}
	return fmt.Errorf("export to %s: %w", dir, err)
}
