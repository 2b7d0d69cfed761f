package slm

import (
	"math"
	"reflect"
	"testing"
)

// A teacher of 4 layers with 2 heads of 4 dimensions and 100 neurons. By hand: a keeps layers 0 and 1, b keeps 1 and 2, so that of
// three layers one is common; of b's and a's heads in layer 1 one of two is common, beside 2 of layer 0 and 1 of layer 2; a and b
// have 50 and 100 neurons in layer 1, beside 100 each in another.
func TestDiversity(t *testing.T) {
	teacher := Config{Name: "t", Family: GPTNeoX, Layers: 4, Embd: 8, Heads: 2, QueryGroups: 2, HeadSize: 4, FFN: 100}
	a := Candidate{Subnet: Subnet{Embd: First(4), Layers: []LayerSubnet{{Layer: 0}, {Layer: 1, FFN: First(50)}}}}
	b := Candidate{Subnet: Subnet{Embd: IndicesOf(2, 3, 4, 5), Layers: []LayerSubnet{{Layer: 1, Heads: IndicesOf(1)}, {Layer: 2, Heads: First(1), HeadSize: First(2)}}}}
	got := DiversityOf(teacher, []Candidate{a, b})
	want := Diversity{Layers: 1 - 1./3, Embd: 1 - 2./6, Heads: 1 - 1./5, HeadSize: 1 - 4./10, FFN: 1 - 50./300, Pairs: 1}
	if !sameDistances(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	// Of the three pairs of a, a and b, one is the same and two are as above.
	got = DiversityOf(teacher, []Candidate{a, a, b})
	if math.Abs(got.Layers-2./3*want.Layers) > 1e-12 || got.Pairs != 3 {
		t.Errorf("%+v", got)
	}
	if got := DiversityOf(teacher, make([]Candidate, 1000)); got != (Diversity{Pairs: 32 * 31 / 2}) {
		t.Errorf("a thousand whole teachers: %+v", got)
	}
	if got := DiversityOf(teacher, []Candidate{a, b, {Subnet: Subnet{Layers: []LayerSubnet{{Layer: 4}}}}}); !sameDistances(got, want) {
		t.Errorf("with another teacher's: %+v, want %+v", got, want)
	}
	if got := DiversityOf(teacher, nil); got != (Diversity{}) {
		t.Errorf("none: %+v", got)
	}
}

func sameDistances(a, b Diversity) bool {
	for _, pair := range [][2]float64{{a.Layers, b.Layers}, {a.Embd, b.Embd}, {a.Heads, b.Heads}, {a.HeadSize, b.HeadSize}, {a.FFN, b.FFN}} {
		if math.Abs(pair[0]-pair[1]) > 1e-12 {
			return false
		}
	}
	return a.Pairs == b.Pairs
}

func TestByGeneration(t *testing.T) {
	p := Population{Candidates: []Candidate{{ID: 0, Loss: 5}, {ID: 1, Loss: 4}, {ID: 2, Generation: 2, Loss: 6}, {ID: 3, Generation: 2, Loss: math.NaN()}}}
	var sizes, best []int
	for _, g := range p.ByGeneration() {
		sizes = append(sizes, len(g))
	}
	for _, c := range p.GenerationBests() {
		best = append(best, c.ID)
	}
	if !reflect.DeepEqual(sizes, []int{2, 2}) || !reflect.DeepEqual(best, []int{1, 2}) {
		t.Errorf("generations of %v, the best %v", sizes, best)
	}
}
