package main

import (
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// cellFiles is the package that helper cells are written in.
//
//go:embed cells
var cellFiles embed.FS

// helperCell is a cell that JupyterLab offers, in the parts from which the extension puts it together.
type helperCell struct {
	Name         string        `json:"name"` // of the function, such as LoadTeacher
	Label        string        `json:"label"`
	Caption      string        `json:"caption"`
	Category     string        `json:"category"`
	Imports      []string      `json:"imports"`      // what the code below uses
	Declarations []declaration `json:"declarations"` // of the notebook, which it also uses
	Body         string        `json:"body"`
}

// declaration is what cells share, such as the lab: a notebook that declares the name already keeps its own.
type declaration struct {
	Name string `json:"name"`
	Code string `json:"code"`
}

// cellCategories are the headings in the launcher and the command palette, with the file of each.
var cellCategories = []struct{ file, name string }{
	{"steps.go", "Offshoot"},
	{"figures.go", "Offshoot figures"},
}

// helperCells reads the cells from the package's source, in its order.
func helperCells() ([]helperCell, error) {
	shared, err := readCellFile("notebook.go")
	if err != nil {
		return nil, err
	}
	var cells []helperCell
	for _, category := range cellCategories {
		file, err := readCellFile(category.file)
		if err != nil {
			return nil, err
		}
		for _, node := range file.Decls {
			function, ok := node.(*ast.FuncDecl)
			if !ok {
				continue
			}
			cell, err := file.cell(function, shared)
			if err != nil {
				return nil, err
			}
			cell.Category = category.name
			cells = append(cells, cell)
		}
	}
	return cells, nil
}

// cellFile is a file of the package: its source and its syntax.
type cellFile struct {
	*ast.File
	name string
	text []byte
}

func readCellFile(name string) (*cellFile, error) {
	text, err := cellFiles.ReadFile("cells/" + name)
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
	return &cellFile{file, name, text}, err
}

// code is the source of a node, or of what lies between two of its positions.
func (f *cellFile) code(from, to token.Pos) string {
	return string(f.text[from-f.FileStart : to-f.FileStart])
}

// cell takes a function's body, and adds what that needs of the file's imports and of the notebook.
func (f *cellFile) cell(function *ast.FuncDecl, notebook *cellFile) (helperCell, error) {
	label, caption, ok := strings.Cut(strings.Join(strings.Fields(function.Doc.Text()), " "), ": ")
	if !ok || label == "" || caption == "" {
		return helperCell{}, fmt.Errorf("%s: the comment of %s must be the cell's name, a colon, and what it shows", f.name, function.Name.Name)
	}
	body := function.Body
	text := strings.ReplaceAll(f.code(body.Lbrace+1, body.Rbrace), "\n\t", "\n")
	used, imports := map[string]bool{}, map[string]bool{}
	f.uses(body, used, imports)
	return helperCell{
		Name: function.Name.Name, Label: label, Caption: strings.ToUpper(caption[:1]) + caption[1:], Body: strings.TrimSpace(text),
		Declarations: notebook.declarations(used, imports),
		Imports:      slices.Sorted(maps.Keys(imports)),
	}, nil
}

// uses notes the names in some code, and the imports among them.
func (f *cellFile) uses(code ast.Node, names, imports map[string]bool) {
	ast.Inspect(code, func(node ast.Node) bool {
		if name, ok := node.(*ast.Ident); ok {
			names[name.Name] = true
		}
		return true
	})
	for _, spec := range f.Imports {
		if where, err := strconv.Unquote(spec.Path.Value); err == nil && names[path.Base(where)] {
			imports[where] = true
		}
	}
}

// declarations are those of the notebook that are used, and those that they use themselves, in the order of the file.
func (f *cellFile) declarations(used, imports map[string]bool) []declaration {
	var out []declaration
	for _, node := range slices.Backward(f.Decls) { // each uses only what stands above it
		name, doc := declared(node)
		if !used[name] {
			continue
		}
		f.uses(node, used, imports)
		out = append(out, declaration{name, f.code(doc.Pos(), node.End())})
	}
	slices.Reverse(out)
	return out
}

// declared is the name of a variable or function, and its comment.
func declared(node ast.Decl) (name string, doc *ast.CommentGroup) {
	switch node := node.(type) {
	case *ast.FuncDecl:
		return node.Name.Name, node.Doc
	case *ast.GenDecl:
		if value, ok := node.Specs[0].(*ast.ValueSpec); ok {
			return value.Names[0].Name, node.Doc
		}
	}
	return "", nil
}
