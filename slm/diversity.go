package slm

import (
	"math/bits"
	"slices"
)

// Diversity is how little the candidates of a set have in common: for each kind of unit the mean over all pairs of candidates of the
// Jaccard distance 1 - |A∩B|/|A∪B| between the units that they keep (Jaccard 1912, "The distribution of the flora in the alpine
// zone"). It is 0 where all keep the same and 1 where none keeps what another does. The mean distance of pairs is the usual measure
// of a population's diversity (Wineberg and Oppacher 2003, "The underlying similarity of diversity measures used in evolutionary
// computation").
type Diversity struct {
	Layers   float64 `json:"layers"`
	Embd     float64 `json:"embd"`      // embedding dimensions
	Heads    float64 `json:"heads"`     // query heads of all layers
	HeadSize float64 `json:"head_size"` // dimensions of the heads of all layers
	FFN      float64 `json:"ffn"`       // neurons of all layers
	Pairs    int     `json:"pairs"`     // that were compared
}

// mostCompared bounds the candidates that are compared, as pairs grow with the square: of more it takes this many, evenly.
const mostCompared = 32

// DiversityOf compares sub-networks of a teacher: all pairs of up to 32 candidates, or of as many from a larger set, evenly chosen.
// Those that are no sub-networks of the teacher are left out. It is zero for fewer than two.
func DiversityOf(teacher Config, candidates []Candidate) (d Diversity) {
	candidates = slices.DeleteFunc(slices.Clone(candidates), func(c Candidate) bool { return c.Subnet.Validate(teacher) != nil })
	n := min(len(candidates), mostCompared)
	kept := make([]keptUnits, n)
	for i := range kept {
		kept[i] = unitsOf(teacher, candidates[i*len(candidates)/n].Subnet)
	}
	for i, a := range kept {
		for _, b := range kept[:i] {
			d.Layers += a.layers.distance(b.layers)
			d.Embd += a.embd.distance(b.embd)
			d.Heads += a.heads.distance(b.heads)
			d.HeadSize += a.headSize.distance(b.headSize)
			d.FFN += a.ffn.distance(b.ffn)
			d.Pairs++
		}
	}
	if d.Pairs > 0 {
		for _, sum := range []*float64{&d.Layers, &d.Embd, &d.Heads, &d.HeadSize, &d.FFN} {
			*sum /= float64(d.Pairs)
		}
	}
	return d
}

// keptUnits are the units of a sub-network as sets of bits: those within layers one layer after the other.
type keptUnits struct{ layers, embd, heads, headSize, ffn bitset }

func unitsOf(teacher Config, s Subnet) keptUnits {
	u := keptUnits{newBitset(teacher.Layers), newBitset(teacher.Embd), newBitset(teacher.Layers * teacher.Heads),
		newBitset(teacher.Layers * teacher.HeadSize), newBitset(teacher.Layers * teacher.FFN)}
	u.embd.add(s.Embd, 0, teacher.Embd)
	for _, l := range s.KeptLayers(teacher) {
		u.layers.fill(l.Layer, l.Layer)
		u.heads.add(l.heads(teacher), l.Layer*teacher.Heads, teacher.Heads)
		u.headSize.add(l.HeadSize, l.Layer*teacher.HeadSize, teacher.HeadSize)
		u.ffn.add(l.FFN, l.Layer*teacher.FFN, teacher.FFN)
	}
	return u
}

type bitset []uint64

func newBitset(size int) bitset { return make(bitset, (size+63)/64) }

// add sets the bits of a set of indices into a dimension of the given size, shifted by an offset.
func (b bitset) add(s Indices, offset, size int) {
	if s.IsZero() {
		b.fill(offset, offset+size-1)
		return
	}
	for _, r := range s.ranges {
		b.fill(offset+int(r.first), offset+int(r.last))
	}
}

// fill sets the bits from first to last.
func (b bitset) fill(first, last int) {
	for at := first; at <= last; {
		word, bit := at/64, at%64
		end := min(last, word*64+63)
		b[word] |= (^uint64(0) >> (63 - (end - at))) << bit
		at = end + 1
	}
}

// distance is that of Jaccard; two empty sets are equal.
func (b bitset) distance(other bitset) float64 {
	both, either := 0, 0
	for i := range b {
		both += bits.OnesCount64(b[i] & other[i])
		either += bits.OnesCount64(b[i] | other[i])
	}
	if either == 0 {
		return 0
	}
	return 1 - float64(both)/float64(either)
}
