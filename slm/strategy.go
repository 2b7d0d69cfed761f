package slm

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Strategy says how a search proposes the candidates of a generation from those before it. Where many mutations and crossovers lead
// to nothing new, the rest of the generation is drawn at random.
type Strategy string

// The strategies. The first generation of each is drawn at random from the space, inside the bin.
const (
	Evolution    Strategy = "evolution"  // elites breed by mutation and crossover (arXiv 2510.07227, algorithm 1)
	RandomSearch Strategy = "random"     // every generation is drawn as the first
	Stratified   Strategy = "stratified" // drawn at random, as many from each of equal parts of the bin
	LocalSearch  Strategy = "local"      // mutations of the best candidate so far
	NSGA2        Strategy = "nsga2"      // evolution for several objectives (Deb et al. 2002)
	strataOfABin          = 8            // of a stratified search
)

// Strategies lists them all.
var Strategies = []Strategy{Evolution, RandomSearch, Stratified, LocalSearch, NSGA2}

// validateStrategy reports an unknown strategy or objective, and objectives that a strategy cannot follow.
func (s Search) validateStrategy() error {
	if s.Strategy != "" && !slices.Contains(Strategies, s.Strategy) {
		return fmt.Errorf("search: strategy %q is unknown; known: %v", s.Strategy, Strategies)
	}
	for _, o := range s.Objectives {
		if err := o.Validate(); err != nil {
			return fmt.Errorf("search: %w", err)
		}
	}
	if s.Strategy == NSGA2 && len(s.Objectives) < 2 {
		return fmt.Errorf("search: strategy %s weighs several objectives, such as %s and %s; it has %v", NSGA2, MinimizeLoss, MinimizeFLOPs, s.Objectives)
	}
	if s.Told && (!s.Warm.IsZero() || !s.Halving.IsZero() || !s.Data.IsZero()) {
		return errors.New("search: warm, halving and data are the host's ways to judge; a cell that judges does as it likes")
	}
	if s.Strategy != NSGA2 && len(s.Objectives) > 1 {
		return fmt.Errorf("search: only strategy %s weighs several objectives", NSGA2)
	}
	return nil
}

// objectives are those of the search, the loss without any.
func (s Search) objectives() []Objective {
	if len(s.Objectives) == 0 {
		return []Objective{MinimizeLoss}
	}
	return s.Objectives
}

// Elites are the candidates from which the next generation is bred, best first: the n with the lowest objective, or for
// several objectives those of the first fronts, the least crowded of the last.
func (s Search) elites(before []Candidate) []Candidate {
	n, before := s.Elites, sound(before)
	switch s.Strategy {
	case LocalSearch:
		n = 1
	case NSGA2:
		return selected(furthest(before), s.objectives(), max(n, s.Population/2))
	}
	return lowest(before, s.objectives()[0], n)
}

// lowest are the n candidates with the lowest value, best first: with halving, of those that came furthest. Failures are
// among them only where all failed.
func lowest(candidates []Candidate, o Objective, n int) []Candidate {
	sorted := slices.Clone(sound(candidates))
	slices.SortStableFunc(sorted, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(len(b.Rungs), len(a.Rungs)), cmp.Compare(o.Of(a), o.Of(b)), cmp.Compare(a.ID, b.ID))
	})
	return sorted[:min(n, len(sorted))]
}

// furthest are the candidates that were judged most often.
func furthest(candidates []Candidate) []Candidate {
	most := 0
	for _, c := range candidates {
		most = max(most, len(c.Rungs))
	}
	return slices.DeleteFunc(slices.Clone(candidates), func(c Candidate) bool { return len(c.Rungs) < most })
}

// selected are the survivors of NSGA-II (Deb et al. 2002, section III.C).
func selected(candidates []Candidate, objectives []Objective, n int) []Candidate {
	var out []Candidate
	for _, front := range Fronts(candidates, objectives) {
		if len(out)+len(front) > n {
			far := crowding(front, objectives)
			by := ranked(far, len(front))
			for _, i := range by[:n-len(out)] {
				out = append(out, front[i])
			}
			break
		}
		out = append(out, front...)
	}
	return out
}

// propose draws the next candidate of a generation; i counts from 0 within it.
func (p *proposer) propose(generation, i int) (Candidate, error) {
	switch {
	case p.search.Strategy == Stratified:
		return p.stratum(i % strataOfABin)
	case generation == 0, p.search.Strategy == RandomSearch:
		return p.random()
	}
	if !p.barren {
		bred := p.breed
		if p.search.Strategy == LocalSearch {
			bred = p.mutation
		}
		c, err := bred()
		if !errors.Is(err, errExhausted) {
			return c, err
		}
		p.barren = true
	}
	return p.random()
}

// stratum draws from one of the equal parts of the bin. A part that the space does not reach is replaced by the whole bin.
func (p *proposer) stratum(k int) (Candidate, error) {
	if p.strata == nil {
		for _, part := range p.search.Bin.Split(strataOfABin) {
			p.strata = append(p.strata, newSampler(p.space, p.teacher, part))
		}
	}
	if p.strata[k].empty() {
		return p.random()
	}
	c, err := p.untilInside(func() (genome, string, []int, bool) {
		g, ok := p.strata[k].draw(p.rand)
		return g, "random", nil, ok
	})
	if err != nil {
		return p.random()
	}
	return c, nil
}

// Split cuts a bin into so many parts of equal width.
func (b Bin) Split(parts int) []Bin {
	out := make([]Bin, parts)
	for i := range out {
		width := b.Upper - b.Lower + 1
		out[i] = Bin{b.Lower + width*int64(i)/int64(parts), b.Lower + width*int64(i+1)/int64(parts) - 1}
	}
	return out
}

// SplitLog cuts a bin into so many parts of equal ratio: from 400M to 3.2B in three parts, each twice the one before.
func (b Bin) SplitLog(parts int) []Bin {
	out := make([]Bin, parts)
	at := func(i int) int64 {
		return int64(math.Round(float64(b.Lower) * math.Pow(float64(b.Upper+1)/float64(b.Lower), float64(i)/float64(parts))))
	}
	for i := range out {
		out[i] = Bin{at(i), at(i+1) - 1}
	}
	return out
}
