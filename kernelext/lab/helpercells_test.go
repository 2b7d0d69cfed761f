package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every cell must compile as it stands in an empty notebook: with the imports and declarations that it brings, all of them used.
func TestHelperCellsCompile(t *testing.T) {
	cells, err := helperCells()
	if err != nil {
		t.Fatal(err)
	}
	l, _ := emptyLab(t)
	dir, replace, args := t.TempDir(), map[string]string{}, []string{"build", "-overlay", ""}
	for _, cell := range cells {
		code := "package cell\n"
		for _, path := range cell.Imports {
			code += fmt.Sprintf("import %q\n", path)
		}
		for _, declaration := range cell.Declarations {
			code += declaration.Code + "\n"
		}
		code += "func main() {\n" + cell.Body + "\n}\n"
		file := filepath.Join(dir, cell.Name+".go")
		if err := os.WriteFile(file, []byte(code), 0o644); err != nil {
			t.Fatal(err)
		}
		replace[l.source("kernelext", "lab", "cells", cell.Name, "cell.go")] = file
		args = append(args, "./kernelext/lab/cells/"+cell.Name)
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	args[2] = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(args[2], text, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := l.goCommand(t.Context(), args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// What a cell brings is what it uses, also by way of what it brings.
func TestHelperCellsBringWhatTheyUse(t *testing.T) {
	cells, err := helperCells()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ cell, label, category, imports, declarations string }{
		{"OpenLab", "Open a lab", "Offshoot", "kernelext", "lab"},
		{"LoadTeacher", "Load a teacher", "Offshoot", "fmt kernelext", "lab"},
		{"ShowMask", "Show a mask", "Offshoot", "kernelext plots slm", "lab"},
		{"StartSearch", "Start a search", "Offshoot", "kernelext plots slm", "lab evolution"},
		{"Run50Steps", "Run 50 steps", "Offshoot", "kernelext plots slm", "lab evolution student distilled"},
		{"CompareRuns", "Compare runs", "Offshoot", "kernelext plots", "lab"},
		{"ExportStudent", "Export a student", "Offshoot", "kernelext slm", "lab evolution student distilled"},
		{"Controls", "Controls", "Offshoot", "kernelext plots slm", "lab evolution student distilled"},
		{"Text", "Text", "Offshoot figures", "kernelext plots slm", "lab evolution passage student distilled"},
		{"Spaces", "Spaces", "Offshoot figures", "kernelext plots slm", "lab evolution searched"},
	} {
		at := slices.IndexFunc(cells, func(c helperCell) bool { return c.Name == test.cell })
		if at < 0 {
			t.Errorf("there is no cell %s", test.cell)
			continue
		}
		cell := cells[at]
		var imports, declarations []string
		for _, path := range cell.Imports {
			imports = append(imports, filepath.Base(path))
		}
		for _, d := range cell.Declarations {
			declarations = append(declarations, d.Name)
		}
		got := []string{cell.Label, cell.Category, strings.Join(imports, " "), strings.Join(declarations, " ")}
		if want := []string{test.label, test.category, test.imports, test.declarations}; !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", test.cell, got, want)
		}
	}
}
