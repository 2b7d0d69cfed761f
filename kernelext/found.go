package kernelext

import (
	"fmt"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

// Found is a finished search: its population, of which [slm.Population.Best] is the best candidate.
type Found struct {
	slm.Population
	lab *Lab
}

// foundLine sums up what this call evaluated; a search that was finished before leaves no line.
func foundLine(p slm.Population, d *display) string {
	if d.evaluated == 0 {
		return ""
	}
	best := p.Best()
	line := fmt.Sprintf("search %s: %d evaluations", p.Name, p.Evaluations())
	if took := time.Since(d.began); took > time.Second {
		line += " in " + duration(took.Seconds())
	}
	return fmt.Sprintf("%s · best perplexity %s with %s parameters (candidate %d, generation %d)",
		line, perplexityText(best.Perplexity()), slm.Count(best.Parameters), best.ID, best.Generation)
}
