package slm

import (
	"cmp"
	"slices"
)

// ByGeneration are the candidates of each generation that has any, the initial population first.
func (p Population) ByGeneration() (generations [][]Candidate) {
	sorted := slices.SortedStableFunc(slices.Values(p.Candidates), func(a, b Candidate) int { return cmp.Compare(a.Generation, b.Generation) })
	for first := 0; first < len(sorted); {
		end := first
		for end < len(sorted) && sorted[end].Generation == sorted[first].Generation {
			end++
		}
		generations = append(generations, sorted[first:end:end])
		first = end
	}
	return generations
}

// GenerationBests are the best candidates of each generation.
func (p Population) GenerationBests() (best []Candidate) {
	for _, g := range p.ByGeneration() {
		best = append(best, Elites(g, 1)...)
	}
	return best
}
