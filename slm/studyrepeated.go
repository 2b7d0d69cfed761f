package slm

import "math"

// Repeated is one search with several seeds.
type Repeated struct {
	Cell
	Searches []Population
}

// Found are the cells of a study.
type Found []Repeated

// Cell finds a cell; one without searches where the study has none.
func (f Found) Cell(c Cell) Repeated {
	for _, r := range f {
		if r.Cell == c {
			return r
		}
	}
	return Repeated{Cell: c}
}

// Name is such as "30M coarse-uniform evolution".
func (r Repeated) Name() string { return r.Bin.Middle() + " " + r.Space + " " + r.Variant }

// Best are the lowest losses of the searches, in nats per token.
func (r Repeated) Best() []float64 {
	out := make([]float64, len(r.Searches))
	for i, p := range r.Searches {
		out[i] = p.Best().Loss
	}
	return out
}

// Progress is the lowest loss after each evaluation, over the searches: as long as the shortest of them.
func (r Repeated) Progress() []Spread {
	var out []Spread
	curves := make([][]float64, len(r.Searches))
	for i, p := range r.Searches {
		curves[i] = p.BestSoFar()
	}
	for n := 0; ; n++ {
		var values []float64
		for _, curve := range curves {
			if n < len(curve) {
				values = append(values, curve[n])
			}
		}
		if len(values) == 0 || len(values) < len(curves) {
			return out
		}
		out = append(out, SpreadOf(values))
	}
}

// BestSoFar is the lowest loss after each evaluation, in nats per token: a loss that is not a number counts as infinite.
// With [Halving] a candidate counts once, with its last loss, so that a loss on little text may stand between those on more.
func (p Population) BestSoFar() []float64 {
	out := make([]float64, len(p.Candidates))
	least := math.Inf(1)
	for i, c := range p.Candidates {
		least = min(least, rank(c.Loss))
		out[i] = least
	}
	return out
}

// Spread sums up repetitions.
type Spread struct {
	N    int     `json:"n"`
	Mean float64 `json:"mean"`
	Min  float64 `json:"min"`
	Max  float64 `json:"max"`
}

// SpreadOf sums up values; the zero Spread without any.
func SpreadOf(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	s := Spread{N: len(values), Min: math.Inf(1), Max: math.Inf(-1)}
	for _, v := range values {
		s.Mean += v / float64(len(values))
		s.Min, s.Max = min(s.Min, v), max(s.Max, v)
	}
	return s
}
