package plots_test

import (
	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

func ExampleLiveCurves() {
	random := slm.Curve{Name: "random", Points: []slm.Point{{Step: 60, Tokens: 30_720, Validation: 6.58}}}
	watch := plots.LiveCurves(plots.Tokens, random) // in a cell: run.Watch(plots.LiveCurves(plots.Tokens, random.Curve)).Steps(50)
	watch(slm.Curve{Name: "distilled", Points: []slm.Point{{Step: 20, Tokens: 10_240, Validation: 6.9}}}, true)
	// Output:
}
