package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// findBrowser returns a Chromium: CHROME, then what is on PATH, then the macOS applications.
func findBrowser() string {
	candidates := []string{
		os.Getenv("CHROME"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
		"/Applications/Chromium.app/Contents/MacOS/Chromium",
	}
	for _, candidate := range candidates {
		if candidate == "" {
			continue
		}
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	return ""
}

// opened are the notebooks that the browser test opens, each in its manner; "" stands for none.
type opened struct {
	notebooks []string // all cells run, and their figures are looked at
	figures   string   // each figure is looked at in both themes, and where no script runs; values stand beside it, in a file of its name
	controls  string   // waits for a reader who uses its controls
}

// paths are those of the notebooks.
func (o opened) paths() []string {
	return slices.DeleteFunc(append(slices.Clone(o.notebooks), o.figures, o.controls), func(path string) bool { return path == "" })
}

// bases are the last parts of paths.
func bases(paths []string) (names []string) {
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	return names
}

// sighting is what the browser script saw.
type sighting struct {
	Cells       int      `json:"cells"`
	Figures     int      `json:"figures"`
	Gallery     *gallery `json:"gallery"`
	Screenshots []string `json:"screenshots"`
	Problems    []string `json:"problems"`
}

// gallery is the notebook of all figures.
type gallery struct {
	Count   int     `json:"count"`
	Bytes   int64   `json:"bytes"`   // of the saved notebook
	Seconds float64 `json:"seconds"` // to open it
	Pages   int     `json:"pages"`   // in print
}

func (g *gallery) String() string {
	return fmt.Sprintf("%d figures in one notebook of %.1f MB, which opens in %.1f s, in both themes, without scripts and on %d printed pages",
		g.Count, float64(g.Bytes)/1e6, g.Seconds, g.Pages)
}

// browse opens copies of notebooks in a JupyterLab of its own, in headless Chromium, and puts screenshots into out.
func (l *lab) browse(ctx context.Context, chrome string, notebooks opened, out string, limit time.Duration) (*sighting, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	root, err := os.MkdirTemp("", "offshoot-browser-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(root)
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return nil, err
	}
	if err := notebooks.copyInto(root); err != nil {
		return nil, err
	}
	jupyter, err := l.startJupyter(ctx, root, 8890)
	if err != nil {
		return nil, err
	}
	defer func() { cancel(); jupyter.wait() }()

	cells, err := helperCells()
	if err != nil {
		return nil, err
	}
	if out, err = filepath.Abs(out); err != nil {
		return nil, err
	}
	var saw sighting
	err = l.runScripts(ctx, []string{"browser.mjs", "helpercells.mjs", "figures.mjs", "noscript.mjs", "controls.mjs"}, map[string]any{
		"url": jupyter.server.URL, "token": jupyter.server.Token, "root": root, "jupyter": l.python("jupyter"),
		"notebooks": bases(notebooks.notebooks), "figures": base(notebooks.figures), "controls": base(notebooks.controls),
		"chrome": chrome, "out": out, "timeout": limit.Seconds(), "cells": cells,
	}, &saw)
	if err == nil && len(saw.Problems) > 0 {
		err = errors.New(strings.Join(saw.Problems, "\n"))
	}
	return &saw, err
}

// runScripts runs the first of these scripts, which imports the others, in Node, with options as JSON, and reads its answer, which is
// JSON too. One that answers may end as it likes.
func (l *lab) runScripts(ctx context.Context, scripts []string, options, answer any) error {
	for _, name := range scripts { // beside node_modules, where they find Playwright
		if err := writeFile(l.path("js", name), recipe(name), 0o644); err != nil {
			return err
		}
	}
	text, err := json.Marshal(options)
	if err != nil {
		return err
	}
	var stdout, stderr strings.Builder
	cmd := exec.Command(l.python("node"), l.path("js", scripts[0]), string(text))
	cmd.Env, cmd.Stdout, cmd.Stderr = l.jupyterEnv(), &stdout, &stderr
	err = supervise(ctx, cmd, 20*time.Second)
	if json.Unmarshal([]byte(stdout.String()), answer) != nil {
		return fmt.Errorf("the browser script said nothing (%w): %s", err, tail(stderr.String(), 12))
	}
	return nil
}

// copyInto copies the notebooks, and the values of the figures.
func (o opened) copyInto(folder string) error {
	paths := o.paths()
	if o.figures != "" {
		paths = append(paths, valuesOf(o.figures))
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(path)), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// valuesOf is the file that a notebook of figures reads.
func valuesOf(notebook string) string {
	return strings.TrimSuffix(notebook, ".ipynb") + ".json"
}

// base is a path's last part, "" of none.
func base(path string) string {
	if path == "" {
		return ""
	}
	return filepath.Base(path)
}
