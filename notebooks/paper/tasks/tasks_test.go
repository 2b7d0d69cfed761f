package tasks

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/datasets"
)

func read[D any](t *testing.T, path string) (documents []D) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var d D
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
		documents = append(documents, d)
	}
	return documents
}

func TestWrite(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "tasks")
	if err := Write(t.Context(), folder); err != nil {
		t.Fatal(err)
	}
	t.Run("questions", func(t *testing.T) { testQuestions(t, folder) })
	t.Run("passages", func(t *testing.T) { testPassages(t, folder) })
	first, err := os.ReadFile(filepath.Join(folder, "next_line.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(t.Context(), folder); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(filepath.Join(folder, "next_line.jsonl")); err != nil || !bytes.Equal(first, again) {
		t.Errorf("written again it differs (%v)", err)
	}
	for _, name := range []string{"next_line.yaml", "go_text.yaml", "documents.py"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			t.Error(err)
		}
	}
}

// Questions have one right answer, which stands in each place as often as another, and none comes from text that models train on.
func testQuestions(t *testing.T, folder string) {
	all := read[question](t, filepath.Join(folder, "next_line.jsonl"))
	answers := make([]int, choices)
	for _, q := range all {
		if slices.Sort(q.Choices); len(slices.Compact(q.Choices)) != choices || !datasets.HeldOut(q.File) {
			t.Errorf("%s: %q", q.File, q.Choices)
		}
		answers[q.Answer]++
	}
	if len(all) != questions || slices.Min(answers) < questions/choices*3/4 {
		t.Errorf("%d questions, answers by place %v", len(all), answers)
	}
}

func testPassages(t *testing.T, folder string) {
	all := read[passage](t, filepath.Join(folder, "go_text.jsonl"))
	for _, p := range all {
		if len(p.Text) < textBytes/4 || len(p.Text) > textBytes || !datasets.HeldOut(p.File) {
			t.Errorf("%s: %d bytes", p.File, len(p.Text))
		}
	}
	if len(all) != texts {
		t.Errorf("%d passages", len(all))
	}
}

// The right choice is the line after those that a question shows, and no other one stands in the file.
func TestAsk(t *testing.T) {
	var files []datasets.Document
	for _, word := range []string{"alpha", "beta"} {
		text := ""
		for i := range 20 {
			text += fmt.Sprintf("func %s%d() {}\n", word, i)
		}
		files = append(files, datasets.Document{ID: word, Text: text})
	}
	all := ask(files, rand.New(rand.NewPCG(1, 0)))
	for _, q := range all {
		text := files[slices.IndexFunc(files, func(d datasets.Document) bool { return d.ID == q.File })].Text
		for i, choice := range q.Choices {
			if follows := strings.Contains(text, q.Context+choice+"\n"); follows != (i == q.Answer) || strings.Contains(text, choice) != follows {
				t.Errorf("choice %d of %+v", i, q)
			}
		}
	}
	if len(all) != 2*mostOfAFile {
		t.Errorf("%d questions", len(all))
	}
}
