package main

import (
	"context"
	"os"
	"os/exec"
	"strings"
)

// programs are Python programs that something is compared with. They have an environment of their own, apart from
// JupyterLab's: they are many times as large, no part of the lab, and want other versions than each other.
type programs struct {
	name    string   // of the set-up's step
	folder  string   // in the state folder
	recipe  string   // its pinned requirements
	bare    []string // installed without what they require, which the recipe has as far as it is needed
	imports string   // modules that must import
	about   string   // versions, in words
}

// python is the environment's interpreter.
func (p programs) python(l *lab) string { return l.path(p.folder, "bin", "python") }

// requirements are the recipe's lines without its comments, whose change must not install it all anew.
func (p programs) requirements() []string {
	var requirements []string
	for line := range strings.Lines(string(recipe(p.recipe))) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			requirements = append(requirements, line)
		}
	}
	return requirements
}

// step makes the environment.
func (p programs) step(l *lab) *step {
	return &step{
		name:    p.name,
		inputs:  strings.Join(append(p.requirements(), p.bare...), "\n"),
		outputs: []string{p.python(l)},
		run: func(ctx context.Context, t *task) error {
			if err := os.RemoveAll(l.path(p.folder)); err != nil {
				return err
			}
			err := p.install(ctx, l, t)
			if err != nil && ctx.Err() == nil {
				os.RemoveAll(l.path(p.folder)) // gigabytes, and a folder that stays is one to complete
			}
			return err
		},
	}
}

func (p programs) install(ctx context.Context, l *lab, t *task) error {
	t.Note("creating with venv")
	if err := t.exec(ctx, exec.Command(l.python("python"), "-m", "venv", l.path(p.folder)), nil); err != nil {
		return err
	}
	t.Note("installing (downloads about 3 GB)")
	pip := func(args ...string) error {
		cmd := exec.Command(p.python(l), "-m", "pip", "--disable-pip-version-check", "install", "--progress-bar=off")
		cmd.Args = append(cmd.Args, args...)
		return t.exec(ctx, cmd, pipNote(t))
	}
	if err := pip(p.requirements()...); err != nil {
		return err
	}
	if len(p.bare) > 0 {
		if err := pip(append([]string{"--no-deps"}, p.bare...)...); err != nil {
			return err
		}
	}
	// pip is content with a torch that lacks a library; tests would find out one by one.
	t.Note("importing them once")
	if err := t.exec(ctx, exec.Command(p.python(l), "-c", "import "+p.imports), func(string) {}); err != nil {
		return err
	}
	t.Note("%s", p.about)
	return nil
}

// chosen is the interpreter to use: a person's choice by a variable, or this environment's where it is set up; "" for none.
func (p programs) chosen(l *lab, variable string) string {
	if python := os.Getenv(variable); python != "" || l.pending(p.step(l)) != nil {
		return python
	}
	return p.python(l)
}
