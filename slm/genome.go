package slm

import (
	"math/rand/v2"
	"slices"
)

// genome is a point of a space: a choice of sizes for every layer of the teacher, also for those not kept, so that a layer
// which returns by mutation or crossover brings its sizes. In a fine space it also says which indices they are; settle
// makes these follow the sizes.
type genome struct {
	embd  int
	kept  []bool
	sizes []layerSizes
	sets  *genomeSets // nil in a coarse space
}

type layerSizes struct{ groups, headsPerGroup, headSize, ffn int }

func (s Space) sampleSizes(r *rand.Rand) layerSizes {
	return layerSizes{s.QueryGroups.sample(r), s.HeadsPerGroup.sample(r), s.HeadSize.sample(r), s.FFN.sample(r)}
}

// sample draws every size of the space independently and uniformly.
func (s Space) sample(teacher Config, r *rand.Rand) genome {
	g := genome{embd: s.Embd.sample(r), sizes: make([]layerSizes, teacher.Layers), sets: s.newSets(teacher)}
	g.kept = s.sampleLayers(s.Depth.sample(r), teacher.Layers, r)
	if s.Scope == Uniform {
		g.setAll(s.sampleSizes(r))
		return g
	}
	for l := range g.sizes {
		g.sizes[l] = s.sampleSizes(r)
	}
	return g
}

// layersFollow reports whether the kept layers follow from their number.
func (s Space) layersFollow() bool {
	return s.LayerOrder != nil || s.Granularity == Coarse && s.Scope == Uniform
}

