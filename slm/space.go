package slm

import (
	"fmt"
	"math/rand/v2"
)

// Granularity says which index sets a dimension may take.
type Granularity string

// Coarse keeps the first n of a dimension.
const Coarse Granularity = "coarse"

// Scope says whether all layers of a sub-network share one choice.
type Scope string

// The scopes of arXiv 2510.07227, section 3.1.
const (
	Uniform   Scope = "uniform"    // one choice for all layers
	LayerWise Scope = "layer-wise" // a choice for each layer
)

// Space is a search space: the sub-networks that a search may draw.
//
// A zero [Dim] takes its default from the teacher: see [Space.For]. Coarse keeps the first n of every dimension but
// depth: which n layers are kept is "evenly spaced" in a uniform space and any n in a layer-wise one, since dropping a
// teacher's last layers cuts off what feeds its output head.
type Space struct {
	Granularity   Granularity `json:"granularity"`
	Scope         Scope       `json:"scope"`
	Depth         Dim         `json:"depth,omitzero"` // number of kept layers
	Embd          Dim         `json:"embd,omitzero"`
	QueryGroups   Dim         `json:"query_groups,omitzero"`
	HeadsPerGroup Dim         `json:"heads_per_group,omitzero"`
	HeadSize      Dim         `json:"head_size,omitzero"`
	FFN           Dim         `json:"ffn,omitzero"`
}

// The search spaces with default dimensions.
var (
	CoarseUniform   = Space{Granularity: Coarse, Scope: Uniform}
	CoarseLayerWise = Space{Granularity: Coarse, Scope: LayerWise}
)

// Dim bounds one dimension of a space: Min, Min+Step, … up to Max. Min = Max freezes it.
type Dim struct {
	Min  int `json:"min"`
	Max  int `json:"max"`
	Step int `json:"step"`
}

// Frozen is a dimension with a single value.
func Frozen(n int) Dim { return Dim{n, n, 1} }

func (d Dim) choices() int            { return (d.Max-d.Min)/d.Step + 1 }
func (d Dim) sample(r *rand.Rand) int { return d.Min + d.Step*r.IntN(d.choices()) }
func (d Dim) contains(n int) bool     { return d.Min <= n && n <= d.Max && (n-d.Min)%d.Step == 0 }

// all yields every value, smallest first.
func (d Dim) all() func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for n := d.Min; n <= d.Max; n += d.Step {
			if !yield(n) {
				return
			}
		}
	}
}

// step moves n by up to two steps and stays inside d.
func (d Dim) step(n int, r *rand.Rand) int {
	n += d.Step * (1 + r.IntN(2)) * (1 - 2*r.IntN(2))
	return max(d.Min, min(n, d.Min+(d.choices()-1)*d.Step))
}

func (d Dim) validate(field string, most int) error {
	if d.Min < 1 || d.Max < d.Min || d.Max > most || d.Step < 1 {
		return fmt.Errorf("space: %s %d-%d step %d: want 1 <= min <= max <= %d (the teacher's) and step >= 1",
			field, d.Min, d.Max, d.Step, most)
	}
	return nil
}

// For fills the zero dimensions with their defaults for a teacher, and validates the rest. By default the head size is
// frozen, depth and heads may take every value (at least a sixth of the layers), and the embedding and FFN run from a
// quarter to the whole in sixteenths (an embedding of 576 in steps of 32).
func (s Space) For(teacher Config) (Space, error) {
	if s.Granularity != Coarse {
		return s, fmt.Errorf("space: granularity %q is not supported (supported: %s)", s.Granularity, Coarse)
	}
	if s.Scope != Uniform && s.Scope != LayerWise {
		return s, fmt.Errorf("space: scope is %q, want %q or %q", s.Scope, Uniform, LayerWise)
	}
	for _, f := range []struct {
		name   string
		dim    *Dim
		preset Dim
		most   int
	}{
		{"depth", &s.Depth, Dim{max(1, teacher.Layers/6), teacher.Layers, 1}, teacher.Layers},
		{"embd", &s.Embd, quarters(teacher.Embd, 32), teacher.Embd},
		{"query_groups", &s.QueryGroups, Dim{1, teacher.QueryGroups, 1}, teacher.QueryGroups},
		{"heads_per_group", &s.HeadsPerGroup, Dim{1, teacher.HeadsPerGroup(), 1}, teacher.HeadsPerGroup()},
		{"head_size", &s.HeadSize, Frozen(teacher.HeadSize), teacher.HeadSize},
		{"ffn", &s.FFN, quarters(teacher.FFN, 32), teacher.FFN},
	} {
		if *f.dim == (Dim{}) {
			*f.dim = f.preset
		}
		if err := f.dim.validate(f.name, f.most); err != nil {
			return s, err
		}
	}
	for size := s.HeadSize.Min; size <= s.HeadSize.Max; size += s.HeadSize.Step {
		if _, err := teacher.rotated(size); err != nil {
			return s, fmt.Errorf("space: head_size %d-%d step %d: %w", s.HeadSize.Min, s.HeadSize.Max, s.HeadSize.Step, err)
		}
	}
	return s, nil
}

