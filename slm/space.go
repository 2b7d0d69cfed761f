package slm

import (
	"fmt"
	"math/rand/v2"
)

// Granularity says which index sets a dimension may take.
type Granularity string

// The granularities of arXiv 2510.07227, section 3.1.
const (
	Coarse Granularity = "coarse" // the first n of a dimension
	Fine   Granularity = "fine"   // any n
)

// Scope says whether all layers of a sub-network share one choice.
type Scope string

// The scopes of arXiv 2510.07227, section 3.1.
const (
	Uniform   Scope = "uniform"    // one choice for all layers
	LayerWise Scope = "layer-wise" // a choice for each layer
)

// Space is a search space: the sub-networks that a search may draw.
//
// A zero [Dim] takes its default from the teacher: see [Space.For]. A coarse space keeps the first n of every dimension but
// depth: which n layers are kept is "evenly spaced" if it is uniform and any n if it is layer-wise, since dropping a
// teacher's last layers cuts off what feeds its output head. A fine space keeps any n layers, embedding dimensions, query
// groups, heads of a group and neurons. Of a head's dimensions both keep the first, whole rotated pairs with [Kept].
type Space struct {
	Granularity   Granularity `json:"granularity"`
	Scope         Scope       `json:"scope"`
	Depth         Dim         `json:"depth,omitzero"` // number of kept layers
	Embd          Dim         `json:"embd,omitzero"`
	QueryGroups   Dim         `json:"query_groups,omitzero"`
	HeadsPerGroup Dim         `json:"heads_per_group,omitzero"`
	HeadSize      Dim         `json:"head_size,omitzero"`
	FFN           Dim         `json:"ffn,omitzero"`
	Rotary        Rotary      `json:"rotary,omitzero"` // how smaller heads turn
}

// The search spaces with default dimensions.
var (
	CoarseUniform   = Space{Granularity: Coarse, Scope: Uniform}
	CoarseLayerWise = Space{Granularity: Coarse, Scope: LayerWise}
	FineUniform     = Space{Granularity: Fine, Scope: Uniform}
	FineLayerWise   = Space{Granularity: Fine, Scope: LayerWise}
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
	if s.Granularity != Coarse && s.Granularity != Fine {
		return s, fmt.Errorf("space: granularity is %q, want %q or %q", s.Granularity, Coarse, Fine)
	}
	if s.Rotary != Recomputed && s.Rotary != Kept {
		return s, fmt.Errorf("space: rotary is %q, want %q or nothing", s.Rotary, Kept)
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
	for size := range s.HeadSize.values {
		if _, err := teacher.rotated(size); err != nil && (s.Rotary != Kept || size%2 != 0) {
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

// Reach is the smallest and the largest parameter count in the space.
func (s Space) Reach(teacher Config) (least, most int64) {
	corner := func(pick func(Dim) int) int64 {
		g := genome{embd: pick(s.Embd), kept: evenlySpaced(pick(s.Depth), teacher.Layers), sizes: make([]layerSizes, teacher.Layers)}
		g.setAll(layerSizes{pick(s.QueryGroups), pick(s.HeadsPerGroup), pick(s.HeadSize), pick(s.FFN)})
		sub := s.subnet(teacher, g)
		return sub.Parameters(teacher).Total()
	}
	return corner(func(d Dim) int { return d.Min }), corner(func(d Dim) int { return d.Min + (d.choices()-1)*d.Step })
}
