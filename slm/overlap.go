package slm

// Overlap compares what two sub-networks of a teacher keep, a first one and a second.
type Overlap struct {
	Parameters Shared // of the teacher's, those that a unit of each of their dimensions keeps
	Layers     Shared
	Embd       Shared
	Units      []LayerOverlap // [the teacher's layers]; nothing is kept of a layer that is not
}

// LayerOverlap compares what two sub-networks keep of a layer.
type LayerOverlap struct{ Heads, QueryGroups, HeadSize, FFN Shared }

// Shared counts units, or parameters, by who keeps them.
type Shared struct{ Both, First, Second, Neither int } // First and Second: only that one

// Either counts what at least one keeps.
func (s Shared) Either() int { return s.Both + s.First + s.Second }

// Plus adds two counts, such as those of two layers.
func (s Shared) Plus(t Shared) Shared {
	return Shared{s.Both + t.Both, s.First + t.First, s.Second + t.Second, s.Neither + t.Neither}
}

// Jaccard is the share that both keep of what either keeps, from 0 to 1 (Jaccard 1912); 1 where neither keeps anything.
func (s Shared) Jaccard() float64 {
	if s.Either() == 0 {
		return 1
	}
	return float64(s.Both) / float64(s.Either())
}

// shared is the count of a dimension's units from those that both keep, and that each keeps.
func shared(both, first, second, size int) Shared {
	return Shared{Both: both, First: first - both, Second: second - both, Neither: size - first - second + both}
}

// OverlapOf compares two sub-networks of a teacher, which must be valid.
func OverlapOf(teacher Config, first, second Subnet) Overlap {
	o := Overlap{Units: make([]LayerOverlap, teacher.Layers),
		Embd: shared(first.Embd.common(second.Embd, teacher.Embd), first.Embd.Len(teacher.Embd), second.Embd.Len(teacher.Embd), teacher.Embd)}
	var both, layers int
	for _, w := range teacher.OuterWeights() {
		both += w.elements(teacher, o.Embd, LayerOverlap{})
	}
	a, b := first.byLayer(teacher), second.byLayer(teacher)
	for l := range o.Units {
		compare := func(axis Axis) Shared { return sharedIn(teacher, a[l], b[l], axis) }
		units := LayerOverlap{Heads: compare(HeadAxis), QueryGroups: compare(GroupAxis), HeadSize: compare(HeadSizeAxis), FFN: compare(FFNAxis)}
		o.Units[l] = units
		if a[l] == nil || b[l] == nil {
			continue
		}
		layers++
		for _, w := range teacher.LayerWeights() {
			both += w.elements(teacher, o.Embd, units)
		}
	}
	total := func(s Subnet) int { return int(s.Parameters(teacher).Total()) }
	o.Layers = shared(layers, first.Depth(teacher), second.Depth(teacher), teacher.Layers)
	o.Parameters = shared(both, total(first), total(second), total(Subnet{}))
	return o
}

// sharedIn compares one dimension of a layer, which is nil where it is dropped.
func sharedIn(teacher Config, first, second *LayerSubnet, axis Axis) Shared {
	size := Subnet{}.Size(teacher, LayerSubnet{}, axis)
	var both, inFirst, inSecond int
	if first != nil {
		inFirst = Subnet{}.Size(teacher, *first, axis)
	}
	if second != nil {
		inSecond = Subnet{}.Size(teacher, *second, axis)
	}
	if first != nil && second != nil {
		a, _ := Subnet{}.kept(teacher, *first, axis)
		b, _ := Subnet{}.kept(teacher, *second, axis)
		both = a.common(b, size)
	}
	return shared(both, inFirst, inSecond, size)
}

// elements counts the elements of a weight that both keep: those of which both keep the unit of each dimension.
func (w Weight) elements(teacher Config, embd Shared, l LayerOverlap) int {
	n := 1
	for _, axis := range w.Axes() {
		switch axis {
		case EmbdAxis:
			n *= embd.Both
		case HeadAxis:
			n *= l.Heads.Both
		case GroupAxis:
			n *= l.QueryGroups.Both
		case HeadSizeAxis:
			n *= l.HeadSize.Both
		case FFNAxis:
			n *= l.FFN.Both
		default:
			n *= Subnet{}.Size(teacher, LayerSubnet{}, axis)
		}
	}
	return n
}

// byLayer lists what is kept of each of the teacher's layers, nil for a dropped one.
func (s Subnet) byLayer(teacher Config) []*LayerSubnet {
	out := make([]*LayerSubnet, teacher.Layers)
	for _, l := range s.KeptLayers(teacher) {
		out[l.Layer] = &l
	}
	return out
}

// common counts the indices that two sets of a dimension with the given size have both.
func (s Indices) common(t Indices, size int) int {
	if s.IsZero() {
		return t.Len(size)
	}
	if t.IsZero() {
		return s.Len(size)
	}
	n := 0
	for i, j := 0, 0; i < len(s.ranges) && j < len(t.ranges); {
		a, b := s.ranges[i], t.ranges[j]
		n += int(max(0, min(a.last, b.last)-max(a.first, b.first)+1))
		if a.last < b.last {
			i++
		} else {
			j++
		}
	}
	return n
}
