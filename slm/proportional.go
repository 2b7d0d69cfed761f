package slm

import (
	"fmt"
	"math"
)

// Sizes are those of a uniform sub-network: one choice for all its layers.
type Sizes struct {
	Depth         int `json:"depth"` // kept layers
	Embd          int `json:"embd"`
	QueryGroups   int `json:"query_groups"`
	HeadsPerGroup int `json:"heads_per_group"`
	HeadSize      int `json:"head_size"`
	FFN           int `json:"ffn"`
}

// Subnet is the coarse sub-network of these sizes: evenly spaced layers, and the first of every other dimension.
func (z Sizes) Subnet(teacher Config) Subnet {
	g := genome{embd: z.Embd, kept: evenlySpaced(z.Depth, teacher.Layers), sizes: make([]layerSizes, teacher.Layers)}
	g.setAll(layerSizes{z.QueryGroups, z.HeadsPerGroup, z.HeadSize, z.FFN})
	return CoarseUniform.subnet(teacher, g)
}

// Config is the architecture of a teacher's student with these sizes.
func (z Sizes) Config(teacher Config) Config {
	c := teacher
	c.Layers, c.Embd, c.FFN = z.Depth, z.Embd, z.FFN
	c.QueryGroups, c.Heads, c.HeadSize = z.QueryGroups, z.QueryGroups*z.HeadsPerGroup, z.HeadSize
	return c
}

// String is such as "12 layers, 288 wide, 6 heads of 64 in 2 query groups, FFN 768".
func (z Sizes) String() string {
	groups := ""
	if z.HeadsPerGroup > 1 {
		groups = fmt.Sprintf(" in %d query groups", z.QueryGroups)
	}
	return fmt.Sprintf("%d layers, %d wide, %d heads of %d%s, FFN %d", z.Depth, z.Embd, z.QueryGroups*z.HeadsPerGroup, z.HeadSize, groups, z.FFN)
}

// Proportional is the space's best representative of a bin: of all uniform sizes whose parameters lie in it, those that
// keep the most equal shares of the teacher's depth, embedding, heads, query groups and FFN, and among equals the one
// nearest to the bin's center. It tries them all, which takes some milliseconds for a 12B teacher.
// A bin that holds none of the sizes is an error, which says what they reach.
func (s Space) Proportional(teacher Config, bin Bin) (Sizes, error) {
	if err := bin.Validate(); err != nil {
		return Sizes{}, err
	}
	space, err := s.For(teacher)
	if err != nil {
		return Sizes{}, err
	}
	best, bestSpread, bestMiss := Sizes{}, math.Inf(1), 0.0
	center := float64(bin.Lower+bin.Upper) / 2
	for z := range space.inside(teacher, bin) {
		spread := z.spread(teacher)
		miss := math.Abs(float64(Subnet{}.Parameters(z.Config(teacher)).Total()) - center)
		if spread < bestSpread-1e-12 || spread < bestSpread+1e-12 && miss < bestMiss {
			best, bestSpread, bestMiss = z, spread, miss
		}
	}
	if best.Depth == 0 {
		least, most := space.Reach(teacher)
		return Sizes{}, fmt.Errorf("no uniform sub-network of %s has %s parameters: they have %s to %s, in steps",
			teacher.Name, bin, Count(least), Count(most))
	}
	return best, nil
}

// inside yields the uniform sizes of a space, with its dimensions filled, that lie in a bin. Parameters grow linearly in
// the depth, so for each choice of the other sizes the depths follow from the bin.
func (s Space) inside(teacher Config, bin Bin) func(yield func(Sizes) bool) {
	return func(yield func(Sizes) bool) {
		for z := range s.oneLayer(teacher) {
			one, two := z.Config(teacher), z.Config(teacher)
			two.Layers = 2
			layer := Subnet{}.Parameters(two).Total() - Subnet{}.Parameters(one).Total()
			outer := Subnet{}.Parameters(one).Total() - layer
			for n := max(int64(s.Depth.At(0)), (bin.Lower-outer+layer-1)/layer); n <= int64(s.Depth.Last()) && outer+n*layer <= bin.Upper; n++ {
				if z.Depth = int(n); bin.Contains(outer+n*layer) && s.Depth.contains(z.Depth) && !yield(z) {
					return
				}
			}
		}
	}
}

// oneLayer yields every choice of sizes with a depth of 1.
func (s Space) oneLayer(teacher Config) func(yield func(Sizes) bool) {
	return func(yield func(Sizes) bool) {
		for embd := range s.Embd.all {
			for groups := range s.QueryGroups.all {
				for heads := range s.HeadsPerGroup.all {
					for size := range s.HeadSize.all {
						for ffn := range s.FFN.all {
							if !yield(Sizes{1, embd, groups, heads, size, s.neurons(teacher, embd, ffn)}) {
								return
							}
						}
					}
				}
			}
		}
	}
}

// spread is how unequal the kept shares of a teacher's dimensions are: the variance of their logarithms.
func (z Sizes) spread(teacher Config) float64 {
	share := func(kept, of int) float64 { return math.Log(float64(kept) / float64(of)) }
	shares := [...]float64{
		share(z.Depth, teacher.Layers), share(z.Embd, teacher.Embd), share(z.FFN, teacher.FFN),
		share(z.QueryGroups*z.HeadsPerGroup*z.HeadSize, teacher.Heads*teacher.HeadSize),
		share(z.QueryGroups*z.HeadSize, teacher.QueryGroups*teacher.HeadSize),
	}
	mean, squares := 0.0, 0.0
	for _, v := range shares {
		mean += v / float64(len(shares))
	}
	for _, v := range shares {
		squares += (v - mean) * (v - mean)
	}
	return squares / float64(len(shares))
}
