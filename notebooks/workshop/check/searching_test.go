package check

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

func TestBin(t *testing.T) {
	for _, s := range []said{
		{"none", Bin(2e6, 0.05, 0, 0), Open, "not answered"},
		{"right", Bin(2e6, 0.05, 1_900_000, 2_100_000), Solved, "1,900,000 to 2,100,000"},
		{"swapped", Bin(2e6, 0.05, 2_100_000, 1_900_000), Wrong, "swapped"},
		{"half", Bin(2e6, 0.05, 1_950_000, 2_050_000), Wrong, "as a whole"},
		{"above", Bin(2e6, 0.05, 2_000_000, 2_100_000), Wrong, "one side"},
		{"below", Bin(2e6, 0.05, 1_900_000, 2_000_000), Wrong, "one side"},
		{"empty", Bin(2e6, 0.05, 5, 5), Wrong, "holds nothing"},
		{"lower", Bin(2e6, 0.05, 1_800_000, 2_100_000), Wrong, "100,000 too low"},
		{"upper", Bin(2e6, 0.05, 1_900_000, 2_200_000), Wrong, "100,000 too high"},
	} {
		s.run(t)
	}
}

func TestSizes(t *testing.T) {
	z := slm.Sizes{Depth: 3, Embd: 16, QueryGroups: 2, HeadsPerGroup: 1, HeadSize: 8, FFN: 30}
	bin := slm.Around(float64(parameters(small, z)), 0.001)
	with := func(ffn int) Verdict { z := z; z.FFN = ffn; return Sizes(small, bin, z) }
	for _, s := range []said{
		{"none", with(0), Open, "not answered"},
		{"right", with(30), Solved, "are in"},
		{"too few", with(20), Wrong, "too few"},
		{"too many", with(40), Wrong, "too many"},
		{"outside", with(71), Wrong, "FFN is 71, and the teacher offers 1 to 70"},
		{"negative", with(-1), Wrong, "FFN is -1"},
	} {
		s.run(t)
	}
}

func TestFitness(t *testing.T) {
	bin := slm.Bin{Lower: 100, Upper: 200}
	// inside is a fitness that depends on which ends of the bin are asked.
	inside := func(in func(n int64) bool, of func(c slm.Candidate) float64) Verdict {
		return Fitness(bin, func(c slm.Candidate, _ slm.Bin) float64 {
			if !in(c.Parameters) {
				return math.Inf(1)
			}
			return of(c)
		})
	}
	loss := func(c slm.Candidate) float64 { return c.Loss }
	anywhere := func(int64) bool { return true }
	for _, s := range []said{
		{"none", inside(anywhere, func(slm.Candidate) float64 { return 0 }), Open, "not answered"},
		{"right", inside(bin.Contains, loss), Solved, "lowest loss"},
		{"perplexity", inside(bin.Contains, slm.Candidate.Perplexity), Solved, "lowest loss"},
		{"parameters", inside(anywhere, func(c slm.Candidate) float64 { return float64(c.Parameters) }), Wrong, "number of parameters"},
		{"inverse", inside(bin.Contains, func(c slm.Candidate) float64 { return -c.Loss }), Wrong, "lower number"},
		{"constant", inside(bin.Contains, func(slm.Candidate) float64 { return 1 }), Wrong, "tell them apart"},
		{"inverse bin", inside(func(n int64) bool { return !bin.Contains(n) }, loss), Wrong, "other way round"},
		{"minus infinity", Fitness(bin, func(c slm.Candidate, bin slm.Bin) float64 {
			if !bin.Contains(c.Parameters) {
				return math.Inf(-1)
			}
			return c.Loss
		}), Wrong, "minus infinity"},
		{"a large number", Fitness(bin, func(c slm.Candidate, bin slm.Bin) float64 {
			if !bin.Contains(c.Parameters) {
				return math.MaxFloat64
			}
			return c.Loss
		}), Wrong, "no infinite one"},
		{"no number", inside(bin.Contains, func(slm.Candidate) float64 { return math.NaN() }), Wrong, "NaN"},
		{"no bin", inside(anywhere, loss), Wrong, "not asked"},
		{"no upper end", inside(func(n int64) bool { return n >= 100 }, loss), Wrong, "upper end"},
		{"no lower end", inside(func(n int64) bool { return n <= 200 }, loss), Wrong, "lower end"},
		{"end excluded", inside(func(n int64) bool { return n > 100 && n <= 200 }, loss), Wrong, "both ends"},
		{"panic", Fitness(bin, func(slm.Candidate, slm.Bin) float64 { panic("oh") }), Wrong, "panicked"},
	} {
		s.run(t)
	}
}

