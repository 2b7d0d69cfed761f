package plots_test

import (
	"log"
	"os"

	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

// A slide takes a figure at three times its size, 2,160 pixels wide.
func ExampleFigure_PNG() {
	random := slm.Curve{Name: "random", Points: []slm.Point{{Step: 0, Validation: 10.8}, {Step: 60, Validation: 6.58}}}
	picture, err := plots.Curves(random).PNG(3)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile("random.png", picture, 0o644); err != nil {
		log.Fatal(err)
	}
}

func ExampleWritePage() {
	random := slm.Curve{Name: "random", Points: []slm.Point{{Step: 500, Tokens: 1_024_000, Validation: 3.1}, {Step: 1000, Tokens: 2_048_000, Validation: 2.72}}}
	distilled := slm.Curve{Name: "distilled", Points: []slm.Point{{Step: 20, Tokens: 40_960, Validation: 2.8}, {Step: 40, Tokens: 81_920, Validation: 2.7}}}
	err := plots.WritePage("distillation.html", "Distillation", plots.Curves(random, distilled), plots.Saved(plots.Tokens, random, distilled))
	if err != nil {
		log.Fatal(err)
	}
}
