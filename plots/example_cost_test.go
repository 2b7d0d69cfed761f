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

func ExampleSaved() {
	random := slm.Curve{Name: "random", Points: []slm.Point{{Step: 500, Tokens: 1_024_000, Validation: 3.1}, {Step: 1000, Tokens: 2_048_000, Validation: 2.72}}}
	distilled := slm.Curve{Name: "distilled", Points: []slm.Point{{Step: 20, Tokens: 40_960, Validation: 2.8}, {Step: 40, Tokens: 81_920, Validation: 2.7}}}
	figure := plots.Saved(plots.Tokens, random, distilled)
	fmt.Println(figure.Title)
	fmt.Println(figure.Caption)
	// Output:
	// Saved tokens
	// Dashed: 2.720, where random ends. distilled: 25x fewer tokens.
}
