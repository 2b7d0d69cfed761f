package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// scales are those of the paper's notebooks (slm/paper), which read the variable; "short" is the one at which tests run all notebooks.
var scales = []string{"short", "laptop", "gpu", "paper"}

const scaleVariable = "OFFSHOOT_SCALE"

func runNotebooks(ctx context.Context, l *lab, args []string) error {
	set := flags("run", l.stdout)
	out := set.String("out", "", "write the executed notebooks into `DIR`, not in place")
	timeout := set.Duration("timeout", 0, "longest time for one cell, such as 90s (0: no limit)")
	scale := set.String("scale", "", "the `SCALE` of a notebook that has several: "+strings.Join(scales, ", ")+" (default: the one it names itself)")
	check := set.Bool("check", false, "fail on a claim that the run does not support, and on a figure without data")
	notebooks, err := parse(set, args)
	if err != nil {
		return err
	}
	if len(notebooks) == 0 {
		return errors.New("lab run: name a notebook, such as notebooks/quickstart.ipynb")
	}
	for _, notebook := range notebooks {
		if _, err := os.Stat(notebook); err != nil {
			return fmt.Errorf("lab run: no notebook %s; see: ls notebooks", notebook)
		}
	}
	if *scale != "" {
		if !slices.Contains(scales, *scale) {
			return fmt.Errorf("lab run: --scale is %q, want %s", *scale, strings.Join(scales, ", "))
		}
		l.cells = append(l.cells, scaleVariable+"="+*scale)
	}
	options := []string{"--timeout", fmt.Sprint(timeout.Seconds())}
	if *check {
		options = append(options, "--check")
	}
	if err := l.prepare(ctx); err != nil {
		return err
	}
	for _, notebook := range notebooks {
		if err := l.execute(ctx, notebook, *out, options...); err != nil {
			return err
		}
	}
	return nil
}

// execute runs one notebook, in place or into a copy in out. The driver (run_notebook.py, which
// says what options there are) speaks to the terminal itself.
func (l *lab) execute(ctx context.Context, notebook, out string, options ...string) error {
	target := notebook
	if out != "" {
		if err := os.MkdirAll(out, 0o755); err != nil {
			return err
		}
		target = filepath.Join(out, filepath.Base(notebook))
	}
	driver, err := l.script("run_notebook.py")
	if err != nil {
		return err
	}
	cmd := exec.Command(l.python("python"), append([]string{driver, notebook, target}, options...)...)
	cmd.Env = append(l.jupyterEnv(), "OFFSHOOT_KERNEL_LOG="+l.path("logs", "kernel.log"), "PYTHONUNBUFFERED=1")
	cmd.Stdout, cmd.Stderr = l.stdout, l.stderr

	// A Ctrl-C goes to the driver, which stops the cell and saves what is there.
	return speaking(ctx, supervise(ctx, cmd, time.Minute))
}
