package slm

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
)

// Subnet is a structurally sparse sub-network of a teacher: which of its embedding dimensions, layers, and within a
// layer which heads, query groups, head dimensions and FFN neurons are kept (arXiv 2510.07227, section 3).
// All indices are into the teacher. A zero field means all of it; the zero Subnet is the teacher itself.
type Subnet struct {
	Embd   Indices       `json:"embd,omitzero"`
	Layers []LayerSubnet `json:"layers,omitempty"` // the kept layers, in order
	Rotary Rotary        `json:"rotary,omitzero"`  // how smaller heads turn
}

// IsZero reports the sub-network that nothing was said of, which is all of the teacher.
func (s Subnet) IsZero() bool { return len(s.Layers) == 0 && s.Embd.IsZero() && s.Rotary == "" }

// LayerSubnet is what a sub-network keeps of one layer. Where the teacher has a query group for each head, as GPT-NeoX
// does, heads and query groups are the same thing, and it is enough to name either.
type LayerSubnet struct {
	Layer       int     `json:"layer"`
	QueryGroups Indices `json:"query_groups,omitzero"`
	Heads       Indices `json:"heads,omitzero"` // each kept head's group must be kept, each kept group needs a head
	HeadSize    Indices `json:"head_size,omitzero"`
	FFN         Indices `json:"ffn,omitzero"`
}

// Shape is the size of one kept layer.
type Shape struct {
	Layer       int // index in the teacher
	Heads       int
	QueryGroups int
	HeadSize    int
	FFN         int
}

// KeptLayers lists the kept layers explicitly: all of the teacher's, in full, for a Subnet that lists none.
func (s Subnet) KeptLayers(teacher Config) []LayerSubnet {
	if len(s.Layers) > 0 {
		return s.Layers
	}
	all := make([]LayerSubnet, teacher.Layers)
	for i := range all {
		all[i].Layer = i
	}
	return all
}

// WithoutLayer is all of a teacher but one of its layers, which are at least two.
func WithoutLayer(teacher Config, layer int) Subnet {
	return Subnet{Layers: slices.Delete(Subnet{}.KeptLayers(teacher), layer, layer+1)}
}

// headsAndGroups are the kept query heads and query groups: where the teacher has a group for each head, one names both.
// It copies neither the layer nor the architecture, which are large: counting asks this for every layer.
func (l *LayerSubnet) headsAndGroups(teacher *Config) (heads, groups *Indices) {
	heads, groups = &l.Heads, &l.QueryGroups
	if teacher.Heads == teacher.QueryGroups {
		if heads.IsZero() {
			heads = groups
		} else if groups.IsZero() {
			groups = heads
		}
	}
	return heads, groups
}

// heads are the kept query heads.
func (l LayerSubnet) heads(teacher Config) Indices {
	heads, _ := l.headsAndGroups(&teacher)
	return *heads
}

// groups are the kept query groups.
func (l LayerSubnet) groups(teacher Config) Indices {
	_, groups := l.headsAndGroups(&teacher)
	return *groups
}

// Shape is the size of what l keeps of the teacher's layer.
func (l LayerSubnet) Shape(teacher Config) Shape { return l.shape(&teacher) }

func (l *LayerSubnet) shape(teacher *Config) Shape {
	heads, groups := l.headsAndGroups(teacher)
	return Shape{Layer: l.Layer, Heads: heads.Len(teacher.Heads), QueryGroups: groups.Len(teacher.QueryGroups),
		HeadSize: l.HeadSize.Len(teacher.HeadSize), FFN: l.FFN.Len(teacher.FFN)}
}

// Validate reports the first field of s that does not fit the teacher, with its bound.
func (s Subnet) Validate(teacher Config) error {
	if err := s.Embd.check("embd", teacher.Embd); err != nil {
		return err
	}
	if s.Rotary != Recomputed && s.Rotary != Kept {
		return fmt.Errorf("rotary is %q, want %q or nothing", s.Rotary, Kept)
	}
	previous := -1
	for i, l := range s.Layers {
		if l.Layer <= previous || l.Layer >= teacher.Layers {
			return fmt.Errorf("layers[%d].layer is %d: layers ascend within the teacher's 0-%d", i, l.Layer, teacher.Layers-1)
		}
		previous = l.Layer
		if err := l.validate(teacher, s.Rotary); err != nil {
			return fmt.Errorf("layers[%d].%w", i, err)
		}
	}
	return nil
}

func (l LayerSubnet) validate(teacher Config, rotary Rotary) error {
	for _, f := range []struct {
		name string
		set  Indices
		size int
	}{{"query_groups", l.QueryGroups, teacher.QueryGroups}, {"heads", l.Heads, teacher.Heads},
		{"head_size", l.HeadSize, teacher.HeadSize}, {"ffn", l.FFN, teacher.FFN}} {
		if err := f.set.check(f.name, f.size); err != nil {
			return err
		}
	}
	if rotary == Kept {
		if err := teacher.checkPairs(l.HeadSize); err != nil {
			return err
		}
	} else if _, err := teacher.rotated(l.HeadSize.Len(teacher.HeadSize)); err != nil {
		return err
	}
	return l.validateHeads(teacher)
}

// validateHeads reports a head without its query group, or a group without a head. Heads ascend, and so do their groups.
func (l LayerSubnet) validateHeads(teacher Config) error {
	heads, groups := l.heads(teacher), l.groups(teacher)
	if heads.Equal(groups) && (heads.IsZero() || teacher.HeadsPerGroup() == 1) {
		return nil
	}
	served, last := 0, -1
	for h := range heads.All(teacher.Heads) {
		group := h / teacher.HeadsPerGroup()
		if group == last {
			continue
		}
		if !groups.Contains(group) {
			return fmt.Errorf("heads: head %d belongs to query group %d, which is not kept", h, group)
		}
		served, last = served+1, group
	}
	if served == groups.Len(teacher.QueryGroups) {
		return nil
	}
	return fmt.Errorf("query_groups: group %d is kept, but none of its heads is", l.unserved(teacher))
}

// unserved is the first kept group without a kept head; there is one.
func (l LayerSubnet) unserved(teacher Config) int {
	for g := range l.groups(teacher).All(teacher.QueryGroups) {
		first := g * teacher.HeadsPerGroup()
		if !slices.ContainsFunc(l.heads(teacher).Slice(teacher.Heads), func(h int) bool { return h >= first && h < first+teacher.HeadsPerGroup() }) {
			return g
		}
	}
	return -1
}

// Normalize gives equal sub-networks equal text: sets that name a whole dimension become the zero value, and so do query
// groups that the heads already name.
func (s Subnet) Normalize(teacher Config) Subnet {
	out := Subnet{Embd: s.Embd.normalize(teacher.Embd), Layers: make([]LayerSubnet, len(s.Layers)), Rotary: s.Rotary}
	for i, l := range s.Layers {
		groups := l.groups(teacher).normalize(teacher.QueryGroups)
		if teacher.HeadsPerGroup() == 1 {
			groups = Indices{}
		}
		out.Layers[i] = LayerSubnet{Layer: l.Layer, QueryGroups: groups,
			Heads: l.heads(teacher).normalize(teacher.Heads), HeadSize: l.HeadSize.normalize(teacher.HeadSize), FFN: l.FFN.normalize(teacher.FFN)}
	}
	return out
}

// Key identifies a normalized sub-network: 16 hexadecimal digits of the SHA-256 of its JSON.
func (s Subnet) Key() string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("slm.Subnet.Key: %v", err)) // only strings and integers inside: cannot fail
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