// quarters runs from a quarter of size to size in about sixteenths, rounded to a multiple where size allows it.
func quarters(size, multiple int) Dim {
	if size%multiple != 0 {
		multiple = 1
	}
	step := max(multiple, size/16/multiple*multiple)
	low := size - (size-max(1, size/4))/step*step
	return Dim{low, size, step}
}

// genome is a point of a coarse space: a choice of sizes for every layer of the teacher, also for those not kept, so
// that a layer which returns by mutation or crossover brings its sizes.
type genome struct {
	embd  int
	kept  []bool
	sizes []layerSizes
}

type layerSizes struct{ groups, headsPerGroup, headSize, ffn int }

func (s Space) sampleSizes(r *rand.Rand) layerSizes {
	return layerSizes{s.QueryGroups.sample(r), s.HeadsPerGroup.sample(r), s.HeadSize.sample(r), s.FFN.sample(r)}
}

// sample draws every choice of the space independently and uniformly.
func (s Space) sample(teacher Config, r *rand.Rand) genome {
	g := genome{embd: s.Embd.sample(r), sizes: make([]layerSizes, teacher.Layers)}
	depth := s.Depth.sample(r)
	if s.Scope == Uniform {
		g.kept = evenlySpaced(depth, teacher.Layers)
		g.setAll(s.sampleSizes(r))
		return g
	}
	g.kept = make([]bool, teacher.Layers)
	for _, l := range r.Perm(teacher.Layers)[:depth] {
		g.kept[l] = true
	}
	for l := range g.sizes {
		g.sizes[l] = s.sampleSizes(r)
	}
	return g
}

func (g *genome) setAll(sizes layerSizes) {
	for l := range g.sizes {
		g.sizes[l] = sizes
	}
}

func (g genome) depth() int {
	n := 0
	for _, kept := range g.kept {
		if kept {
			n++
		}
	}
	return n
}

// evenlySpaced keeps n of the layers: the first, the last and those between at equal distances.
func evenlySpaced(n, layers int) []bool {
	kept := make([]bool, layers)
	for i := range n {
		at := 0
		if n > 1 {
			at = (i*(layers-1) + (n-1)/2) / (n - 1)
		}
		kept[at] = true
	}
	return kept
}

// subnet expresses the genome as index sets.
func (g genome) subnet(teacher Config) Subnet {
	s := Subnet{Embd: First(g.embd)}
	for l, kept := range g.kept {
		if !kept {
			continue
		}
		z := g.sizes[l]
		var heads Indices
		for group := range z.groups {
			first := group * teacher.HeadsPerGroup()
			heads.add(first, first+z.headsPerGroup-1)
		}
		s.Layers = append(s.Layers, LayerSubnet{Layer: l, QueryGroups: First(z.groups), Heads: heads,
			HeadSize: First(z.headSize), FFN: First(z.ffn)})
	}
	return s.Normalize(teacher)
}

