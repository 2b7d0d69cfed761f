package plots_test

import (
	"fmt"
	"log"

	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

func ExampleOverlap() {
	teacher, err := slm.Published("smollm2-135m")
	if err != nil {
		log.Fatal(err)
	}
	narrow := slm.Subnet{Embd: slm.First(288)}
	shallow := slm.Subnet{Layers: []slm.LayerSubnet{{Layer: 0}, {Layer: 1}, {Layer: 29}}}
	fmt.Println(plots.Overlap(teacher, narrow, shallow).Caption)
	// Output: Both keep 22% of the parameters that either keeps, and 3 of 30 layers. Pale: neither.
}
