package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// labextensionStep installs the lab's own JupyterLab extension, prebuilt: a folder that JupyterLab finds in its data path, as it
// finds those that pip installs (https://jupyterlab.readthedocs.io/en/stable/extension/extension_dev.html#prebuilt-extensions).
func labextensionStep(l *lab) *step {
	files, err := labextension()
	return &step{
		name:    "JupyterLab extension",
		inputs:  fmt.Sprint(files),
		outputs: []string{filepath.Join(l.labextensions(), "offshoot", "package.json")},
		run: func(ctx context.Context, t *task) error {
			if err != nil {
				return err
			}
			if err := l.writeLabextension(files); err != nil {
				return err
			}
			t.Note("helper cells, hover help")
			return nil
		},
	}
}

// labextensions is the folder in which JupyterLab looks for extensions, since JUPYTER_PATH names the one above it.
func (l *lab) labextensions() string { return l.path("share", "jupyter", "labextensions") }

func (l *lab) writeLabextension(files map[string]string) error {
	dir := filepath.Join(l.labextensions(), "offshoot")
	if err := os.RemoveAll(dir); err != nil { // an earlier script has another name
		return err
	}
	for name, text := range files {
		if err := writeFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// labextension are the extension's files. The script's name changes with what is in it, so that no browser keeps an old one.
func labextension() (map[string]string, error) {
	cells, err := helperCells()
	if err != nil {
		return nil, err
	}
	arguments, err := json.Marshal([]any{cells, string(recipe("labextension/icon.svg"))})
	if err != nil {
		return nil, err
	}
	script := fmt.Sprintf("%s([\n%s(...%s),\n%s\n]);\n", labextensionScript("container"), labextensionScript("helpercells"), arguments,
		labextensionScript("hover"))
	entry := fmt.Sprintf("static/remoteEntry.%.8x.js", sha256.Sum256([]byte(script)))
	about, err := json.MarshalIndent(map[string]any{
		"name": "offshoot", "version": "1.0.0", "description": "Helper cells and hover help of the Offshoot lab",
		"jupyterlab": map[string]any{"extension": true, "_build": map[string]string{"load": entry, "extension": "./extension"}},
	}, "", "  ")
	return map[string]string{"package.json": string(about) + "\n", entry: script}, err
}

// labextensionScript is an expression: a function.
func labextensionScript(name string) []byte {
	return bytes.TrimSpace(recipe("labextension/" + name + ".js"))
}
