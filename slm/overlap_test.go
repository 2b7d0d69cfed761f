package slm

import (
	"fmt"
	"reflect"
	"testing"
)

func ExampleOverlapOf() {
	teacher, _ := Published("smollm2-135m")
	half := Subnet{Embd: First(288)}
	later := Subnet{Embd: IndicesOf(Indices{}.Slice(576)[144:]...)}
	o := OverlapOf(teacher, half, later)
	fmt.Printf("%+v, of either both keep %.0f%%\n", o.Embd, 100*o.Embd.Jaccard())
	fmt.Println(Count(int64(o.Parameters.Both)), "parameters in both")
	// Output:
	// {Both:144 First:144 Second:288 Neither:0}, of either both keep 25%
	// 33.6M parameters in both
}

func TestOverlapByHand(t *testing.T) {
	teacher := Config{Name: "tiny", Family: Llama, Layers: 3, Embd: 8, Heads: 4, QueryGroups: 2, HeadSize: 2, FFN: 10, Vocab: 16, Context: 32,
		NormEps: 1e-5, RopeTheta: 1e4, Tied: true}
	first := Subnet{Embd: First(6), Layers: []LayerSubnet{{Layer: 0, FFN: First(7)}, {Layer: 1}}}
	second := Subnet{Layers: []LayerSubnet{{Layer: 0, FFN: IndicesOf(0, 5, 6, 7, 9), Heads: IndicesOf(1), QueryGroups: First(1)}}}
	o := OverlapOf(teacher, first, second)
	for _, c := range []struct {
		name      string
		got, want Shared
	}{
		{"layers", o.Layers, Shared{1, 1, 0, 1}},
		{"embd", o.Embd, Shared{6, 0, 2, 0}},
		{"ffn of layer 0", o.Units[0].FFN, Shared{3, 4, 2, 1}},
		{"heads of layer 0", o.Units[0].Heads, Shared{1, 3, 0, 0}},
		{"groups of layer 0", o.Units[0].QueryGroups, Shared{1, 1, 0, 0}},
		{"ffn of layer 1", o.Units[1].FFN, Shared{0, 10, 0, 0}},
		{"head size of layer 2", o.Units[2].HeadSize, Shared{0, 0, 0, 2}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, c.got, c.want)
		}
	}
	// Embedding 16*6, final norm 6; layer 0: queries and output 2*6*2, keys and values 2*6*2, three projections 3*6*3, norms 2*6.
	if want := 96 + 6 + 24 + 24 + 54 + 12; o.Parameters.Both != want {
		t.Errorf("%d parameters in both, want %d", o.Parameters.Both, want)
	}
}

// What both keep is a sub-network itself, whose parameters are counted in closed form.
func TestOverlapIsTheIntersection(t *testing.T) {
	for _, name := range []string{"smollm2-135m", "qwen3-0.6b", "pythia-70m"} {
		teacher, err := Published(name)
		if err != nil {
			t.Fatal(err)
		}
		total := Subnet{}.Parameters(teacher).Total()
		search := Search{Space: FineLayerWise, Bin: Bin{total * 7 / 10, total * 9 / 10}}
		// More than half of each, so that two always meet.
		most := func(n int) Dim { return Dim{Min: n/2 + 1, Max: n, Step: 1} }
		search.Space.QueryGroups, search.Space.HeadsPerGroup = most(teacher.QueryGroups), most(teacher.HeadsPerGroup())
		for seed := range uint64(3) {
			a, err := search.Sample(teacher, 2*seed+1)
			if err != nil {
				t.Fatal(err)
			}
			b, err := search.Sample(teacher, 2*seed+2)
			if err != nil {
				t.Fatal(err)
			}
			o := OverlapOf(teacher, a.Subnet, b.Subnet)
			if s, ok := intersection(teacher, a.Subnet, b.Subnet); !ok {
				t.Errorf("%s: the intersection of seed %d is not a sub-network", name, seed)
			} else if want := int(s.Parameters(teacher).Total()); o.Parameters.Both != want {
				t.Errorf("%s: %d parameters in both, want %d", name, o.Parameters.Both, want)
			}
			if sum := o.Parameters.Either() + o.Parameters.Neither; sum != int(total) {
				t.Errorf("%s: %d parameters in all, want %d", name, sum, total)
			}
			reversed := OverlapOf(teacher, b.Subnet, a.Subnet)
			reversed.Parameters.First, reversed.Parameters.Second = reversed.Parameters.Second, reversed.Parameters.First
			if reversed.Parameters != o.Parameters {
				t.Errorf("%s: %+v one way, %+v the other", name, o.Parameters, reversed.Parameters)
			}
			if same := OverlapOf(teacher, a.Subnet, a.Subnet).Parameters; same.Jaccard() != 1 || same.Both != int(a.Parameters) {
				t.Errorf("%s: with itself %+v, want %d in both", name, same, a.Parameters)
			}
		}
	}
}

// intersection keeps what both do; false where of some dimension that is nothing.
func intersection(teacher Config, a, b Subnet) (Subnet, bool) {
	ok := true
	both := func(x, y Indices, size int) Indices {
		var common []int
		for i := range x.All(size) {
			if y.Contains(i) {
				common = append(common, i)
			}
		}
		ok = ok && common != nil
		return IndicesOf(common...)
	}
	s := Subnet{Embd: both(a.Embd, b.Embd, teacher.Embd)}
	for _, l := range a.KeptLayers(teacher) {
		for _, m := range b.KeptLayers(teacher) {
			if l.Layer == m.Layer {
				s.Layers = append(s.Layers, LayerSubnet{Layer: l.Layer, QueryGroups: both(l.groups(teacher), m.groups(teacher), teacher.QueryGroups),
					Heads: both(l.heads(teacher), m.heads(teacher), teacher.Heads), HeadSize: both(l.HeadSize, m.HeadSize, teacher.HeadSize),
					FFN: both(l.FFN, m.FFN, teacher.FFN)})
			}
		}
	}
	return s, ok && s.Layers != nil
}

func TestOverlapOfNothing(t *testing.T) {
	if j := (Shared{Neither: 3}).Jaccard(); j != 1 {
		t.Errorf("two that keep nothing share %g of it", j)
	}
	if !reflect.DeepEqual(OverlapOf(smol(t), Subnet{}, Subnet{}).Layers, Shared{Both: 30}) {
		t.Error("the teacher does not keep its layers")
	}
}
