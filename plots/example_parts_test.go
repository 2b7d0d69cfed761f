package plots_test

import (
	"fmt"
	"log"

	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

func ExampleParts() {
	teacher, err := slm.Published("smollm2-135m")
	if err != nil {
		log.Fatal(err)
	}
	found := slm.Population{Teacher: teacher, Candidates: []slm.Candidate{ // a lab's search records them so
		{ID: 0, Loss: 9, Subnet: slm.Subnet{Embd: slm.First(160)}},
		{ID: 1, Loss: 8, Generation: 1, Subnet: slm.Subnet{Embd: slm.First(288), Layers: []slm.LayerSubnet{{Layer: 0}, {Layer: 29}}}}}}
	fmt.Println(plots.Parts(teacher, found.GenerationBests()...).Caption)
	// Output: Largest: embedding, 21-80% of the parameters.
}
