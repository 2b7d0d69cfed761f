package export

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/offshoot-ml/offshoot/slm"
)

// anatomy is one layer of a student as its files have to describe it, without its teacher.
type anatomy struct {
	Groups      []int     // query heads in each query group
	HeadSize    int       // dimensions of a head; the first 2·len(Frequencies) of them turn
	FFN         int       // neurons
	Frequencies []float64 // radians per position, of each rotated pair
	Unscaled    []float64 // the same without the teacher's rope scaling
	Scale       float64   // multiplies the attention scores
}

// anatomies describes the layers of a student.
func anatomies(teacher slm.Config, subnet slm.Subnet) []anatomy {
	plain := teacher
	plain.RopeScaling = slm.RopeScaling{}
	var out []anatomy
	for _, l := range subnet.KeptLayers(teacher) {
		shape := l.Shape(teacher)
		out = append(out, anatomy{Groups: headsInGroups(teacher, subnet, l), HeadSize: shape.HeadSize, FFN: shape.FFN,
			Frequencies: subnet.Frequencies(teacher, l), Unscaled: subnet.Frequencies(plain, l), Scale: subnet.AttentionScale(teacher, l)})
	}
	return out
}

// headsInGroups counts the kept heads of each kept query group, in order.
func headsInGroups(teacher slm.Config, subnet slm.Subnet, l slm.LayerSubnet) []int {
	kept := subnet.Indices(teacher, l, slm.HeadAxis)
	if kept == nil { // all of them
		return slices.Repeat([]int{teacher.HeadsPerGroup()}, teacher.QueryGroups)
	}
	var groups []int
	last := -1
	for _, head := range kept {
		if group := head / teacher.HeadsPerGroup(); group != last {
			groups, last = append(groups, 0), group
		}
		groups[len(groups)-1]++
	}
	return groups
}

func (a anatomy) heads() int {
	n := 0
	for _, heads := range a.Groups {
		n += heads
	}
	return n
}

// still is how many of a head's dimensions do not turn.
func (a anatomy) still() int { return a.HeadSize - 2*len(a.Frequencies) }

// sameFrequency says that two frequencies differ by no more than arithmetic does.
func sameFrequency(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(b) }

func sameFrequencies(a, b []float64) bool { return slices.EqualFunc(a, b, sameFrequency) }

// irregularities says what keeps layers from being those of one plain architecture; empty when nothing does.
func irregularities(layers []anatomy) string {
	var found []string
	first := layers[0]
	differ := func(what string, same func(a anatomy) bool, show func(a anatomy) string) {
		for i, a := range layers[1:] {
			if !same(a) {
				found = append(found, fmt.Sprintf("%s differ (layer 0: %s, layer %d: %s)", what, show(first), i+1, show(a)))
				return
			}
		}
	}
	differ("query groups", func(a anatomy) bool { return len(a.Groups) == len(first.Groups) }, func(a anatomy) string { return fmt.Sprint(len(a.Groups)) })
	differ("heads", func(a anatomy) bool { return a.heads() == first.heads() }, func(a anatomy) string { return fmt.Sprint(a.heads()) })
	differ("FFN sizes", func(a anatomy) bool { return a.FFN == first.FFN }, func(a anatomy) string { return fmt.Sprint(a.FFN) })
	differ("head sizes", func(a anatomy) bool { return a.HeadSize == first.HeadSize }, func(a anatomy) string { return fmt.Sprint(a.HeadSize) })
	if !slices.ContainsFunc(layers, func(a anatomy) bool { return a.HeadSize != first.HeadSize }) {
		differ("rotary frequencies", func(a anatomy) bool { return sameFrequencies(a.Frequencies, first.Frequencies) },
			func(a anatomy) string { return fmt.Sprintf("%.3g", a.Frequencies) })
	}
	for i, a := range layers {
		if slices.Max(a.Groups) != slices.Min(a.Groups) {
			found = append(found, fmt.Sprintf("query groups keep different numbers of heads (layer %d: %v)", i, a.Groups))
			break
		}
	}
	return strings.Join(found, "; ")
}

// pairs are the frequencies that any of the layers has, each once, with what they are without scaling. The layers' own
// order stays where all have the same. Where nothing turns there is none.
func pairs(layers []anatomy) (frequencies, unscaled []float64) {
	type pair struct{ scaled, plain float64 }
	var all []pair
	for _, a := range layers {
		for i, f := range a.Frequencies {
			if !slices.ContainsFunc(all, func(p pair) bool { return sameFrequency(p.scaled, f) }) {
				all = append(all, pair{f, a.Unscaled[i]})
			}
		}
	}
	if len(all) > len(layers[0].Frequencies) { // some of the others had more
		slices.SortStableFunc(all, func(a, b pair) int { return cmp.Compare(b.scaled, a.scaled) })
	}
	for _, p := range all {
		frequencies, unscaled = append(frequencies, p.scaled), append(unscaled, p.plain)
	}
	return frequencies, unscaled
}
