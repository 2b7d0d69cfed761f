package plots_test

import (
	"fmt"
	"log"

	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

func ExampleKept() {
	teacher, err := slm.Published("pythia-14m")
	if err != nil {
		log.Fatal(err)
	}
	candidates := []slm.Candidate{ // a search evaluates them
		{Subnet: slm.Subnet{Layers: []slm.LayerSubnet{{Layer: 0}, {Layer: 5}}}},
		{Subnet: slm.Subnet{Layers: []slm.LayerSubnet{{Layer: 0}, {Layer: 1}, {Layer: 4}}}},
	}
	fmt.Println(plots.Kept(teacher, candidates).Caption)
	// Output: Layers kept most often: 0 (100%), 1 (50%), 4 (50%); least: 3 (0%). Pale: units that none keeps.
}
