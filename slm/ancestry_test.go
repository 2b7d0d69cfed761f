package slm

import (
	"reflect"
	"testing"
)

// family is 0 and 1 drawn at random, 2 crossed from both, 3 a mutation of 1, 4 crossed from 2 and 3, and 5 a mutation of 0 that
// nothing descends from. Candidate 6 names a parent that is not held, and one that descends from itself.
func family() Population {
	bred := func(id int, loss float64, parents ...int) Candidate {
		return Candidate{ID: id, Loss: loss, Parents: parents, Origin: []string{"random", "mutation", "crossover"}[len(parents)]}
	}
	return Population{Candidates: []Candidate{bred(0, 5), bred(1, 4), bred(2, 3.5, 0, 1), bred(3, 3.8, 1), bred(4, 3, 2, 3), bred(5, 6, 0),
		bred(6, 2, 99, 6)}}
}

func TestAncestors(t *testing.T) {
	ids := func(candidates []Candidate) (out []int) {
		for _, c := range candidates {
			out = append(out, c.ID)
		}
		return out
	}
	for _, test := range []struct {
		id                 int
		ancestors, lineage []int
	}{
		{0, []int{0}, []int{0}},
		{3, []int{3, 1}, []int{1, 3}},
		{4, []int{4, 2, 3, 0, 1}, []int{1, 2, 4}},
		{6, []int{6}, []int{6}},
		{7, nil, nil},
	} {
		p := family()
		if got := ids(p.Ancestors(test.id)); !reflect.DeepEqual(got, test.ancestors) {
			t.Errorf("ancestors of %d: %v, want %v", test.id, got, test.ancestors)
		}
		if got := ids(p.Lineage(test.id)); !reflect.DeepEqual(got, test.lineage) {
			t.Errorf("lineage of %d: %v, want %v", test.id, got, test.lineage)
		}
	}
}
