package plots_test

import (
	"fmt"
	"log"

	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

func ExampleParallelCoordinates() {
	teacher, err := slm.Published("smollm2-135m")
	if err != nil {
		log.Fatal(err)
	}
	found := slm.Population{Name: "30M", Teacher: teacher}
	for i, width := range []int{256, 288, 320} { // the lab evaluates them
		subnet := slm.Subnet{Embd: slm.First(width), Layers: []slm.LayerSubnet{{Layer: 0}, {Layer: 12 + i}}}
		found.Candidates = append(found.Candidates, slm.Candidate{ID: i, Subnet: subnet, Loss: 9 - 0.1*float64(i), Parameters: 20e6})
	}
	fmt.Println(plots.ParallelCoordinates(found).Caption)
	// Output: Strong: the best, #2. Drag along an axis to select.
}
