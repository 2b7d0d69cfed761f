package plots_test

import (
	"fmt"

	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

func ExampleHistory() {
	found := slm.Population{Name: "30M"}
	for i, loss := range []float64{9.1, 8.7, 8.9, 8.2} { // the lab evaluates them
		found.Candidates = append(found.Candidates, slm.Candidate{ID: i, Generation: i / 2, Loss: loss, Seconds: 90})
	}
	fmt.Println(plots.History(found).Caption)
	fmt.Println(plots.HistoryByTime(found).Caption)
	// Output:
	// Perplexity 8.96k falls to 3.64k. Last improvement: after 4 of 4 evaluations.
	// Perplexity 8.96k falls to 3.64k. Last improvement: after 6 of 6 minutes.
}
