package slm

import (
	"fmt"
	"math"
)

// Preset names the default dimensions of a search space.
type Preset string

// whittle's search spaces (github.com/whittle-org/whittle 0.6.0, whittle/search/search_spaces.py), which keep the first n of
// everything, layers included. Where heads share query groups it keeps all groups, and equally many heads of each.
var (
	WhittleSmall      = Space{Granularity: Coarse, Scope: Uniform, Preset: "small"}
	WhittleMedium     = Space{Granularity: Coarse, Scope: LayerWise, Preset: "medium"}
	WhittleHWGPTBench = Space{Granularity: Coarse, Scope: Uniform, Preset: "hw_gpt_bench"}
	WhittleLlamaJoint = Space{Granularity: Coarse, Scope: Uniform, Preset: "llama_joint"}
)

// defaults are a preset's dimensions for a teacher.
func (p Preset) defaults(teacher Config) (Space, error) {
	upTo := func(n int) Dim { return Dim{Min: 1, Max: n, Step: 1} }
	if p == "" {
		return Space{Depth: Dim{Min: max(1, teacher.Layers/6), Max: teacher.Layers, Step: 1}, Embd: quarters(teacher.Embd, 32),
			QueryGroups: upTo(teacher.QueryGroups), HeadsPerGroup: upTo(teacher.HeadsPerGroup()),
			HeadSize: Frozen(teacher.HeadSize), FFN: quarters(teacher.FFN, 32)}, nil
	}
	s := Space{Depth: upTo(teacher.Layers), Embd: Dim{Min: 64, Max: teacher.Embd, Step: 1, LogUniform: true},
		QueryGroups: Frozen(teacher.QueryGroups), HeadsPerGroup: upTo(teacher.HeadsPerGroup()),
		HeadSize: Frozen(teacher.HeadSize), FFN: upTo(teacher.FFN)}
	if teacher.HeadsPerGroup() == 1 { // heads and query groups are the same
		s.QueryGroups, s.HeadsPerGroup = upTo(teacher.QueryGroups), Frozen(1)
	}
	for l := range teacher.Layers {
		s.LayerOrder = append(s.LayerOrder, l)
	}
	switch p {
	case "small", "medium":
		return s, nil
	case "hw_gpt_bench":
		s.Embd.Min, s.FFN, s.FFNRatios = 1, Dim{}, []float64{1, 2, 3, 4}
		return s, nil
	case "llama_joint":
		return s.joint(teacher)
	}
	return Space{}, fmt.Errorf("space: preset %q is unknown; known: small, medium, hw_gpt_bench, llama_joint", p)
}

// joint turns whittle's small space into its llama_joint: widths, heads and head sizes that double, those the teacher has.
func (s Space) joint(teacher Config) (Space, error) {
	s.Embd = doubling(32, 1<<int(math.Log2(float64(teacher.Embd))))
	s.HeadSize = doubling(8, min(128, teacher.HeadSize))
	s.FFN, s.FFNRatios = Dim{}, []float64{1, 2, 3, 3.5}
	heads, each := &s.HeadsPerGroup, teacher.QueryGroups
	if teacher.HeadsPerGroup() == 1 {
		heads, each = &s.QueryGroups, 1
	}
	*heads = Dim{}
	for n := range doubling(8, 32).all {
		if n <= teacher.Heads && n%each == 0 {
			heads.Values = append(heads.Values, n/each)
		}
	}
	if heads.IsZero() || s.HeadSize.IsZero() || s.Embd.IsZero() {
		return s, fmt.Errorf("space: llama_joint has 8, 16 or 32 heads of 8 dimensions or more, and 32 embedding dimensions or more; %s, with %d heads in %d query groups, has no such sub-network",
			teacher.Name, teacher.Heads, teacher.QueryGroups)
	}
	return s, nil
}

// doubling are the values from, 2·from, 4·from, … up to a last one; the zero Dim where there are none.
func doubling(from, to int) (d Dim) {
	for n := from; n <= to; n *= 2 {
		d.Values = append(d.Values, n)
	}
	return d
}
