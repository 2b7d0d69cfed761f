// Package lmeval measures exported students in the tasks of lm-eval, EleutherAI's language model evaluation harness. That is a
// Python program, which runs in an environment of its own that set-up makes; lmeval.py asks it. The package links nothing that
// needs cgo.
package lmeval

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm/atomicfile"
)

// Variable names the Python that has lm-eval, where a person wants another than that of set-up.
const Variable = "OFFSHOOT_REFERENCES"

// Python is the interpreter that has lm-eval: that of Variable, or of the environment in the state folder. An error says how
// to get one.
func Python(home string) (string, error) {
	if chosen := os.Getenv(Variable); chosen != "" {
		return chosen, nil
	}
	python := filepath.Join(home, "references", "bin", "python")
	if _, err := os.Stat(python); errors.Is(err, fs.ErrNotExist) {
		return "", errors.New("lm-eval is not installed: run `go run ./kernelext/lab setup --references` (6 GB), then this again")
	}
	return python, nil
}

// Run measures the student in a folder that an export wrote, and keeps lm-eval's own results in a file in the folder results; what is
// there already is not measured again, unless the tasks have metadata, which may name anything. report is told of its progress bars.
// Task names, limit and the like are checked here; nothing goes through a shell.
//
// Errors: a task that lm-eval does not know, with those of similar names; documents that cannot be fetched, with what to do;
// everything else with the last lines that lm-eval wrote.
func Run(ctx context.Context, python, student string, tasks kernelext.Tasks, results string, report func(what string, done, total int64)) (kernelext.TaskScores, error) {
	found := kernelext.TaskScores{Model: student, Tasks: tasks}
	if err := tasks.Validate(); err != nil {
		return found, err
	}
	file, err := name(student, tasks)
	if err != nil {
		return found, err
	}
	begin := time.Now()
	found.File = filepath.Join(results, file)
	if text, err := os.ReadFile(found.File); err == nil && len(tasks.Metadata) == 0 {
		found.Scores, found.Version, err = readResults(text, tasks.Names)
		if err == nil {
			return found, nil
		}
	}
	work, err := os.MkdirTemp("", "offshoot-lm-eval-")
	if err != nil {
		return found, err
	}
	defer os.RemoveAll(work)
	out := filepath.Join(work, "results.json")
	request := struct {
		Model       string          `json:"model"`
		Tasks       []string        `json:"tasks"`
		Limit       int             `json:"limit"`
		Batch       int             `json:"batch"`
		Device      string          `json:"device"`
		IncludePath string          `json:"include_path"`
		Metadata    json.RawMessage `json:"metadata,omitempty"`
		Out         string          `json:"out"`
	}{student, tasks.Names, tasks.Limit, cmp.Or(tasks.Batch, 8), tasks.Device, tasks.IncludePath, tasks.Metadata, out}
	said := &bars{report: report}
	if err := ask(ctx, python, work, request, said); err != nil {
		return found, fmt.Errorf("lm-eval: %w\n%s", err, said.tail())
	}
	text, err := os.ReadFile(out)
	if err != nil {
		return found, fmt.Errorf("lm-eval ended without results: %w\n%s", err, said.tail())
	}
	if found.Scores, found.Version, err = readResults(text, tasks.Names); err != nil {
		return found, err
	}
	found.Seconds = time.Since(begin).Seconds()
	if err := os.MkdirAll(results, 0o755); err != nil {
		return found, err
	}
	return found, atomicfile.WriteBytes(found.File, text, 0o644)
}
