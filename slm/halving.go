package slm

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Halving judges a generation on little text first, and only the better part of it on more (successive halving: Jamieson and
// Talwalkar 2016, arXiv 1502.07943). The zero value judges every candidate on all of the text.
//
// On the last rung a candidate is judged on all of the search's held-out tokens, and on each rung before on Keep times as
// many; in a warm search it is also trained for Keep times as many steps. Of each rung, Keep of the candidates reach the
// next. Each rung takes about the same work, Rungs·Keep^(Rungs-1) of judging all on everything in all: with half kept, two
// rungs save nothing, three a quarter and four a half. [RankCorrelation] of the losses says what that costs: `lab bench
// search` measures it.
type Halving struct {
	Rungs int     `json:"rungs"`
	Keep  float64 `json:"keep"` // between 0 and 1
}

// IsZero reports that every candidate is judged once.
func (h Halving) IsZero() bool { return h.Rungs == 0 }

// WithDefaults fills the zero field of a halving that has rungs: half of the candidates are kept.
func (h Halving) WithDefaults() Halving {
	if !h.IsZero() {
		h.Keep = cmp.Or(h.Keep, 0.5)
	}
	return h
}

func (h Halving) validate() error {
	if !h.IsZero() && (h.Rungs < 2 || h.Rungs > 16 || !(h.Keep > 0 && h.Keep < 1)) {
		return fmt.Errorf("search: halving with %d rungs that keep %g: want 2 to 16 rungs, and to keep a part between 0 and 1", h.Rungs, h.Keep)
	}
	return nil
}

// rungs is how often the best candidates are judged.
func (h Halving) rungs() int { return max(1, h.Rungs) }

// survivors is how many of n candidates are judged on a rung, which counts from 0: at least one, where there is any.
func (h Halving) survivors(n, rung int) int {
	if rung == 0 {
		return n
	}
	return min(n, max(1, int(math.Ceil(float64(n)*math.Pow(h.Keep, float64(rung))-1e-9))))
}

// part is how much of the text, and of a warm search's steps, a rung takes.
func (h Halving) part(rung int) float64 {
	if h.IsZero() {
		return 1
	}
	return math.Pow(h.Keep, float64(h.Rungs-1-rung))
}

// Rung is how a candidate is judged next: on how many of the held-out tokens, a multiple of window, and after which training.
// Its earlier losses say how often it was judged before.
func (s Search) Rung(c Candidate, window int) (tokens int, warm Warm) {
	if s.Halving.IsZero() {
		return s.Tokens, s.Warm
	}
	part, windows := s.Halving.part(len(c.Rungs)), (s.Tokens-1)/window+1
	tokens, warm = max(1, int(math.Round(float64(windows)*part)))*window, s.Warm
	if !warm.IsZero() {
		warm.Steps = max(1, int(math.Round(float64(warm.Steps)*part)))
		warm.Schedule.Horizon = max(1, int(math.Round(float64(warm.Schedule.Horizon)*part)))
		warm.Schedule.Warmup = max(1, int(math.Round(float64(warm.Schedule.Warmup)*part)))
	}
	return tokens, warm
}

// Judge records a loss in a candidate: of a search with halving, the next rung's. One that is not finite is a failure.
func (s Search) Judge(c Candidate, loss float64) Candidate {
	if !finite(loss) {
		return s.Fail(c, fmt.Sprintf("its loss is %g", loss))
	}
	c.Failure = ""
	return s.record(c, loss)
}

// Fail records that judging a candidate gave no loss, and why.
func (s Search) Fail(c Candidate, why string) Candidate {
	c.Failure = why
	return s.record(c, math.Inf(1))
}

func (s Search) record(c Candidate, loss float64) Candidate {
	c.Loss = loss
	if !s.Halving.IsZero() {
		c.Rungs = append(slices.Clone(c.Rungs), loss)
	}
	return c
}

// promoted are those of a generation, all judged at least once, that are to be judged on the next rung. One that failed is
// among them only where too few others are left, so that every search judges equally often.
func (s Search) promoted(within []Candidate) []Candidate {
	standing := within
	for rung := 1; rung < s.Halving.rungs(); rung++ {
		judged := func(c Candidate) float64 { return rank(c.Rungs[rung-1]) }
		standing = slices.Clone(standing)
		slices.SortStableFunc(standing, func(a, b Candidate) int {
			return cmp.Or(cmp.Compare(judged(a), judged(b)), cmp.Compare(a.ID, b.ID))
		})
		standing = standing[:s.Halving.survivors(len(within), rung)]
		var pending []Candidate
		for _, c := range standing {
			if len(c.Rungs) == rung {
				pending = append(pending, c)
			}
		}
		if len(pending) > 0 {
			return pending
		}
	}
	return nil
}

// Evaluations is how often the whole search judges a candidate.
func (s Search) Evaluations() int {
	generation := func(n int) (sum int) {
		for rung := range s.Halving.rungs() {
			sum += s.Halving.survivors(n, rung)
		}
		return sum
	}
	return generation(s.Population) + s.bred()*generation(s.Offspring)
}

// Effort is how much time the whole search's judging takes, in units of one judgement on all of the text.
func (s Search) Effort() float64 {
	generation := func(n int) (sum float64) {
		for rung := range s.Halving.rungs() {
			sum += float64(s.Halving.survivors(n, rung)) * s.Halving.part(rung)
		}
		return sum
	}
	return generation(s.Population) + float64(s.bred())*generation(s.Offspring)
}

// Effort is what the judging so far took, in the unit of [Search.Effort].
func (p Population) Effort() (sum float64) {
	for _, c := range p.Candidates {
		for rung := range max(1, len(c.Rungs)) {
			sum += p.Search.Halving.part(rung)
		}
	}
	return sum
}

// Evaluations is how often a candidate of the population was judged so far.
func (p Population) Evaluations() (n int) {
	for _, c := range p.Candidates {
		n += max(1, len(c.Rungs))
	}
	return n
}

// Replace puts an evaluated candidate in the place of the one with its ID, or at the end.
func (p *Population) Replace(c Candidate) {
	i := slices.IndexFunc(p.Candidates, func(old Candidate) bool { return old.ID == c.ID })
	if i < 0 {
		p.Candidates = append(p.Candidates, c)
		return
	}
	p.Candidates[i] = c
}
