package slm

import (
	"fmt"
	"math/rand/v2"
)

// unreachable is the error of a bin that a space cannot hit, with the nearest counts that it can: nil if it hits the bin.
func (s Space) unreachable(teacher Config, bin Bin) error {
	least, most := s.Reach(teacher)
	what := fmt.Sprintf("no sub-network of %s in the %s space has %s parameters", teacher.Name, s.Name(), bin)
	if bin.Upper < least || bin.Lower > most {
		return fmt.Errorf("%s: they have %s to %s", what, Count(least), Count(most))
	}
	r := rand.New(rand.NewPCG(1, 1))
	if _, ok := s.find(teacher, bin, r); ok {
		return nil
	}
	below, above := s.nearest(teacher, bin, r)
	return fmt.Errorf("%s: the nearest that were found have %s; widen the bin, or give the space more choices", what, listed(below, above))
}

// listed writes up to two counts, of which 0 is none.
func listed(below, above int64) string {
	exact := func(n int64) string { return fmt.Sprintf("%d (%s)", n, Count(n)) }
	switch {
	case below == 0:
		return exact(above)
	case above == 0:
		return exact(below)
	}
	return exact(below) + " and " + exact(above)
}

// find draws one sub-network inside a bin, and gives its parameters.
func (s Space) find(teacher Config, bin Bin, r *rand.Rand) (parameters int64, ok bool) {
	g, ok := newSampler(s, teacher, bin).draw(r)
	if !ok {
		return 0, false
	}
	return s.parameters(teacher, g), true
}

// nearest looks for the nearest counts below and above a bin, 0 for none: in ranges beside it that double until they hold
// one, and then between that and the bin until nothing more is found.
func (s Space) nearest(teacher Config, bin Bin, r *rand.Rand) (below, above int64) {
	least, most := s.Reach(teacher)
	for width, low := max(1, bin.Lower/256), bin.Lower; below == 0 && low > least; width *= 2 {
		low = max(least, bin.Lower-width)
		below, _ = s.find(teacher, Bin{low, bin.Lower - 1}, r)
	}
	for more := below > 0; more && below < bin.Lower-1; {
		var n int64
		if n, more = s.find(teacher, Bin{below + 1, bin.Lower - 1}, r); more {
			below = n
		}
	}
	for width, high := max(1, bin.Upper/256), bin.Upper; above == 0 && high < most; width *= 2 {
		high = min(most, bin.Upper+width)
		above, _ = s.find(teacher, Bin{bin.Upper + 1, high}, r)
	}
	for more := above > 0; more && above > bin.Upper+1; {
		var n int64
		if n, more = s.find(teacher, Bin{bin.Upper + 1, above - 1}, r); more {
			above = n
		}
	}
	return below, above
}
