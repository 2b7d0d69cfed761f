package plots_test

import (
	"fmt"
	"log"

	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

func ExampleMaskHistory() {
	teacher, err := slm.Published("pythia-14m")
	if err != nil {
		log.Fatal(err)
	}
	found := slm.Population{Name: "10M", Teacher: teacher, Candidates: []slm.Candidate{ // a search evaluates them
		{ID: 0, Generation: 0, Loss: 9.2, Subnet: slm.Subnet{Embd: slm.First(96)}},
		{ID: 1, Generation: 1, Loss: 8.7, Subnet: slm.Subnet{Embd: slm.First(112)}},
	}}
	fmt.Println(plots.MaskHistory(found).Caption)
	// Output: Generation 0 to 1: perplexity 9.9k to 6k; the two best share 86% of their parameters.
}
