package plots_test

import (
	"fmt"

	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

func ExampleAncestry() {
	found := slm.Population{Name: "30M", Candidates: []slm.Candidate{ // a lab's search records them so
		{ID: 0, Origin: "random", Loss: 5.1}, {ID: 1, Origin: "random", Loss: 4.8},
		{ID: 2, Generation: 1, Origin: "crossover", Parents: []int{0, 1}, Loss: 4.2}}}
	fmt.Println(plots.Ancestry(found).Caption)
	// Output: #2 comes from 2 random candidates by 0 mutations and 1 crossover. Strong: better parent.
}
