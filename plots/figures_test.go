package plots

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// sampleSearch is a search with made-up losses that look like real ones: far above uniform at first, falling with the
// generations and with depth.
func sampleSearch(t testing.TB, population, generations int) slm.Population {
	t.Helper()
	teacher, err := slm.Published("smollm2-135m")
	if err != nil {
		t.Fatal(err)
	}
	p := slm.Population{Name: "30M", Teacher: teacher, Search: slm.Search{Space: slm.CoarseLayerWise,
		Bin: slm.Around(30e6, 0.05), Population: population, Generations: generations}.WithDefaults()}
	r := rand.New(rand.NewPCG(1, 2))
	for {
		next, err := p.Search.Next(teacher, p.Candidates)
		if err != nil {
			t.Fatal(err)
		}
		if len(next) == 0 {
			return p
		}
		for _, c := range next {
			c.Loss = 10 + 3*math.Exp(-float64(c.Generation)/2)*r.Float64() + math.Abs(r.NormFloat64()) - 0.02*float64(len(c.Subnet.Layers))
			c.Seconds = 0.3 + 0.2*r.Float64()
			p.Candidates = append(p.Candidates, c)
		}
	}
}
