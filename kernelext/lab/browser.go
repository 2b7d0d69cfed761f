package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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

// sighting is what the browser script saw.
type sighting struct {
	Cells       int      `json:"cells"`
	Figures     int      `json:"figures"`
	Screenshots []string `json:"screenshots"`
	Problems    []string `json:"problems"`
}

// browse opens copies of notebooks in a JupyterLab of its own, in headless Chromium, and puts screenshots into out. It runs all
// cells of the first, and uses the controls of the second. "" stands for no notebook.
func (l *lab) browse(ctx context.Context, chrome, notebook, controls, out string, limit time.Duration) (*sighting, error) {
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
	names := map[string]string{}
	for role, path := range map[string]string{"notebook": notebook, "controls": controls} {
		if path == "" {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		names[role] = filepath.Base(path)
		if err := os.WriteFile(filepath.Join(root, names[role]), text, 0o644); err != nil {
			return nil, err
		}
	}
	jupyter, err := l.startJupyter(ctx, root, 8890)
	if err != nil {
		return nil, err
	}
	defer func() { cancel(); jupyter.wait() }()

	for _, name := range []string{"browser.mjs", "helpercells.mjs", "controls.mjs"} { // beside node_modules, where they find Playwright
		if err := writeFile(l.path("js", name), recipe(name), 0o644); err != nil {
			return nil, err
		}
	}
	cells, err := helperCells()
	if err != nil {
		return nil, err
	}
	if out, err = filepath.Abs(out); err != nil {
		return nil, err
	}
	options, err := json.Marshal(map[string]any{
		"url": jupyter.server.URL, "token": jupyter.server.Token, "notebook": names["notebook"], "controls": names["controls"],
		"chrome": chrome, "out": out, "timeout": limit.Seconds(), "cells": cells,
	})
	if err != nil {
		return nil, err
	}
	return runBrowser(ctx, l, l.path("js", "browser.mjs"), string(options))
}

func runBrowser(ctx context.Context, l *lab, script, options string) (*sighting, error) {
	var stdout, stderr strings.Builder
	cmd := exec.Command(l.python("node"), script, options)
	cmd.Env, cmd.Stdout, cmd.Stderr = l.jupyterEnv(), &stdout, &stderr
	err := supervise(ctx, cmd, 20*time.Second)
	var saw sighting
	if json.Unmarshal([]byte(stdout.String()), &saw) != nil {
		return nil, fmt.Errorf("the browser script said nothing (%w): %s", err, tail(stderr.String(), 12))
	}
	if len(saw.Problems) > 0 {
		return &saw, errors.New(strings.Join(saw.Problems, "\n"))
	}
	return &saw, nil
}
