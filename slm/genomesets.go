package slm

import (
	"math/rand/v2"
	"slices"
)

// genomeSets are the kept indices of a fine genome.
type genomeSets struct {
	embd   Indices
	layers []layerSets // of every layer of the teacher; empty for one that never was kept
}

type layerSets struct{ groups, heads, ffn Indices }

// newSets are empty sets, nil in a coarse space.
func (s Space) newSets(teacher Config) *genomeSets {
	if s.Granularity == Coarse {
		return nil
	}
	return &genomeSets{layers: make([]layerSets, teacher.Layers)}
}

func (s *genomeSets) clone() *genomeSets {
	if s == nil {
		return nil
	}
	return &genomeSets{s.embd, slices.Clone(s.layers)}
}

// setAll gives every layer the sets of one.
func (s *genomeSets) setAll(from int) {
	if s == nil {
		return
	}
	for l := range s.layers {
		s.layers[l] = s.layers[from]
	}
}

func (a layerSets) cross(b layerSets, r *rand.Rand) layerSets {
	if r.IntN(2) == 0 {
		a.groups, a.heads = b.groups, b.heads
	}
	if r.IntN(2) == 0 {
		a.ffn = b.ffn
	}
	return a
}

// settle makes the index sets of the kept layers as large as their sizes: it drops members or adds others, at random.
func (s Space) settle(teacher Config, g *genome, r *rand.Rand) {
	if g.sets == nil {
		return
	}
	g.sets.embd = resized(g.sets.embd, teacher.Embd, g.embd, r)
	for l, kept := range g.kept {
		if !kept {
			continue
		}
		g.sets.layers[l] = g.sets.layers[l].settle(teacher, g.sizes[l], s.neurons(teacher, g.embd, g.sizes[l].ffn), r)
		if s.Scope == Uniform {
			g.sets.setAll(l)
			return
		}
	}
}

func (a layerSets) settle(teacher Config, z layerSizes, neurons int, r *rand.Rand) layerSets {
	a.groups = resized(a.groups, teacher.QueryGroups, z.groups, r)
	each := teacher.HeadsPerGroup()
	var heads Indices
	for _, group := range a.groups.Slice(teacher.QueryGroups) {
		var own Indices // the heads of this group, counted from its first
		for i := range each {
			if !a.heads.IsZero() && a.heads.Contains(group*each+i) {
				own.add(i, i)
			}
		}
		for _, i := range resized(own, each, z.headsPerGroup, r).Slice(each) {
			heads.add(group*each+i, group*each+i)
		}
	}
	a.heads = heads
	a.ffn = resized(a.ffn, teacher.FFN, neurons, r)
	return a
}

// mutateSets exchanges up to an eighth of the members of one set for others.
func (s Space) mutateSets(teacher Config, g *genome, r *rand.Rand) {
	l := r.IntN(len(g.sizes))
	if s.Scope == Uniform {
		if l = slices.Index(g.kept, true); l < 0 {
			return // an earlier change dropped the only layer: it is not in the space
		}
	}
	set := &g.sets.layers[l]
	switch r.IntN(3) {
	case 0:
		g.sets.embd = exchanged(g.sets.embd, teacher.Embd, r)
	case 1:
		set.groups = exchanged(set.groups, teacher.QueryGroups, r)
		set.heads = exchanged(set.heads, teacher.Heads, r) // settle keeps those of kept groups
	case 2:
		set.ffn = exchanged(set.ffn, teacher.FFN, r)
	}
	if s.Scope == Uniform {
		g.sets.setAll(l)
	}
}

// exchanged drops some members and adds as many others.
func exchanged(set Indices, size int, r *rand.Rand) Indices {
	n := set.count
	if n == 0 || n == size {
		return set
	}
	some := 1 + r.IntN(max(1, min(n, size-n)/8))
	return resized(resized(set, size, n-some, r), size, n, r)
}

// resized drops random members of a set, or adds random others, until it has n. Unlike elsewhere a set without ranges is
// empty here. Every choice is equally likely (selection sampling: Knuth, The Art of Computer Programming, volume 2,
// section 3.4.2, algorithm S).
func resized(set Indices, size, n int, r *rand.Rand) Indices {
	if set.count == n {
		return set
	}
	grow := n > set.count
	left, want := set.count, n // members still to see, and to keep
	if grow {
		left, want = size-set.count, n-set.count // others still to see, and to add
	}
	var out Indices
	ranges := set.ranges
	for i := range size {
		if len(ranges) > 0 && int(ranges[0].last) < i {
			ranges = ranges[1:]
		}
		member := len(ranges) > 0 && int(ranges[0].first) <= i
		if member != grow { // one to decide on
			chosen := r.IntN(left) < want
			left--
			if chosen {
				want--
				out.add(i, i)
			}
		} else if member {
			out.add(i, i)
		}
	}
	return out.tight()
}

// explicit names the members of the zero value.
func (s Indices) explicit(size int) Indices {
	if s.IsZero() {
		return First(size)
	}
	return s
}