// sampleLayers draws which n layers are kept, unless that follows from n.
func (s Space) sampleLayers(n, layers int, r *rand.Rand) []bool {
	order := s.LayerOrder
	if order == nil && s.layersFollow() {
		return evenlySpaced(n, layers)
	}
	if order == nil {
		order = r.Perm(layers)
	}
	kept := make([]bool, layers)
	for _, l := range order[:n] {
		kept[l] = true
	}
	return kept
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
func (s Space) subnet(teacher Config, g genome) Subnet {
	sub := Subnet{Embd: First(g.embd), Rotary: s.Rotary}
	if g.sets != nil {
		sub.Embd = g.sets.embd
	}
	for l, kept := range g.kept {
		if !kept {
			continue
		}
		z := g.sizes[l]
		layer := LayerSubnet{Layer: l, HeadSize: First(z.headSize)}
		if s.Rotary == Kept {
			layer.HeadSize = teacher.RotaryPairs(z.headSize)
		}
		if g.sets != nil {
			set := g.sets.layers[l]
			layer.QueryGroups, layer.Heads, layer.FFN = set.groups, set.heads, set.ffn
		} else {
			layer.QueryGroups, layer.FFN = First(z.groups), First(s.neurons(teacher, g.embd, z.ffn))
			for group := range z.groups {
				first := group * teacher.HeadsPerGroup()
				layer.Heads.add(first, first+z.headsPerGroup-1)
			}
		}
		sub.Layers = append(sub.Layers, layer)
	}
	if s.Rotary == Kept && sub.wholeHeads(teacher) {
		sub.Rotary = Recomputed // the same, and equal sub-networks have equal text
	}
	return sub.Normalize(teacher)
}

// wholeHeads reports whether every kept layer's heads keep all their dimensions.
func (s Subnet) wholeHeads(teacher Config) bool {
	for shape := range s.shapes(teacher) {
		if shape.HeadSize < teacher.HeadSize {
			return false
		}
	}
	return true
}

// parameters counts those of the sub-network of a genome's sizes, whatever its index sets.
func (s Space) parameters(teacher Config, g genome) int64 {
	g.sets = nil
	return s.subnet(teacher, g).Parameters(teacher).Total()
}

// genome reads a sub-network of this space back; layers that are not kept get fresh sizes.
func (s Space) genome(teacher Config, subnet Subnet, r *rand.Rand) genome {
	g := genome{embd: subnet.Embd.Len(teacher.Embd), kept: make([]bool, teacher.Layers), sizes: make([]layerSizes, teacher.Layers),
		sets: s.newSets(teacher)}
	for l := range g.sizes {
		g.sizes[l] = s.sampleSizes(r)
	}
	if g.sets != nil {
		g.sets.embd = subnet.Embd.explicit(teacher.Embd)
	}
	for _, l := range subnet.KeptLayers(teacher) {
		z := l.Shape(teacher)
		g.kept[l.Layer] = true
		g.sizes[l.Layer] = layerSizes{z.QueryGroups, z.Heads / z.QueryGroups, z.HeadSize, s.ffnChoice(teacher, g.embd, z.FFN)}
		if g.sets != nil {
			g.sets.layers[l.Layer] = layerSets{l.groups(teacher).explicit(teacher.QueryGroups), l.heads(teacher).explicit(teacher.Heads),
				l.FFN.explicit(teacher.FFN)}
		}
		if s.Scope == Uniform {
			g.setAll(g.sizes[l.Layer])
			g.sets.setAll(l.Layer)
		}
	}
	return g
}

// mutate changes some of the genome's choices: mostly few, now and then many (Doerr et al. 2017, "Fast Genetic Algorithms", arXiv
// 1703.03334). In a space of many layers one to three changes alone would hardly leave the neighbourhood of the elites.
func (s Space) mutate(teacher Config, g genome, r *rand.Rand) genome {
	g = g.clone()
	for range heavyTailed(s.choices(g), r) {
		if g.sets != nil && r.IntN(3) == 0 { // which indices, and twice as often how many
			s.mutateSets(teacher, &g, r)
		} else {
			s.changeSize(&g, r)
		}
	}
	return g
}

// choices is how many there are: width, depth, and the four sizes of each layer that has its own.
func (s Space) choices(g genome) int {
	if s.Scope == Uniform {
		return 2 + 4
	}
	return 2 + 4*len(g.sizes)
}

func (s Space) changeSize(g *genome, r *rand.Rand) {
	switch r.IntN(4) {
	case 0:
		g.embd = s.Embd.step(g.embd, r)
	case 1:
		s.mutateDepth(g, r)
	default:
		s.mutateSizes(g, r)
	}
}

func (s Space) mutateDepth(g *genome, r *rand.Rand) {
	if s.layersFollow() {
		g.kept = s.sampleLayers(s.Depth.step(g.depth(), r), len(g.kept), r)
		return
	}
	way := r.IntN(3) // adds layers, drops some, or exchanges them
	for range heavyTailed(len(g.kept), r) {
		if way != 0 {
			flip(g.kept, true, r)
		}
		if way != 1 {
			flip(g.kept, false, r)
		}
	}
}

// flip changes one of the layers that are kept, or of those that are not, if there is one.
func flip(kept []bool, from bool, r *rand.Rand) {
	var at []int
	for l, k := range kept {
		if k == from {
			at = append(at, l)
		}
	}
	if len(at) > 0 {
		kept[at[r.IntN(len(at))]] = !from
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
	if child.sets != nil && child.embd == b.embd && r.IntN(2) == 0 {
		child.sets.embd = b.sets.embd
	}
	if s.Scope == LayerWise {
		for l := range child.sizes {
			if r.IntN(2) == 0 {
				child.kept[l], child.sizes[l] = b.kept[l], b.sizes[l]
				if child.sets != nil {
					child.sets.layers[l] = b.sets.layers[l]
				}
			}
		}
		if s.layersFollow() {
			copy(child.kept, [][]bool{a.kept, b.kept}[r.IntN(2)])
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
	if child.sets != nil {
		child.sets.layers[0] = child.sets.layers[0].cross(b.sets.layers[0], r)
		child.sets.setAll(0)
	}
	return child
}

func (g genome) clone() genome {
	return genome{g.embd, slices.Clone(g.kept), slices.Clone(g.sizes), g.sets.clone()}
}

// contains reports whether a genome lies in the space; crossover and layer flips can leave its depth.
func (s Space) contains(g genome) bool { return s.Depth.contains(g.depth()) && s.Embd.contains(g.embd) }

// heavyTailed draws one of 1 to n, each with a probability that falls with its power of 1.5.
func heavyTailed(n int, r *rand.Rand) int {
	if n < 2 {
		return 1
	}
	return 1 + int(rand.NewZipf(r, 1.5, 1, uint64(n-1)).Uint64())
}