// step moves a size up or down by one, the other way at a limit.
func step(size *int, most int, r *rand.Rand) {
	by := 1 - 2*r.IntN(2)
	if *size+by < 1 || *size+by > most {
		by = -by
	}
	*size += by
}

// elsewhere are random numbers that a learner took from another place than asked.
var elsewhere = rand.New(rand.NewPCG(8, 8))

func TestMutation(t *testing.T) {
	fields := func(z *slm.Sizes) []*int { return []*int{&z.Depth, &z.Embd, &z.QueryGroups, &z.FFN} }
	most := []int{small.Layers, small.Embd, small.QueryGroups, small.FFN}
	right := func(p slm.Sizes, r *rand.Rand) slm.Sizes {
		i := r.IntN(4)
		step(fields(&p)[i], most[i], r)
		return p
	}
	for _, s := range []said{
		{"none", Mutation(small, func(p slm.Sizes, _ *rand.Rand) slm.Sizes { return p }), Open, "not answered"},
		{"right", Mutation(small, right), Solved, "one size"},
		{"outside", Mutation(small, func(p slm.Sizes, _ *rand.Rand) slm.Sizes { p.FFN++; return p }), Wrong, "FFN is 71"},
		{"below", Mutation(small, func(p slm.Sizes, _ *rand.Rand) slm.Sizes { p.Depth--; return p }), Wrong, "Depth is 0"},
		{"two", Mutation(small, func(p slm.Sizes, r *rand.Rand) slm.Sizes {
			step(&p.FFN, small.FFN, r)
			step(&p.Embd, small.Embd, r)
			return p
		}), Wrong, "[Embd FFN]"},
		{"head size", Mutation(small, func(p slm.Sizes, r *rand.Rand) slm.Sizes { step(&p.HeadSize, small.HeadSize, r); return p }), Wrong, "heads whole"},
		{"seldom", Mutation(small, func(p slm.Sizes, r *rand.Rand) slm.Sizes {
			if r.IntN(2) == 0 {
				return p
			}
			return right(p, r)
		}), Wrong, "equal their parent"},
		{"only up", Mutation(small, func(p slm.Sizes, _ *rand.Rand) slm.Sizes { p.FFN = min(p.FFN+1, small.FFN); return p }), Wrong, "always larger"},
		{"only down", Mutation(small, func(p slm.Sizes, _ *rand.Rand) slm.Sizes { p.FFN = max(p.FFN-1, 1); return p }), Wrong, "always smaller"},
		{"other numbers", Mutation(small, func(p slm.Sizes, _ *rand.Rand) slm.Sizes { return right(p, elsewhere) }), Wrong, "Draw from r"},
		{"one field", Mutation(small, func(p slm.Sizes, r *rand.Rand) slm.Sizes { step(&p.FFN, small.FFN, r); return p }), Wrong, "only [FFN]"},
		{"panic", Mutation(small, func(slm.Sizes, *rand.Rand) slm.Sizes { panic("oh") }), Wrong, "panicked"},
	} {
		s.run(t)
	}
}

