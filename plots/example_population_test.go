package plots_test

import (
	"fmt"

	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

func ExamplePopulationBy() {
	found := slm.Population{Name: "pareto", Search: slm.Search{Strategy: slm.NSGA2,
		Objectives: []slm.Objective{slm.MinimizeLoss, slm.MinimizeFLOPs}}}
	for i, loss := range []float64{3.1, 2.9, 3.3} { // the lab evaluates them
		found.Candidates = append(found.Candidates, slm.Candidate{ID: i, Loss: loss, Parameters: 4e6, FLOPs: int64(8+i) * 1e6, KVBytes: 4096})
	}
	fmt.Println(plots.PopulationBy(found, slm.MinimizeKVCache).Caption)
	// Output: The best of 3 candidates: perplexity 18.2 with 4M parameters.
}
