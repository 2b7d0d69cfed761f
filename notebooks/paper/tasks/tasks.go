// Package tasks makes the lm-eval tasks of the laptop's scale: next_line asks which of four lines comes next in a Go file, go_text how
// well the text of one is predicted. They need no network.
//
// Their documents come from Go files that are held out of the Go installation's text, by the rule of package datasets, so that no
// sprout was trained on them. [Write] makes them anew on each machine; the same version of Go gives the same ones.
package tasks

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/offshoot-ml/offshoot/datasets"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/atomicfile"
)

// descriptions are what lm-eval reads: a task each, and the Python that gives it the documents.
//
//go:embed *.yaml documents.py
var descriptions embed.FS

// Write puts both tasks into a folder, which it makes where it is missing, for `--include-path` of lm-eval.
func Write(ctx context.Context, folder string) error {
	if err := write(ctx, folder); err != nil {
		return fmt.Errorf("tasks: %w", err)
	}
	return nil
}

func write(ctx context.Context, folder string) error {
	files, err := heldOut(ctx)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(1, 0))
	if err := writeLines(filepath.Join(folder, "next_line.jsonl"), ask(files, rng)); err != nil {
		return err
	}
	if err := writeLines(filepath.Join(folder, "go_text.jsonl"), passages(files, rng)); err != nil {
		return err
	}
	return describe(folder)
}

// describe writes what lm-eval reads beside the documents.
func describe(folder string) error {
	names, err := descriptions.ReadDir(".")
	if err != nil {
		return err
	}
	for _, name := range names {
		content, err := descriptions.ReadFile(name.Name())
		if err != nil {
			return err
		}
		if err := atomicfile.WriteBytes(filepath.Join(folder, name.Name()), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// heldOut are the Go files of the standard library and its tools that no run on the Go installation's text trains on.
func heldOut(ctx context.Context) (files []datasets.Document, err error) {
	source, err := datasets.Open(ctx, slm.Data{}, datasets.Options{})
	if err != nil {
		return nil, err
	}
	for d, err := range source.Documents(ctx) {
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(d.ID, "src/") && strings.HasSuffix(d.ID, ".go") && datasets.HeldOut(d.ID) {
			files = append(files, d)
		}
	}
	return files, nil
}

// writeLines writes each document as a line of JSON.
func writeLines[D any](path string, documents []D) error {
	var out bytes.Buffer
	lines := json.NewEncoder(&out)
	lines.SetEscapeHTML(false)
	for _, d := range documents {
		if err := lines.Encode(d); err != nil {
			return err
		}
	}
	return atomicfile.WriteBytes(path, out.Bytes(), 0o644)
}

// How many documents there are, and how long. A question with its answer has about 100 tokens of the sprouts, a passage 120: they were
// trained on sequences of 128.
const (
	questions    = 400
	mostOfAFile  = 6  // questions
	contextLines = 6  // that a question shows
	choices      = 4  // of which one is right
	leastLetters = 12 // of a line that is asked for
	texts        = 96
	textBytes    = 256
)

// question shows some lines of a file and asks which one comes next.
type question struct {
	File    string   `json:"file"`
	Context string   `json:"context"` // ends with a newline
	Choices []string `json:"choices"` // lines without their newline
	Answer  int      `json:"answer"`  // which choice the file has
}

// ask draws questions from all files. The wrong choices are lines of other ones.
func ask(files []datasets.Document, rng *rand.Rand) []question {
	var all []question
	for _, file := range files {
		lines, asked := strings.Split(file.Text, "\n"), 0
		for _, at := range rng.Perm(len(lines)) {
			if at >= contextLines && isCode(lines[at]) && asked < mostOfAFile {
				answer := rng.IntN(choices)
				all = append(all, question{
					File:    file.ID,
					Context: strings.Join(lines[at-contextLines:at], "\n") + "\n",
					Choices: slices.Insert(wrong(files, file, rng), answer, lines[at]),
					Answer:  answer,
				})
				asked++
			}
		}
	}
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(questions, len(all))]
}

// wrong draws lines of other files that do not stand in this one.
func wrong(files []datasets.Document, file datasets.Document, rng *rand.Rand) (drawn []string) {
	for len(drawn) < choices-1 {
		lines := strings.Split(files[rng.IntN(len(files))].Text, "\n")
		line := lines[rng.IntN(len(lines))]
		if isCode(line) && !strings.Contains(file.Text, line) && !slices.Contains(drawn, line) {
			drawn = append(drawn, line)
		}
	}
	return drawn
}

// isCode is whether a line is neither a comment nor too short to say anything.
func isCode(line string) bool {
	trimmed := strings.TrimSpace(line)
	return len(trimmed) >= leastLetters && !strings.HasPrefix(trimmed, "//")
}

// passage is a piece of a file.
type passage struct {
	File string `json:"file"`
	Text string `json:"text"` // whole lines
}

// passages draws files and takes the text after their first paragraph, which is the licence.
func passages(files []datasets.Document, rng *rand.Rand) (all []passage) {
	for _, i := range rng.Perm(len(files)) {
		_, text, _ := strings.Cut(files[i].Text, "\n\n")
		if len(text) >= textBytes && len(all) < texts {
			end := strings.LastIndex(text[:textBytes], "\n") + 1
			all = append(all, passage{files[i].ID, text[:end]})
		}
	}
	return all
}
