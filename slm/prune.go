package slm

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// Units are the units of one dimension from which a pruning keeps some.
type Units struct {
	Axis  Axis // LayerAxis, EmbdAxis, GroupAxis, HeadAxis or FFNAxis
	Layer int  // the teacher's layer; -1 for layers and embedding dimensions
	First int  // the first unit's index in the teacher: of the heads of a group, that group's first; else 0
	Count int  // how many there are
}

// Pruner chooses which of the units to keep: n of them, counted from the first, 0 to Count-1.
type Pruner func(u Units, n int) []int

// Prune is the sub-network with the given sizes that a pruner chooses: a structured-pruning baseline to compare the results
// of a search with. Every kept layer has the same sizes, but units of its own. Of a head's dimensions the first are kept.
// Sizes that the teacher does not have are an error that names the field and its bound.
func Prune(teacher Config, z Sizes, prune Pruner) (Subnet, error) {
	if err := z.validate(teacher); err != nil {
		return Subnet{}, err
	}
	keep := func(axis Axis, layer, first, count, n int) []int {
		kept := slices.Clone(prune(Units{axis, layer, first, count}, n))
		for i := range kept {
			kept[i] += first
		}
		return kept
	}
	s := Subnet{Embd: IndicesOf(keep(EmbdAxis, -1, 0, teacher.Embd, z.Embd)...)}
	layers := keep(LayerAxis, -1, 0, teacher.Layers, z.Depth)
	slices.Sort(layers)
	for _, l := range layers {
		groups := keep(GroupAxis, l, 0, teacher.QueryGroups, z.QueryGroups)
		var heads []int
		for _, g := range groups {
			heads = append(heads, keep(HeadAxis, l, g*teacher.HeadsPerGroup(), teacher.HeadsPerGroup(), z.HeadsPerGroup)...)
		}
		s.Layers = append(s.Layers, LayerSubnet{Layer: l, QueryGroups: IndicesOf(groups...), Heads: IndicesOf(heads...),
			HeadSize: First(z.HeadSize), FFN: IndicesOf(keep(FFNAxis, l, 0, teacher.FFN, z.FFN)...)})
	}
	s = s.Normalize(teacher)
	if shape := s.Layers[0].Shape(teacher); s.Embd.Len(teacher.Embd) != z.Embd || len(s.Layers) != z.Depth || shape.FFN != z.FFN ||
		shape.QueryGroups != z.QueryGroups || shape.Heads != z.QueryGroups*z.HeadsPerGroup {
		return Subnet{}, fmt.Errorf("prune: the pruner kept other numbers of units than it was asked for")
	}
	return s, s.Validate(teacher)
}

func (z Sizes) validate(teacher Config) error {
	for _, f := range []struct {
		name    string
		n, most int
	}{{"depth", z.Depth, teacher.Layers}, {"embd", z.Embd, teacher.Embd}, {"query_groups", z.QueryGroups, teacher.QueryGroups},
		{"heads_per_group", z.HeadsPerGroup, teacher.HeadsPerGroup()}, {"head_size", z.HeadSize, teacher.HeadSize},
		{"ffn", z.FFN, teacher.FFN}} {
		if f.n < 1 || f.n > f.most {
			return fmt.Errorf("prune: %s is %d, want 1 to the teacher's %d", f.name, f.n, f.most)
		}
	}
	return nil
}

// FirstN keeps the first of everything, layers included.
func FirstN(_ Units, n int) []int { return ranked(nil, n) }

// EvenlySpaced keeps the first unit, the last, and those between at equal distances.
func EvenlySpaced(u Units, n int) []int {
	var kept []int
	for i, k := range evenlySpaced(n, u.Count) {
		if k {
			kept = append(kept, i)
		}
	}
	return kept
}

// AtRandom keeps any, all equally likely; the same seed keeps the same.
func AtRandom(seed uint64) Pruner {
	r := rand.New(rand.NewPCG(seed, 0))
	return func(u Units, n int) []int { return r.Perm(u.Count)[:n] }
}

// ByImportance keeps those with the highest scores: magnitude pruning with norms of weights, activation-based pruning with
// activations (Muralidharan et al. 2024, arXiv 2407.14679). Of what was not measured it keeps the first, but of layers
// evenly spaced ones.
func ByImportance(i Importance) Pruner {
	return func(u Units, n int) []int {
		var scores []float64
		switch u.Axis {
		case LayerAxis:
			if scores = i.Layers; scores == nil {
				return EvenlySpaced(u, n)
			}
		case EmbdAxis:
			scores = i.Embd
		case GroupAxis:
			if scores = layerScores(i.QueryGroups, u.Layer); scores == nil && i.Heads != nil && len(i.Heads[u.Layer]) == u.Count {
				scores = i.Heads[u.Layer] // a group for each head
			}
		case HeadAxis:
			scores = layerScores(i.Heads, u.Layer)
		case FFNAxis:
			scores = layerScores(i.FFN, u.Layer)
		}
		if scores != nil {
			scores = scores[u.First : u.First+u.Count]
		}
		return ranked(scores, u.Count)[:n]
	}
}
