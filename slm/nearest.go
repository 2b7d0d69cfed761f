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

// nearest looks for the nearest counts below and above a bin, 0 for none.
func (s Space) nearest(teacher Config, bin Bin, r *rand.Rand) (below, above int64) {
	least, most := s.Reach(teacher)
	if d := closest(max(1, bin.Lower/256), bin.Lower-least, func(far int64) (int64, bool) {
		n, ok := s.find(teacher, Bin{bin.Lower - far, bin.Lower - 1}, r)
		return bin.Lower - n, ok
	}); d > 0 {
		below = bin.Lower - d
	}
	if d := closest(max(1, bin.Upper/256), most-bin.Upper, func(far int64) (int64, bool) {
		n, ok := s.find(teacher, Bin{bin.Upper + 1, bin.Upper + far}, r)
		return n - bin.Upper, ok
	}); d > 0 {
		above = bin.Upper + d
	}
	return below, above
}

// closest looks for the smallest distance at which find finds something, 0 for none: up to a distance that doubles until
// there is something, and then nearer until nothing more is found.
func closest(first, most int64, find func(far int64) (distance int64, ok bool)) (distance int64) {
	found := false
	for width, far := first, int64(0); !found && far < most; width *= 2 {
		far = min(most, width)
		distance, found = find(far)
	}
	if !found {
		return 0
	}
	for found && distance > 1 {
		var nearer int64
		if nearer, found = find(distance - 1); found {
			distance = nearer
		}
	}
	return distance
}
