package slm

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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
	FFNRatios     []float64   `json:"ffn_ratios,omitempty"`  // FFN sizes as multiples of the embedding's, ascending, in place of FFN
	LayerOrder    []int       `json:"layer_order,omitempty"` // all layers; the space keeps the first n of them
	Rotary        Rotary      `json:"rotary,omitzero"`       // how smaller heads turn
	Preset        Preset      `json:"preset,omitempty"`      // whose defaults zero dimensions take; none is Offshoot's own
}

// The search spaces with default dimensions.
var (
	CoarseUniform   = Space{Granularity: Coarse, Scope: Uniform}
	CoarseLayerWise = Space{Granularity: Coarse, Scope: LayerWise}
	FineUniform     = Space{Granularity: Fine, Scope: Uniform}
	FineLayerWise   = Space{Granularity: Fine, Scope: LayerWise}
)

// SpaceNamed is a search space by its name, such as "coarse-uniform" or "whittle-small".
func SpaceNamed(name string) (Space, error) {
	space, ok := spaces[name]
	if !ok {
		return Space{}, fmt.Errorf("space %q is unknown; known: %s", name, strings.Join(SpaceNames(), ", "))
	}
	return space, nil
}

// SpaceNames lists the names that [SpaceNamed] knows.
func SpaceNames() []string { return slices.Sorted(maps.Keys(spaces)) }

var spaces = map[string]Space{"coarse-uniform": CoarseUniform, "coarse-layer-wise": CoarseLayerWise, "fine-uniform": FineUniform,
	"fine-layer-wise": FineLayerWise, "whittle-small": WhittleSmall, "whittle-medium": WhittleMedium,
	"whittle-hw-gpt-bench": WhittleHWGPTBench, "whittle-llama-joint": WhittleLlamaJoint}

// Name is the name by which [SpaceNamed] knows the space, whatever its dimensions.
func (s Space) Name() string {
	if s.Preset != "" {
		return "whittle-" + strings.ReplaceAll(string(s.Preset), "_", "-")
	}
	return string(s.Granularity) + "-" + string(s.Scope)
}

// With is the space with a dimension bounded by text such as "embd=192-384/32" or "depth=12": see [ParseDim].
func (s Space) With(text string) (Space, error) {
	name, bounds, ok := strings.Cut(text, "=")
	if !ok {
		return s, fmt.Errorf("space: %q says no bounds, such as %s=12", text, name)
	}
	dims := map[string]*Dim{"depth": &s.Depth, "embd": &s.Embd, "query_groups": &s.QueryGroups, "heads_per_group": &s.HeadsPerGroup,
		"head_size": &s.HeadSize, "ffn": &s.FFN}
	if dims[name] == nil {
		return s, fmt.Errorf("space: dimension %q is unknown; known: %s", name, strings.Join(slices.Sorted(maps.Keys(dims)), ", "))
	}
	d, err := ParseDim(bounds)
	if err != nil {
		return s, fmt.Errorf("space: %s: %w", name, err)
	}
	*dims[name] = d
	return s, nil
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
	defaults, err := s.Preset.defaults(teacher)
	if err != nil {
		return s, err
	}
	if s.FFNRatios == nil && s.FFN.IsZero() {
		s.FFNRatios = defaults.FFNRatios
	}
	if s.LayerOrder == nil {
		s.LayerOrder = defaults.LayerOrder
	}
	if s.LayerOrder != nil {
		if err := checkPermutation("layers", s.LayerOrder, teacher.Layers); err != nil {
			return s, fmt.Errorf("space: %w", err)
		}
	}
	if err := s.validateRatios(); err != nil {
		return s, err
	}
	for _, f := range []struct {
		name   string
		dim    *Dim
		preset Dim
		most   int
	}{
		{"depth", &s.Depth, defaults.Depth, teacher.Layers},
		{"embd", &s.Embd, defaults.Embd, teacher.Embd},
		{"query_groups", &s.QueryGroups, defaults.QueryGroups, teacher.QueryGroups},
		{"heads_per_group", &s.HeadsPerGroup, defaults.HeadsPerGroup, teacher.HeadsPerGroup()},
		{"head_size", &s.HeadSize, defaults.HeadSize, teacher.HeadSize},
		{"ffn", &s.FFN, defaults.FFN, teacher.FFN},
	} {
		if f.dim.IsZero() {
			*f.dim = f.preset
		}
		if err := f.dim.validate(f.name, f.most); err != nil {
			return s, err
		}
		if f.dim.LogUniform && f.name != "embd" {
			return s, fmt.Errorf("space: %s is log-uniform; only embd may be", f.name)
		}
	}
	for size := range s.HeadSize.all {
		if _, err := teacher.rotated(size); err != nil && (s.Rotary != Kept || size%2 != 0) {
			return s, fmt.Errorf("space: head_size %s: %w", s.HeadSize, err)
		}
	}
	return s, nil
}

// validateRatios checks the FFN ratios. With them FFN counts the ratio that is chosen, from 1.
func (s *Space) validateRatios() error {
	if len(s.FFNRatios) == 0 {
		return nil
	}
	choices := Dim{Min: 1, Max: len(s.FFNRatios), Step: 1}
	if !s.FFN.IsZero() && !s.FFN.equal(choices) {
		return errors.New("space: ffn and ffn_ratios: give one of them")
	}
	for i, r := range s.FFNRatios {
		if !(r > 0) || i > 0 && r <= s.FFNRatios[i-1] {
			return fmt.Errorf("space: ffn_ratios %v: want positive ratios, ascending", s.FFNRatios)
		}
	}
	s.FFN = choices
	return nil
}

// neurons is the FFN size that a choice of the FFN dimension means beside an embedding's size.
func (s Space) neurons(teacher Config, embd, choice int) int {
	if len(s.FFNRatios) == 0 {
		return choice
	}
	return max(1, min(teacher.FFN, int(s.FFNRatios[choice-1]*float64(embd))))
}

// ffnChoice is the choice that means so many neurons.
func (s Space) ffnChoice(teacher Config, embd, neurons int) int {
	for choice := range s.FFN.all {
		if len(s.FFNRatios) > 0 && s.neurons(teacher, embd, choice) >= neurons {
			return choice
		}
	}
	return min(neurons, s.FFN.Last())
}

// Reach is the smallest and the largest parameter count in the space.
func (s Space) Reach(teacher Config) (least, most int64) {
	corner := func(pick func(Dim) int) int64 {
		g := genome{embd: pick(s.Embd), kept: evenlySpaced(pick(s.Depth), teacher.Layers), sizes: make([]layerSizes, teacher.Layers)}
		g.setAll(layerSizes{pick(s.QueryGroups), pick(s.HeadsPerGroup), pick(s.HeadSize), pick(s.FFN)})
		sub := s.subnet(teacher, g)
		return sub.Parameters(teacher).Total()
	}
	return corner(func(d Dim) int { return d.At(0) }), corner(Dim.Last)
}
