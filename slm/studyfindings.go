package slm

import (
	"cmp"
	"slices"
)

// Gain is by how much one variant's best loss is below another's in a bin and a space, seed by seed and at equally many
// evaluations, in nats per token. A negative gain is a loss.
type Gain struct {
	Bin         Bin       `json:"bin"`
	Space       string    `json:"space"`
	Variant     string    `json:"variant"`
	Baseline    string    `json:"baseline"`
	Evaluations int       `json:"evaluations"` // of the shorter search
	BySeed      []float64 `json:"by_seed"`
	Spread      Spread    `json:"spread"` // of BySeed
	Wins        int       `json:"wins"`   // seeds with a gain above 0
}

// Gains compares a variant with a baseline wherever both have searches with the same seed.
func (f Found) Gains(variant, baseline string) []Gain {
	var out []Gain
	for _, r := range f {
		if r.Variant != variant {
			continue
		}
		g := Gain{Bin: r.Bin, Space: r.Space, Variant: variant, Baseline: baseline}
		for _, other := range f.Cell(Cell{r.Bin, r.Space, baseline}).Searches {
			if own, ok := r.seeded(other.Search.Seed); ok {
				g.add(own.BestSoFar(), other.BestSoFar())
			}
		}
		if g.Spread = SpreadOf(g.BySeed); g.Spread.N > 0 {
			out = append(out, g)
		}
	}
	return out
}

func (g *Gain) add(own, other []float64) {
	n := min(len(own), len(other))
	if n == 0 || !finite(own[n-1]) || !finite(other[n-1]) {
		return
	}
	if g.Evaluations == 0 || n < g.Evaluations {
		g.Evaluations = n
	}
	gain := other[n-1] - own[n-1]
	g.BySeed = append(g.BySeed, gain)
	if gain > 0 {
		g.Wins++
	}
}

// seeded is the search with a seed.
func (r Repeated) seeded(seed uint64) (Population, bool) {
	i := slices.IndexFunc(r.Searches, func(p Population) bool { return p.Search.Seed == seed })
	if i < 0 {
		return Population{}, false
	}
	return r.Searches[i], true
}

// Standing is the place of a cell among those of its bin.
type Standing struct {
	Cell
	Best    Spread    `json:"best"`    // nats per token
	BySeed  []float64 `json:"by_seed"` // in the order of the seeds
	Winning int       `json:"winning"` // seeds in which no other space had a lower loss
}

// Ranking orders the spaces of a bin by the mean of a variant's best losses, the winner first.
func (f Found) Ranking(bin Bin, variant string) []Standing {
	var cells []Repeated
	for _, r := range f {
		if r.Bin == bin && r.Variant == variant {
			cells = append(cells, r)
		}
	}
	out := make([]Standing, len(cells))
	for i, r := range cells {
		out[i] = Standing{Cell: r.Cell, Best: SpreadOf(r.Best()), BySeed: r.Best()}
		for _, p := range r.Searches {
			beaten := slices.ContainsFunc(cells, func(other Repeated) bool {
				q, ok := other.seeded(p.Search.Seed)
				return ok && q.Best().Loss < p.Best().Loss
			})
			if !beaten {
				out[i].Winning++
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Standing) int { return cmp.Compare(a.Best.Mean, b.Best.Mean) })
	return out
}
