package lmeval

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/offshoot-ml/offshoot/kernelext"
)

// name is that of the file with lm-eval's results for a student in tasks: a hash of all that they depend on, so that what was
// measured before is not measured again. That is the student's weights, architecture and tokenizer, what was asked, and the folder of
// one's own tasks; not what those read elsewhere.
func name(student string, tasks kernelext.Tasks) (string, error) {
	sum := sha256.New()
	folder := tasks.IncludePath
	tasks.IncludePath = "" // its content counts, not its place
	asked, err := json.Marshal(tasks)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(sum, "%s\x00%s", script, asked)
	if err := addFiles(sum, student, isModel); err != nil {
		return "", err
	}
	if folder != "" {
		if err := addFiles(sum, folder, func(string) bool { return true }); err != nil {
			return "", fmt.Errorf("tasks of one's own: %w", err)
		}
	}
	return fmt.Sprintf("%x.json", sum.Sum(nil)[:12]), nil
}

// isModel is whether a student is another one with another file of that name: not its card, nor its records.
func isModel(file string) bool {
	switch filepath.Ext(file) {
	case ".safetensors", ".py":
		return true
	}
	return file == "config.json" || strings.HasPrefix(file, "tokenizer")
}

// addFiles adds the files of a folder that are wanted, in the order of their names, and what links lead to.
func addFiles(sum io.Writer, folder string, wanted func(name string) bool) error {
	folder, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return err
	}
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !wanted(entry.Name()) {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		if stat, err := file.Stat(); err != nil || !stat.Mode().IsRegular() {
			return err
		}
		relative, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "\x00%s\x00", relative)
		_, err = io.Copy(sum, file)
		return err
	})
}
