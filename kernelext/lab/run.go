package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/offshoot-ml/offshoot/slm/paper"
)

func runNotebooks(ctx context.Context, l *lab, args []string) error {
	set := flags("run", l.stdout)
	out := set.String("out", "", "write the executed notebooks into `DIR`, not in place")
	timeout := set.Duration("timeout", 0, "longest time for one cell, such as 90s (0: no limit)")
	scale := set.String("scale", "", "the `SCALE` of a notebook that has several: "+strings.Join(paper.Names(), ", ")+" (default: the one it names itself)")
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
		if _, err := paper.Named(*scale); err != nil {
			return fmt.Errorf("lab run: --scale: %w", err)
		}
		l.cells = append(l.cells, paper.Variable+"="+*scale)
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
