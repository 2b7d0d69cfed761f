package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// referencesVariable names the Python that has the references, for Go tests. They skip without it.
const referencesVariable = "OFFSHOOT_REFERENCES"

// references is the Python of the optional environment with transformers and lm-eval, which tests compare with.
func (l *lab) references() string { return l.path("references", "bin", "python") }

// referencesStep makes that environment. It is apart from JupyterLab's, being many times as large and no part of the lab.
func referencesStep(l *lab) *step {
	requirements := referencesRequirements()
	return &step{
		name:    "Python references",
		inputs:  strings.Join(requirements, "\n"),
		outputs: []string{l.references()},
		run: func(ctx context.Context, t *task) error {
			if err := os.RemoveAll(l.path("references")); err != nil {
				return err
			}
			err := l.installReferences(ctx, t, requirements)
			if err != nil && ctx.Err() == nil {
				os.RemoveAll(l.path("references")) // gigabytes, and a folder that stays is one to complete
			}
			return err
		},
	}
}

func (l *lab) installReferences(ctx context.Context, t *task, requirements []string) error {
	t.Note("creating with venv")
	if err := t.exec(ctx, exec.Command(l.python("python"), "-m", "venv", l.path("references")), nil); err != nil {
		return err
	}
	t.Note("installing (downloads about 3 GB)")
	pip := exec.Command(l.references(), "-m", "pip", "--disable-pip-version-check", "install", "--progress-bar=off")
	pip.Args = append(pip.Args, requirements...)
	if err := t.exec(ctx, pip, pipNote(t)); err != nil {
		return err
	}
	// pip is content with a torch that lacks a library; tests would find out one by one.
	t.Note("importing them once")
	check := exec.Command(l.references(), "-c", "import torch, transformers, lm_eval, gguf, safetensors, tokenizers")
	if err := t.exec(ctx, check, func(string) {}); err != nil {
		return err
	}
	t.Note("%s", describeReferences())
	return nil
}

// withReferences is the whole set-up and the references.
func withReferences(l *lab) []*step { return append(setupSteps(l), referencesStep(l)) }

// referencesRequirements are the lines of references.txt without its comments, whose change must not install it all anew.
func referencesRequirements() []string {
	var requirements []string
	for line := range strings.Lines(string(recipe("references.txt"))) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			requirements = append(requirements, line)
		}
	}
	return requirements
}

// describeReferences names the versions of what is compared with.
func describeReferences() string {
	pinned := environment{pip: referencesRequirements()}
	return fmt.Sprintf("transformers %s, lm-eval %s, torch %s", pinned.version("transformers"), pinned.version("lm-eval"), pinned.version("torch"))
}

// prepareReferences completes an environment whose set-up was interrupted, and brings it to today's versions. Where nobody
// asked for one there is nothing to do. Tests can do without, so a failure is only told.
func (l *lab) prepareReferences(ctx context.Context) error {
	if !exists(l.path("references")) {
		return nil
	}
	err := l.prepareSteps(ctx, withReferences)
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	fmt.Fprintf(l.stderr, "%v\nlab: tests that compare with the Python references will be skipped\n", err)
	return nil
}

// referencesEnv is what tells Go tests of the references, if they are set up; a person's own choice is left alone.
func (l *lab) referencesEnv() []string {
	if os.Getenv(referencesVariable) != "" || l.pending(referencesStep(l)) != nil {
		return nil
	}
	return []string{referencesVariable + "=" + l.references()}
}
