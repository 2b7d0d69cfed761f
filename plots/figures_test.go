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

// sampleRuns are three runs in the order that the paper claims.
func sampleRuns(steps int) []slm.Curve {
	r := rand.New(rand.NewPCG(3, 4))
	var runs []slm.Curve
	for _, start := range []struct {
		name      string
		from, to  float64
		distilled bool
	}{{"from random weights", 10.8, 6.58, false}, {"from the sub-network", 13.8, 6.35, false}, {"from the sub-network, distilled", 13.8, 5.94, true}} {
		run := slm.Curve{Name: start.name}
		for step := 0; step <= steps; step++ {
			loss := start.to + (start.from-start.to)*math.Exp(-6*float64(step)/float64(steps))
			p := slm.Point{Step: step}
			if step > 0 {
				p.CE = loss + 0.15*r.NormFloat64()
				p.Loss = p.CE
				if start.distilled {
					p.Loss = 0.3*p.CE + 2
				}
			}
			if step%max(1, steps/6) == 0 {
				p.Validation = loss
			}
			run.Points = append(run.Points, p)
		}
		runs = append(runs, run)
	}
	return runs
}

// manyCandidates is a population too large to search for in a test.
func manyCandidates(n int) slm.Population {
	teacher, _ := slm.Published("smollm2-135m")
	p := slm.Population{Name: "many", Teacher: teacher, Search: slm.Search{Bin: slm.Around(30e6, 0.05), Elites: 8}}
	r := rand.New(rand.NewPCG(5, 6))
	for i := range n {
		p.Candidates = append(p.Candidates, slm.Candidate{ID: i, Generation: i / max(1, n/40), Origin: "mutation", Parents: []int{i / 2},
			Parameters: 28.5e6 + r.Int64N(3e6), Loss: 9 + 4*r.Float64()*math.Exp(-float64(i)/float64(n)) + 0.3*r.NormFloat64()})
	}
	return p
}

// largest is as deep as published models get, and has as many heads.
var largest = slm.Config{Name: "largest", Family: slm.Llama, Layers: 96, Embd: 12288, Heads: 128, QueryGroups: 16, HeadSize: 128,
	FFN: 36864, Vocab: 50257, Context: 2048, NormEps: 1e-5, RopeTheta: 1e4}

// sampleSubnet keeps units of a teacher at random, of each its own share: the raggedest of masks.
func sampleSubnet(teacher slm.Config, seed uint64) (s slm.Subnet) {
	r := rand.New(rand.NewPCG(seed, 7))
	some := func(size int) slm.Indices {
		return slm.IndicesOf(r.Perm(size)[:1+r.IntN(size)]...)
	}
	s.Embd = some(teacher.Embd)
	for l := range teacher.Layers {
		if r.IntN(5) == 0 {
			continue
		}
		var heads []int
		for group := range teacher.QueryGroups { // each has one, and then some
			heads = append(heads, group*teacher.HeadsPerGroup())
		}
		heads = append(heads, r.Perm(teacher.Heads)[:r.IntN(teacher.Heads)]...)
		s.Layers = append(s.Layers, slm.LayerSubnet{Layer: l, Heads: slm.IndicesOf(heads...), HeadSize: slm.First(2 * (1 + r.IntN(teacher.HeadSize/2))), FFN: some(teacher.FFN)})
	}
	return s
}