// genome reads a sub-network of this space back; layers that are not kept get fresh sizes.
func (s Space) genome(teacher Config, subnet Subnet, r *rand.Rand) genome {
	g := genome{embd: subnet.Embd.Len(teacher.Embd), kept: make([]bool, teacher.Layers), sizes: make([]layerSizes, teacher.Layers)}
	for l := range g.sizes {
		g.sizes[l] = s.sampleSizes(r)
	}
	for _, l := range subnet.KeptLayers(teacher) {
		z := l.Shape(teacher)
		g.kept[l.Layer] = true
		g.sizes[l.Layer] = layerSizes{z.QueryGroups, z.Heads / z.QueryGroups, z.HeadSize, z.FFN}
		if s.Scope == Uniform {
			g.setAll(g.sizes[l.Layer])
		}
	}
	return g
}

// mutate changes one to three choices.
func (s Space) mutate(g genome, r *rand.Rand) genome {
	g = g.clone()
	for range 1 + r.IntN(3) {
		switch r.IntN(4) {
		case 0:
			g.embd = s.Embd.step(g.embd, r)
		case 1:
			s.mutateDepth(&g, r)
		default:
			s.mutateSizes(&g, r)
		}
	}
	return g
}

func (s Space) mutateDepth(g *genome, r *rand.Rand) {
	if s.Scope == Uniform {
		g.kept = evenlySpaced(s.Depth.step(g.depth(), r), len(g.kept))
		return
	}
	l := r.IntN(len(g.kept))
	g.kept[l] = !g.kept[l]
	if r.IntN(2) == 0 { // swap a layer for another: as often as adding or dropping one
		m := r.IntN(len(g.kept))
		g.kept[m] = !g.kept[m]
	}
}

func (s Space) mutateSizes(g *genome, r *rand.Rand) {
	l := r.IntN(len(g.sizes))
	z := g.sizes[l]
	switch r.IntN(4) {
	case 0:
		z.groups = s.QueryGroups.step(z.groups, r)
	case 1:
		z.headsPerGroup = s.HeadsPerGroup.step(z.headsPerGroup, r)
	case 2:
		z.headSize = s.HeadSize.step(z.headSize, r)
	case 3:
		z.ffn = s.FFN.step(z.ffn, r)
	}
	if s.Scope == Uniform {
		g.setAll(z)
	} else {
		g.sizes[l] = z
	}
}

// cross takes each choice from one parent or the other: layer by layer in a layer-wise space.
func (s Space) cross(a, b genome, r *rand.Rand) genome {
	child := a.clone()
	if r.IntN(2) == 0 {
		child.embd = b.embd
	}
	if s.Scope == LayerWise {
		for l := range child.sizes {
			if r.IntN(2) == 0 {
				child.kept[l], child.sizes[l] = b.kept[l], b.sizes[l]
			}
		}
		return child
	}
	if r.IntN(2) == 0 {
		copy(child.kept, b.kept)
	}
	z, other := a.sizes[0], b.sizes[0]
	for _, pair := range [][2]*int{{&z.groups, &other.groups}, {&z.headsPerGroup, &other.headsPerGroup},
		{&z.headSize, &other.headSize}, {&z.ffn, &other.ffn}} {
		if r.IntN(2) == 0 {
			*pair[0] = *pair[1]
		}
	}
	child.setAll(z)
	return child
}

func (g genome) clone() genome {
	return genome{g.embd, append([]bool(nil), g.kept...), append([]layerSizes(nil), g.sizes...)}
}

// contains reports whether a genome lies in the space; crossover and layer flips can leave its depth.
func (s Space) contains(g genome) bool { return s.Depth.contains(g.depth()) && s.Embd.contains(g.embd) }

// Reach is the smallest and the largest parameter count in the space.
func (s Space) Reach(teacher Config) (least, most int64) {
	corner := func(pick func(Dim) int) int64 {
		g := genome{embd: pick(s.Embd), kept: evenlySpaced(pick(s.Depth), teacher.Layers), sizes: make([]layerSizes, teacher.Layers)}
		g.setAll(layerSizes{pick(s.QueryGroups), pick(s.HeadsPerGroup), pick(s.HeadSize), pick(s.FFN)})
		sub := g.subnet(teacher)
		return sub.Parameters(teacher).Total()
	}
	return corner(func(d Dim) int { return d.Min }), corner(func(d Dim) int { return d.Min + (d.choices()-1)*d.Step })
}
