// Package cells holds the helper cells that the lab's JupyterLab extension offers.
//
// Each exported function is a cell: the first words of its comment are its name in the launcher and the command palette, the
// rest says what it does, and its body is the cell's code. What it needs of this file, and what it imports, is put above it
// where the notebook does not have it yet. So a cell runs as it is, also in an empty notebook, and in the quickstart it takes
// that notebook's own lab and search.
//
// Cells are code of this repository, so that none can stop compiling. Nothing imports the package: that would open the lab.
// To add a cell, write a function; set-up does the rest (kernelext/lab/helpercells.go).
package cells

import (
	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// lab keeps all that follows under its name: another name is another lab.
var lab = kernelext.Open("quickstart")

// evolution looks for sub-networks inside a parameter bin: 30 million, 5% more or less.
var evolution = slm.Search{
	Teacher: "smollm2-135m",
	Space:   slm.CoarseUniform, // or CoarseLayerWise, FineUniform, FineLayerWise
	Bin:     slm.Around(30e6, 0.05), Population: 16, Generations: 4,
}

// distilled is the best sub-network found, in training. Named again it goes on; other options need another name.
func distilled() *kernelext.Run {
	return lab.Distill("distilled", slm.Distillation{
		Teacher: "smollm2-135m", Subnet: lab.Search("30M", evolution).Best().Subnet,
		Loss:  slm.CE(0.3).Plus(slm.ForwardKL(0.7)), // of the text and of the teacher, the latter at a temperature with .At(2)
		Batch: 2, SeqLen: 128, Schedule: slm.Schedule{Peak: 7e-4, Horizon: 150},
	})
}

// searched runs the searches of a study that the lab has not finished yet.
func searched(study slm.Study) slm.Found {
	done := map[string]slm.Population{}
	for _, trial := range study.Trials() {
		done[trial.Name] = lab.Search(trial.Name, trial.Search).Population
	}
	return study.Found(done)
}
