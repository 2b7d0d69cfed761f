package plots_test

import (
	"fmt"
	"log"

	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

func ExampleArchitectures() {
	teacher, err := slm.Published("smollm2-135m")
	if err != nil {
		log.Fatal(err)
	}
	reference, err := slm.Published("pythia-31m")
	if err != nil {
		log.Fatal(err)
	}
	student := slm.Subnet{Embd: slm.First(288), Layers: []slm.LayerSubnet{{Layer: 0}, {Layer: 14}, {Layer: 29}}}
	figure := plots.Architectures(teacher, reference.Architecture(), student.Architecture(teacher, "30M"))
	fmt.Println(figure.Caption)
	// Output: 30M has 14% of the teacher's parameters, 10% of its layers and 50% of its width (×: ratios).
}
