package slm

import (
	"fmt"
	"slices"
)

// Order is another order of a teacher's units: position p of the reordered teacher holds what was at Embd[p], and likewise
// in each layer. The reordered teacher computes the same function. With the important units first, the first n of a coarse
// space are the n that matter most.
//
// Layers keep their order, since another one would be another function; their list says which are kept first where a space
// keeps n of them by a rule. The dimensions of a head keep their order, too: their place says how fast they turn.
type Order struct {
	Layers      []int   `json:"layers,omitempty"` // the important ones first; none where they were not measured
	Embd        []int   `json:"embd"`
	QueryGroups [][]int `json:"query_groups"` // [layers][query groups]
	Heads       [][]int `json:"heads"`        // [layers][heads]: those of the first query group first
	FFN         [][]int `json:"ffn"`          // [layers][neurons]
}

// Order puts the important units first: query groups, the heads within each, neurons and embedding dimensions. What was not
// measured stays where it is.
func (i Importance) Order(teacher Config) (Order, error) {
	if err := i.Validate(teacher); err != nil {
		return Order{}, err
	}
	o := Order{Embd: ranked(i.Embd, teacher.Embd)}
	if i.Layers != nil {
		o.Layers = ranked(i.Layers, teacher.Layers)
	}
	each := teacher.HeadsPerGroup()
	for l := range teacher.Layers {
		groupScores, headScores := layerScores(i.QueryGroups, l), layerScores(i.Heads, l)
		if groupScores == nil && headScores != nil && each == 1 {
			groupScores = headScores // they are the same thing
		}
		groups := ranked(groupScores, teacher.QueryGroups)
		var heads []int
		for _, g := range groups {
			var own []float64
			if headScores != nil {
				own = headScores[g*each : (g+1)*each]
			}
			for _, h := range ranked(own, each) {
				heads = append(heads, g*each+h)
			}
		}
		o.QueryGroups, o.Heads = append(o.QueryGroups, groups), append(o.Heads, heads)
		o.FFN = append(o.FFN, ranked(layerScores(i.FFN, l), teacher.FFN))
	}
	return o, nil
}

// Validate reports a list that is not a reordering of the teacher's units, or heads that left their query group.
func (o Order) Validate(teacher Config) error {
	if err := checkPermutation("embd", o.Embd, teacher.Embd); err != nil {
		return err
	}
	if o.Layers != nil {
		if err := checkPermutation("layers", o.Layers, teacher.Layers); err != nil {
			return err
		}
	}
	if len(o.QueryGroups) != teacher.Layers || len(o.Heads) != teacher.Layers || len(o.FFN) != teacher.Layers {
		return fmt.Errorf("order: %d, %d and %d layers of query groups, heads and neurons; the teacher has %d",
			len(o.QueryGroups), len(o.Heads), len(o.FFN), teacher.Layers)
	}
	each := teacher.HeadsPerGroup()
	for l := range teacher.Layers {
		for _, f := range []struct {
			name  string
			order []int
			size  int
		}{{"query_groups", o.QueryGroups[l], teacher.QueryGroups}, {"heads", o.Heads[l], teacher.Heads}, {"ffn", o.FFN[l], teacher.FFN}} {
			if err := checkPermutation(fmt.Sprintf("%s[%d]", f.name, l), f.order, f.size); err != nil {
				return err
			}
		}
		for p, h := range o.Heads[l] {
			if h/each != o.QueryGroups[l][p/each] {
				return fmt.Errorf("order: heads[%d] puts head %d of query group %d among those of group %d", l, h, h/each, o.QueryGroups[l][p/each])
			}
		}
	}
	return nil
}

func checkPermutation(name string, order []int, size int) error {
	seen := make([]bool, size)
	for _, i := range order {
		if i < 0 || i >= size || seen[i] {
			return fmt.Errorf("order: %s names %d, which is outside 0-%d or named twice", name, i, size-1)
		}
		seen[i] = true
	}
	if len(order) != size {
		return fmt.Errorf("order: %s names %d of %d units", name, len(order), size)
	}
	return nil
}

// Inverse leads back: o.Inverse().Subnet(teacher, o.Subnet(teacher, s)) is s.
func (o Order) Inverse() Order {
	all := func(orders [][]int) [][]int {
		out := make([][]int, len(orders))
		for l, order := range orders {
			out[l] = inverse(order)
		}
		return out
	}
	return Order{o.Layers, inverse(o.Embd), all(o.QueryGroups), all(o.Heads), all(o.FFN)}
}

func inverse(order []int) []int {
	out := make([]int, len(order))
	for p, i := range order {
		out[i] = p
	}
	return out
}

// Subnet is a sub-network of the reordered teacher as one of the teacher itself: the same layers, units and function. So a
// search in a coarse space over the reordered teacher needs no second copy of its weights.
func (o Order) Subnet(teacher Config, reordered Subnet) Subnet {
	out := Subnet{Embd: renamed(reordered.Embd, o.Embd), Layers: slices.Clone(reordered.Layers), Rotary: reordered.Rotary}
	for i, l := range reordered.Layers {
		out.Layers[i].QueryGroups = renamed(l.QueryGroups, o.QueryGroups[l.Layer])
		out.Layers[i].Heads = renamed(l.Heads, o.Heads[l.Layer])
		out.Layers[i].FFN = renamed(l.FFN, o.FFN[l.Layer])
	}
	return out.Normalize(teacher)
}

// renamed maps the positions of a set to what is there.
func renamed(set Indices, order []int) Indices {
	if set.IsZero() {
		return set
	}
	there := make([]int, 0, set.count)
	for _, p := range set.Slice(len(order)) {
		there = append(there, order[p])
	}
	return IndicesOf(there...)
}
