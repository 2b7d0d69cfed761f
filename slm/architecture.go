package slm

// Architecture is the shape of a model, for comparing models: a teacher, a published reference, a student. A student's layers
// may differ: its sizes are means over them.
type Architecture struct {
	Name        string
	Parameters  Counts
	Layers      int
	Embd        int
	Heads       SizeRange // in a layer
	QueryGroups SizeRange
	HeadSize    SizeRange
	FFN         SizeRange
}

// SizeRange is a size over the layers of a model.
type SizeRange struct {
	Mean     float64
	Min, Max int
}

// Architecture is the teacher's own.
func (c Config) Architecture() Architecture { return Subnet{}.Architecture(c, c.Name) }

// Architecture is that of a sub-network of a teacher, or of the student that was cut out of it, under a name.
func (s Subnet) Architecture(teacher Config, name string) Architecture {
	a := Architecture{Name: name, Parameters: s.Parameters(teacher), Embd: s.Embd.Len(teacher.Embd)}
	for shape := range s.shapes(teacher) {
		a.Layers++
		a.Heads.add(shape.Heads, a.Layers)
		a.QueryGroups.add(shape.QueryGroups, a.Layers)
		a.HeadSize.add(shape.HeadSize, a.Layers)
		a.FFN.add(shape.FFN, a.Layers)
	}
	return a
}

// add takes the size of the n-th layer.
func (r *SizeRange) add(size, n int) {
	if n == 1 {
		*r = SizeRange{Min: size}
	}
	r.Mean += (float64(size) - r.Mean) / float64(n)
	r.Min, r.Max = min(r.Min, size), max(r.Max, size)
}

// WidthToDepth is the aspect ratio of Kaplan et al. 2020, arXiv 2001.08361, figure 5: embedding dimensions over layers.
func (a Architecture) WidthToDepth() float64 { return float64(a.Embd) / float64(a.Layers) }

// FFNToAttention is the ratio of the parameters of the feed-forward parts to those of attention.
func (a Architecture) FFNToAttention() float64 {
	return float64(a.Parameters.FFN) / float64(a.Parameters.Attention)
}
