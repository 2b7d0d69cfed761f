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

func ExampleProgress() {
	search := func(losses ...float64) (p slm.Population) {
		for i, loss := range losses { // the lab evaluates them
			p.Candidates = append(p.Candidates, slm.Candidate{ID: i, Loss: loss})
		}
		return p
	}
	cell := slm.Cell{Bin: slm.Around(30e6, 0.05), Space: "coarse-uniform", Variant: "evolution"}
	evolved := slm.Repeated{Cell: cell, Searches: []slm.Population{search(12, 11.4, 11.2), search(12.4, 11.8, 11)}}
	cell.Variant = "random"
	drawn := slm.Repeated{Cell: cell, Searches: []slm.Population{search(12, 11.9, 11.9), search(12.4, 11.6, 11.5)}}
	figure := plots.Progress(evolved, drawn)
	fmt.Println(figure.Title)
	fmt.Println(figure.Caption)
	// Output:
	// Progress 30M coarse-uniform
	// Lower is better. Band: all seeds. Lowest: evolution, 11.100 after 3 evaluations (2 seeds).
}

func ExampleSpaces() {
	bin := slm.Around(30e6, 0.05)
	best := func(space string, loss float64) slm.Repeated {
		return slm.Repeated{Cell: slm.Cell{Bin: bin, Space: space, Variant: "evolution"},
			Searches: []slm.Population{{Candidates: []slm.Candidate{{Loss: loss}}}}}
	}
	found := slm.Found{best("coarse-uniform", 11.3), best("fine-layer-wise", 10.9)} // [slm.Study.Found] sorts a lab's searches so
	fmt.Println(plots.Spaces(found, bin).Caption)
	// Output: Lower is better. Points: seeds. Bars: means. Lowest: fine-layer-wise, evolution, 10.900 nats per token.
}

func ExampleCorrelation() {
	warm := slm.Population{Search: slm.Search{Space: slm.CoarseUniform, Warm: slm.Warm{Steps: 20}}}
	for i, after := range []float64{6.7, 6.4, 6.6, 6.3, 6.5} {
		warm.Candidates = append(warm.Candidates, slm.Candidate{ID: i, Untrained: 12 + float64(i), Loss: after})
	}
	fmt.Println(plots.Correlation(warm).Caption)
	// Output: Rank correlation -0.50 (-0.97 to 0.73). The best before is number 5 of 5 after.
}

func ExampleLive() {
	watch := plots.Live() // in a cell: lab.Search("30M", search, plots.Live())
	watch(slm.Population{Name: "30M"})
	// Output:
}
