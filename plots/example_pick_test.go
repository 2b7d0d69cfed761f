package plots_test

import (
	"fmt"

	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

func ExamplePick() {
	found := slm.Population{Name: "30M", Candidates: []slm.Candidate{
		{ID: 0, Origin: "random", Parameters: 29e6, Loss: 3.2},
		{ID: 1, Origin: "mutation", Generation: 1, Parents: []int{0}, Parameters: 30e6, Loss: 3}}}
	plots.Pick(found, func(c slm.Candidate) string { // in a cell: found.Continue(c, "func main() {", 20)
		return fmt.Sprintf("bred by %s", c.Origin)
	})
	// Output:
	// Candidate #1 of generation 1, mutation of #0: 30M parameters, loss 3.000, perplexity 20.1
	// bred by mutation
}