func TestCrossover(t *testing.T) {
	// choose takes some of the sizes from b, by a bit of the mask for each.
	choose := func(a, b slm.Sizes, mask int) slm.Sizes {
		to, from := []*int{&a.Depth, &a.Embd, &a.QueryGroups, &a.FFN}, []*int{&b.Depth, &b.Embd, &b.QueryGroups, &b.FFN}
		for i := range to {
			if mask>>i&1 == 1 {
				*to[i] = *from[i]
			}
		}
		return a
	}
	by := func(mask func(r *rand.Rand) int) Verdict {
		return Crossover(small, func(a, b slm.Sizes, r *rand.Rand) slm.Sizes { return choose(a, b, mask(r)) })
	}
	for _, s := range []said{
		{"none", by(func(*rand.Rand) int { return 0 }), Open, "not answered"},
		{"right", by(func(r *rand.Rand) int { return r.IntN(16) }), Solved, "different children"},
		{"second", by(func(*rand.Rand) int { return 15 }), Wrong, "second parent"},
		{"fixed", by(func(*rand.Rand) int { return 5 }), Wrong, "same child"},
		{"whole", by(func(r *rand.Rand) int { return 15 * r.IntN(2) }), Wrong, "as a whole"},
		{"other numbers", by(func(*rand.Rand) int { return elsewhere.IntN(16) }), Wrong, "Draw from r"},
		{"some fixed", by(func(r *rand.Rand) int { return r.IntN(8) }), Wrong, "only 8"},
		{"mean", Crossover(small, func(a, b slm.Sizes, _ *rand.Rand) slm.Sizes { a.Depth = (a.Depth + b.Depth) / 2; return a }), Wrong, "the mean"},
		{"neither", Crossover(small, func(a, _ slm.Sizes, _ *rand.Rand) slm.Sizes { a.FFN = 1; return a }), Wrong, "neither parent"},
		{"panic", Crossover(small, func(slm.Sizes, slm.Sizes, *rand.Rand) slm.Sizes { panic("oh") }), Wrong, "panicked"},
	} {
		s.run(t)
	}
}

func TestEvaluations(t *testing.T) {
	search := slm.Search{Population: 10, Generations: 3, Offspring: 7, Elites: 4}
	for _, s := range []said{
		{"none", Evaluations(search, 0), Open, "not answered"},
		{"right", Evaluations(search, 31), Solved, "31 evaluations"},
		{"without initial", Evaluations(search, 21), Wrong, "lacks the initial"},
		{"one generation", Evaluations(search, 17), Wrong, "one generation"},
		{"populations", Evaluations(search, 40), Wrong, "not evaluated again"},
		{"product", Evaluations(search, 30), Wrong, "comes before"},
		{"generation lacks", Evaluations(search, 24), Wrong, "lacks one generation"},
		{"elites once", Evaluations(search, 35), Wrong, "evaluated already"},
		{"elites each time", Evaluations(search, 43), Wrong, "evaluated already"},
		{"parents", Evaluations(search, 22), Wrong, "the parents"},
		{"initial", Evaluations(search, 10), Wrong, "initial population only"},
		{"too many", Evaluations(search, 99), Wrong, "too many"},
	} {
		s.run(t)
	}
}

func TestAllAhead(t *testing.T) {
	for _, s := range []said{
		{"none", AllAhead(4, 0), Open, "not answered"},
		{"right", AllAhead(4, 1.0/16), Solved, "once in 16"},
		{"one", AllAhead(4, 0.5), Wrong, "one seed"},
		{"a share", AllAhead(4, 0.25), Wrong, "one divided by"},
		{"either", AllAhead(4, 0.125), Wrong, "halves"},
		{"either of six", AllAhead(6, 1.0/32), Wrong, "whichever"},
		{"not all", AllAhead(4, 15.0/16), Wrong, "not with each"},
		{"per cent", AllAhead(4, 6.25), Wrong, "per cent"},
		{"times", AllAhead(4, 16), Wrong, "in how many"},
		{"too much", AllAhead(4, 0.9), Wrong, "too much"},
	} {
		s.run(t)
	}
}
