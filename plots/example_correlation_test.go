package plots_test

import (
	"fmt"

	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

func ExamplePrediction() {
	found := slm.Population{Name: "30M", Teacher: slm.Config{Name: "t", Embd: 8}}
	var runs []slm.Curve
	for i, trained := range []float64{3.2, 3.0, 3.5, 3.6} { // the lab searches and distils
		subnet := slm.Subnet{Embd: slm.First(4 + i)}
		found.Candidates = append(found.Candidates, slm.Candidate{ID: i, Subnet: subnet, Loss: 5 + 0.1*float64(i)})
		runs = append(runs, slm.Curve{Teacher: found.Teacher, Distillation: slm.Distillation{Subnet: subnet}, Points: []slm.Point{{Step: 500, Validation: trained}}})
	}
	fmt.Println(plots.Prediction(found, runs...).Caption)
	// Output: Rank correlation 0.80 (-0.82 to 1.00). The best before is number 2 of 4 after.
}
