package plots_test

import (
	"fmt"
	"log"

	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

func ExampleDiversity() {
	teacher, err := slm.Published("smollm2-135m")
	if err != nil {
		log.Fatal(err)
	}
	found := slm.Population{Name: "30M", Teacher: teacher}
	for i, width := range []int{144, 288, 216, 216} { // a lab's search records them so
		found.Candidates = append(found.Candidates, slm.Candidate{ID: i, Generation: i / 2, Subnet: slm.Subnet{Embd: slm.First(width)}})
	}
	fmt.Println(plots.Diversity(found).Caption)
	// Output: 1: nothing in common, 0: all the same. Most changed: embedding, from 0.50 to 0.00.
}
