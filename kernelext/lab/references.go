package main

import (
	"context"
	"fmt"
	"os"

	"github.com/offshoot-ml/offshoot/kernelext/host/lmeval"
)

// referencesVariable names the Python that has the references, for Go tests. They skip without it.
const referencesVariable = lmeval.Variable

// referencePrograms are transformers and lm-eval, which tests compare with and `lab lm-eval` runs.
func referencePrograms() programs {
	return programs{name: "Python references", folder: "references", recipe: "references.txt",
		imports: "torch, transformers, lm_eval, gguf, safetensors, tokenizers", about: describeReferences()}
}

// references is their Python.
func (l *lab) references() string { return referencePrograms().python(l) }

func referencesStep(l *lab) *step { return referencePrograms().step(l) }

// withReferences is the whole set-up and the references.
func withReferences(l *lab) []*step { return append(setupSteps(l), referencesStep(l)) }

func referencesRequirements() []string { return programs{recipe: "references.txt"}.requirements() }

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
