package slm

import (
	"cmp"
	"fmt"
	"slices"
)

// A candidate fails where judging it gives no finite loss: a sub-network may overflow, its training may diverge, and a cell
// may have its own reasons. It counts as evaluated, with an infinite loss, ranks behind all that have a loss, and none is
// bred from it.

// Failed reports that judging the candidate gave no loss.
func (c Candidate) Failed() bool { return c.Failure != "" || !finite(c.Loss) }

// why is the reason of a failure.
func (c Candidate) why() string { return cmp.Or(c.Failure, fmt.Sprintf("its loss is %g", c.Loss)) }

// Failures are the candidates that failed.
func (p Population) Failures() []Candidate {
	return slices.DeleteFunc(slices.Clone(p.Candidates), func(c Candidate) bool { return !c.Failed() })
}

// sound are the candidates with a loss; all where none has one.
func sound(candidates []Candidate) []Candidate {
	if !slices.ContainsFunc(candidates, func(c Candidate) bool { return !c.Failed() }) {
		return candidates
	}
	return slices.DeleteFunc(slices.Clone(candidates), Candidate.Failed)
}

// AllFailed is the error of a search that cannot go on, since all of its candidates, a whole initial population at least,
// failed.
func (s Search) AllFailed(done []Candidate) error {
	if len(done) < s.Population || slices.ContainsFunc(done, func(c Candidate) bool { return !c.Failed() }) {
		return nil
	}
	advice := "try a bin of larger sub-networks or another space"
	switch {
	case s.Told:
		advice = "mend what judges them"
	case !s.Warm.IsZero():
		advice += ", and a lower learning rate or fewer steps of training"
	}
	return fmt.Errorf("search: all of the %d candidates failed (candidate %d: %s), so that none can be bred from: %s, in a new search",
		len(done), done[0].ID, done[0].why(), advice)
}
