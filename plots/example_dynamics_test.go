package plots_test

import (
	"fmt"

	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

func ExampleDynamics() {
	run := slm.Curve{Name: "distilled"}
	for step := 1; step <= 60; step++ { // the lab trains it
		run.Points = append(run.Points, slm.Point{Step: step, Tokens: int64(512 * step), Rate: 1e-3, GradNorm: 0.32, Seconds: 0.25})
	}
	figure := plots.Dynamics(run)
	fmt.Println(figure.Title)
	fmt.Println(figure.Caption)
	// Output:
	// Training of distilled
	// In the median a gradient norm of 0.32 and 2.05k tokens/s.
}
