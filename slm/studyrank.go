package slm

import (
	"cmp"
	"math"
	"slices"
)

// Foresight says how well an early loss foretells a later one: the loss before training that after it, or a loss on little
// text that on more.
type Foresight struct {
	Candidates int     `json:"candidates"`
	Rank       float64 `json:"rank"`   // [RankCorrelation] of the two losses
	Low        float64 `json:"low"`    // of an interval that holds the true correlation 19 times in 20
	High       float64 `json:"high"`   //
	Regret     float64 `json:"regret"` // how far the later loss of the early best is above the later best, in nats per token
	Place      int     `json:"place"`  // of the early best among the later losses, from 1
}

// Foretold compares paired losses; candidates without a finite one are left out. It needs at least four, and losses that
// differ.
func Foretold(early, later []float64) (Foresight, bool) {
	var a, b []float64
	for i := range early {
		if finite(early[i]) && finite(later[i]) {
			a, b = append(a, early[i]), append(b, later[i])
		}
	}
	f := Foresight{Candidates: len(a), Rank: RankCorrelation(a, b)}
	if len(a) < 4 || !finite(f.Rank) {
		return f, false
	}
	f.Low, f.High = correlationInterval(f.Rank, len(a))
	pick := slices.Index(a, slices.Min(a))
	f.Regret = b[pick] - slices.Min(b)
	f.Place = place(b[pick], b)
	return f, true
}

// place is that of a loss among all, from 1.
func place(loss float64, all []float64) int {
	p := 1
	for _, other := range all {
		if other < loss {
			p++
		}
	}
	return p
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// correlationInterval is Fisher's, with the variance that Spearman's correlation has (Bonett and Wright 2000).
func correlationInterval(r float64, n int) (low, high float64) {
	r = max(-1+1e-9, min(r, 1-1e-9))
	z, width := math.Atanh(r), 1.96*math.Sqrt((1+r*r/2)/float64(n-3))
	return math.Tanh(z - width), math.Tanh(z + width)
}

// Foresight compares the losses before and after the steps of a warm search.
func (p Population) Foresight() (Foresight, bool) {
	if p.Search.Warm.IsZero() {
		return Foresight{}, false
	}
	var before, after []float64
	for _, c := range p.Candidates {
		if !c.Failed() {
			before, after = append(before, c.Untrained), append(after, c.Loss)
		}
	}
	return Foretold(before, after)
}

// Rung is what judging on less text costs, measured on candidates that were all judged on both.
type Rung struct {
	Tokens int `json:"tokens"`
	Foresight
}

// Ladder compares the same candidates judged on ever more text: each of the searches draws at random and has the seed of
// the others, but more tokens. It says how well each foretells the last, and what [Halving] over them would have chosen.
type Ladder struct {
	Rungs []Rung `json:"rungs"` // without the last

	Tokens     int     `json:"tokens"` // of the last
	Candidates int     `json:"candidates"`
	Keep       float64 `json:"keep"`
	Place      int     `json:"place"`  // of halving's choice by the last loss, from 1
	Regret     float64 `json:"regret"` // of halving's choice above the best, on the last rung, in nats per token
	Work       float64 `json:"work"`   // tokens that halving judges, as a part of judging all candidates on the last rung
}

// LadderOf compares searches in the order of their tokens; false where they are fewer than two, or did not judge the same
// candidates.
func LadderOf(searches []Population, keep float64) (Ladder, bool) {
	searches = slices.Clone(searches)
	slices.SortFunc(searches, func(a, b Population) int { return cmp.Compare(a.Search.Tokens, b.Search.Tokens) })
	if len(searches) < 2 || !sameCandidates(searches) {
		return Ladder{}, false
	}
	losses := make([][]float64, len(searches))
	for i, p := range searches {
		for _, c := range p.Candidates {
			losses[i] = append(losses[i], rank(c.Loss))
		}
	}
	last := losses[len(losses)-1]
	l := Ladder{Tokens: searches[len(searches)-1].Search.Tokens, Candidates: len(last), Keep: keep}
	for i, p := range searches[:len(searches)-1] {
		f, ok := Foretold(losses[i], last)
		if !ok {
			return l, false
		}
		l.Rungs = append(l.Rungs, Rung{p.Search.Tokens, f})
	}
	l.halve(searches, losses)
	return l, true
}

func sameCandidates(searches []Population) bool {
	for _, p := range searches[1:] {
		if len(p.Candidates) != len(searches[0].Candidates) {
			return false
		}
		for i, c := range p.Candidates {
			if c.Subnet.Key() != searches[0].Candidates[i].Subnet.Key() {
				return false
			}
		}
	}
	return true
}

// halve plays successive halving over losses that are all known.
func (l *Ladder) halve(searches []Population, losses [][]float64) {
	standing := make([]int, l.Candidates)
	for i := range standing {
		standing[i] = i
	}
	judged, halving := 0, Halving{Rungs: len(losses), Keep: l.Keep}
	for rung, p := range searches {
		standing = standing[:halving.survivors(l.Candidates, rung)]
		judged += len(standing) * p.Search.Tokens
		slices.SortStableFunc(standing, func(a, b int) int { return cmp.Compare(losses[rung][a], losses[rung][b]) })
	}
	last := losses[len(losses)-1]
	l.Regret = last[standing[0]] - slices.Min(last)
	l.Place = place(last[standing[0]], last)
	l.Work = float64(judged) / float64(l.Candidates*l.Tokens)
}
