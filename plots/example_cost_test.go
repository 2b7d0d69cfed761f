package plots_test

import (
	"fmt"

	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

func ExampleCurvesBy() {
	run := func(name string, begin, end float64) slm.Curve { // the lab trains them
		return slm.Curve{Name: name, Points: []slm.Point{{Validation: begin}, {Step: 60, Tokens: 30_720, Validation: end}}}
	}
	figure := plots.CurvesBy(plots.Tokens,
		run("random", 10.8, 6.6), run("random", 10.9, 6.5), // two seeds: a mean and its band
		run("distilled", 13.8, 5.9), run("distilled", 13.6, 6.0))
	fmt.Println(figure.Title)
	fmt.Println(figure.Caption)
	// Output:
	// Loss of 4 runs
	// Strong: held-out text, 2 seeds. Thin: training. Lowest: distilled, 5.950 nats per token.
}
