package kernelext_test

import (
	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// A cell that judges sub-networks by a score of its own: here by how many layers they have. Run again after an interruption,
// it goes on with the candidates that still lack their score.
func ExampleLab_Ask() {
	lab := kernelext.Open("quickstart")
	search := slm.Search{Space: slm.FineLayerWise, Bin: slm.Around(30e6, 0.05)}
	score := func(c slm.Candidate) float64 { return float64(len(c.Subnet.Layers)) }
	for pending := lab.Ask("shallow", search); len(pending) > 0; pending = lab.Ask("shallow", search) {
		for i := range pending {
			pending[i].Loss = score(pending[i])
		}
		lab.Tell("shallow", pending...)
	}
	lab.Export("smollm2-135m", lab.Found("shallow").Best().Subnet, "shallow-student")
}
