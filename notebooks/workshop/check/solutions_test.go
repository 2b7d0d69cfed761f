package check

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// code are the code cells of a notebook.
func code(t *testing.T, path string) (cells []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var notebook struct {
		Cells []struct {
			Type   string   `json:"cell_type"`
			Source []string `json:"source"`
		} `json:"cells"`
	}
	if err := json.Unmarshal(text, &notebook); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for _, c := range notebook.Cells {
		if c.Type == "code" {
			cells = append(cells, strings.Join(c.Source, ""))
		}
	}
	return cells
}

// A solution is its session's notebook, but for the cells with exercises.
func TestSolutionsFollowTheirSessions(t *testing.T) {
	sessions, err := filepath.Glob("../*.ipynb")
	if err != nil || len(sessions) == 0 {
		t.Fatalf("sessions %v, %v", sessions, err)
	}
	for _, session := range sessions {
		open, solved := code(t, session), code(t, filepath.Join("..", "solutions", filepath.Base(session)))
		if len(open) != len(solved) {
			t.Errorf("%s has %d code cells, its solution %d", filepath.Base(session), len(open), len(solved))
			continue
		}
		for i, cell := range open {
			exercise := strings.Contains(cell, "your answer")
			if !exercise && cell != solved[i] {
				t.Errorf("%s, code cell %d differs from its solution, and has no exercise:\n%s", filepath.Base(session), i+1, solved[i])
			}
			if exercise && strings.Contains(solved[i], "your answer") {
				t.Errorf("%s: the solution of code cell %d still asks for an answer", filepath.Base(session), i+1)
			}
		}
	}
}
