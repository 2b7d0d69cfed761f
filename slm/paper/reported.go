package paper

import "fmt"

// Report is something that the paper says.
type Report struct {
	Says   string
	Value  float64 // 0: it is an order or a direction, or its number is not known here
	Source string  // the version of arXiv 2510.07227, and where in it
}

// String is such as `"… 9.2x fewer pretraining tokens" (v1, abstract)`.
func (r Report) String() string { return fmt.Sprintf("%s (arXiv 2510.07227%s)", r.Says, r.Source) }

// What the paper reports. Its tables were not at hand when this was written; what is missing here is said to be missing in the
// notebooks.
var (
	Starts = Report{Says: "Structurally sparse sub-network initializations consistently outperform randomly initialized models of similar size under the same compute budget.",
		Source: ", abstract"}
	Evolution  = Report{Says: "Evolutionary search discovers high-quality sub-network initializations, better starting points for pretraining.", Source: ", abstract"}
	Distilling = Report{Says: "Knowledge distillation from larger teachers speeds up training and improves generalization.", Source: ", abstract"}
	Tokens     = Report{Says: "The best model matches the validation perplexity of a comparable Pythia with 9.2x fewer pretraining tokens.", Value: 9.2, Source: "v1, abstract"}
	FLOPs10B   = Report{Says: "It does so with 5.16x fewer FLOPs at a budget of 10B tokens.", Value: 5.16, Source: "v2, abstract"}
	FLOPs100B  = Report{Says: "It does so with 1.26x fewer FLOPs at a budget of 100B tokens.", Value: 1.26, Source: "v2, abstract"}
)
