// Command tasks writes the documents of the lm-eval tasks in this folder: next_line.jsonl and go_text.jsonl, which next_line.yaml and
// go_text.yaml describe.
//
//	go run ./notebooks/paper/tasks
//
// They come from Go files that are held out of the Go installation's text, by the rule of package datasets, so that no sprout was
// trained on them. The same version of Go gives the same documents.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/offshoot-ml/offshoot/datasets"
	"github.com/offshoot-ml/offshoot/slm"
)

const folder = "notebooks/paper/tasks"

func main() {
	if err := write(context.Background(), folder); err != nil {
		fmt.Fprintln(os.Stderr, "tasks:", err)
		os.Exit(1)
	}
}

func write(ctx context.Context, folder string) error {
	files, err := heldOut(ctx)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(1, 0))
	err = writeLines(filepath.Join(folder, "next_line.jsonl"), ask(files, rng))
	if err != nil {
		return err
	}
	return writeLines(filepath.Join(folder, "go_text.jsonl"), passages(files, rng))
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
	return os.WriteFile(path, out.Bytes(), 0o644)
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
