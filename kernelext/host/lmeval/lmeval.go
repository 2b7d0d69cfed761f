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

// Run measures the student in a folder that an export wrote, and keeps lm-eval's own results in a new file in the folder
// results. report is told of its progress bars. Task names, limit and the like are checked here; nothing goes through a shell.
//
// Errors: a task that lm-eval does not know, with those of similar names; documents that cannot be fetched, with what to do;
// everything else with the last lines that lm-eval wrote.
func Run(ctx context.Context, python, student string, tasks kernelext.Tasks, results string, report func(what string, done, total int64)) (kernelext.TaskScores, error) {
	found := kernelext.TaskScores{Model: student, Tasks: tasks}
	if err := tasks.Validate(); err != nil {
		return found, err
	}
	work, err := os.MkdirTemp("", "offshoot-lm-eval-")
	if err != nil {
		return found, err
	}
	defer os.RemoveAll(work)
	begin, out := time.Now(), filepath.Join(work, "results.json")
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
	found.File = filepath.Join(results, begin.UTC().Format("2006-01-02T15-04-05.000")+".json")
	return found, errors.Join(os.MkdirAll(results, 0o755), os.WriteFile(found.File, text, 0o644))
}
