package plots_test

import (
	"fmt"
	"log"

	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

func ExampleImportance() {
	teacher, err := slm.Published("pythia-14m")
	if err != nil {
		log.Fatal(err)
	}
	measured := slm.Importance{Method: "activations, norm", Layers: []float64{0.93, 0.03, 0.02, 0.02, 0.04, 0.06}} // a lab measures it
	for range teacher.Layers {
		measured.Heads = append(measured.Heads, []float64{6.3, 6.9, 7.2, 7.9})
	}
	fmt.Println(plots.Importance(teacher, measured).Caption)
	// Output: Layer 0 scores highest, 3 lowest.
}

func ExampleLayerImportance() {
	teacher, err := slm.Published("pythia-14m")
	if err != nil {
		log.Fatal(err)
	}
	measured := slm.Importance{Method: slm.LayerDrop, Layers: []float64{5.2, 0.4, 0.2, 0.1, 0.2, 0.9}} // a lab measures it: teacher.LayerDrop()
	fmt.Println(plots.LayerImportance(teacher, measured).Caption)
	// Output: Without layer 0 perplexity is ×181, which costs most; without layer 3 it is ×1.11.
}
