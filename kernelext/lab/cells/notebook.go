// Package cells holds the helper cells that the lab's JupyterLab extension offers.
//
// Each exported function is a cell: the first words of its comment are its name in the launcher and the command palette, the
// rest says what it does, and its body is the cell's code. What it needs of this file, and what it imports, is put above it
// where the notebook does not have it yet. So a cell runs as it is, also in an empty notebook. Names and options are those of
// the quickstart notebook: there a cell takes that notebook's own, and elsewhere it goes on with its searches and runs.
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
	Teacher:    "smollm2-135m",
	Space:      slm.CoarseUniform, // or CoarseLayerWise, FineUniform, FineLayerWise
	Bin:        slm.Around(30e6, 0.05),
	Population: 16, Generations: 4,
}

// passage is what models read in figures; another one may have some hundred tokens.
var passage = "The old fisherman rowed out to sea before sunrise, as he had done every day for forty years."

// student is a run that pretrains the best sub-network found. Named again it goes on; other options need another name.
func student(name string, start slm.Init, loss slm.Loss) *kernelext.Run {
	best := lab.Search("30M", evolution).Best()
	return lab.Distill(name, slm.Distillation{Subnet: best.Subnet, Init: start, Loss: loss,
		Batch: 2, SeqLen: 128, Schedule: slm.Schedule{Peak: 7e-4, Horizon: 150}})
}

// distilled learns from the text, and from the teacher at a temperature of 1; .At(2) sets another.
func distilled() *kernelext.Run {
	return student("subnet-distilled", slm.FromTeacher, slm.CE(0.3).Plus(slm.ForwardKL(0.7)))
}

// random has the same architecture, and random weights at first.
func random() *kernelext.Run { return student("random", slm.FromRandom, slm.CE(1)) }

// trained is a run's curve after so many steps in all.
func trained(run *kernelext.Run, steps int) slm.Curve {
	if left := steps - run.Curve.Steps(); left > 0 {
		run.Steps(left)
	}
	return run.Curve
}

// searched runs the searches of a study that the lab has not finished yet.
func searched(study slm.Study) slm.Found {
	done := map[string]slm.Population{}
	for _, trial := range study.Trials() {
		done[trial.Name] = lab.Search(trial.Name, trial.Search).Population
	}
	return study.Found(done)
}
