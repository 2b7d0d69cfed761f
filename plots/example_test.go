package plots_test

import (
	"fmt"
	"log"

	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

func ExamplePopulation() {
	teacher, err := slm.Published("smollm2-135m")
	if err != nil {
		log.Fatal(err)
	}
	search := slm.Search{Bin: slm.Around(30e6, 0.05)}.WithDefaults()
	found := slm.Population{Name: "30M", Teacher: teacher, Search: search}
	if found.Candidates, err = search.Next(teacher, nil); err != nil {
		log.Fatal(err)
	}
	for i := range found.Candidates {
		found.Candidates[i].Loss = 11 + 0.1*float64(i) // the lab evaluates them
	}
	figure := plots.Population(found)
	fmt.Println(figure.Title)
	// Output: Search 30M
}

func ExampleMask() {
	teacher, err := slm.Published("smollm2-135m")
	if err != nil {
		log.Fatal(err)
	}
	figure := plots.Mask(teacher, slm.Subnet{Embd: slm.First(288), Layers: []slm.LayerSubnet{{Layer: 0}, {Layer: 29, FFN: slm.First(768)}}})
	fmt.Println(figure.Title)
	fmt.Println(figure.Caption)
	// Output:
	// Sub-network of smollm2-135m
	// Coloured: kept, 17M of 135M parameters. Pale: dropped. Empty rows: dropped layers (28 of 30).
}

func ExampleCurves() {
	random := slm.Curve{Name: "random", Points: []slm.Point{{Step: 0, Validation: 10.8}, {Step: 60, Validation: 6.58}}}
	distilled := slm.Curve{Name: "distilled", Points: []slm.Point{{Step: 0, Validation: 13.8}, {Step: 60, Validation: 5.94}}}
	fmt.Println(plots.Curves(random, distilled).Caption)
	// Output: Strong: held-out text. Thin: training. Lowest: distilled, 5.940 nats per token.
}
