package plots_test

import (
	"fmt"

	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

func ExampleScores() {
	measured := []slm.Score{ // by lm-eval: run.Tasks("sciq")
		{Model: "random", Task: "sciq", Accuracy: 0.31, StdErr: 0.015, Chance: 0.25},
		{Model: "sub-network", Task: "sciq", Accuracy: 0.42, StdErr: 0.016, Chance: 0.25},
	}
	fmt.Println(plots.Scores(measured...).Caption)
	// Output: Lines: one standard error. Dashed: guessing, 25%.
}
