package slm

import (
	"fmt"
	"math"
	"testing"
)

func ExampleFrequencyOf() {
	teacher, _ := Published("smollm2-135m")
	narrow := Candidate{Subnet: Subnet{Embd: First(288), Layers: []LayerSubnet{{Layer: 0}, {Layer: 29, Heads: IndicesOf(0, 3, 6)}}}}
	wide := Candidate{Subnet: Subnet{Layers: []LayerSubnet{{Layer: 0}}}}
	kept := FrequencyOf(teacher, []Candidate{narrow, wide})
	fmt.Println(kept.Layers[0], kept.Layers[1], kept.Layers[29])
	fmt.Println(kept.Embd[287], kept.Embd[288])
	fmt.Println(kept.Heads[29])
	// Output:
	// 1 0 0.5
	// 1 0.5
	// [0.5 0 0 0.5 0 0 0.5 0 0]
}

// Counting by ranges agrees with asking each set for each unit.
func TestFrequencyOf(t *testing.T) {
	for _, name := range []string{"smollm2-135m", "pythia-14m"} {
		teacher, err := Published(name)
		if err != nil {
			t.Fatal(err)
		}
		total := Subnet{}.Parameters(teacher).Total()
		search := Search{Space: FineLayerWise, Bin: Bin{total * 3 / 10, total * 9 / 10}}
		candidates := []Candidate{{}}
		for seed := range uint64(6) {
			c, err := search.Sample(teacher, seed+1)
			if err != nil {
				t.Fatal(err)
			}
			candidates = append(candidates, c)
		}
		kept := FrequencyOf(teacher, candidates)
		check := func(what string, got float64, keeps func(Subnet, LayerSubnet) bool, layer int) {
			t.Helper()
			n := 0
			for _, c := range candidates {
				for _, l := range c.Subnet.KeptLayers(teacher) {
					if l.Layer == layer && keeps(c.Subnet, l) {
						n++
					}
				}
			}
			if want := float64(n) / float64(len(candidates)); math.Abs(got-want) > 1e-12 {
				t.Fatalf("%s: %s of layer %d: %g, want %g", name, what, layer, got, want)
			}
		}
		for l := range teacher.Layers {
			check("all", kept.Layers[l], func(Subnet, LayerSubnet) bool { return true }, l)
			for h, got := range kept.Heads[l] {
				check("heads", got, func(_ Subnet, l LayerSubnet) bool { return l.heads(teacher).Contains(h) }, l)
			}
			for g, got := range kept.QueryGroups[l] {
				check("groups", got, func(_ Subnet, l LayerSubnet) bool { return l.groups(teacher).Contains(g) }, l)
			}
			for d, got := range kept.HeadSize[l] {
				check("head size", got, func(_ Subnet, l LayerSubnet) bool { return l.HeadSize.Contains(d) }, l)
			}
			for f, got := range kept.FFN[l] {
				check("ffn", got, func(_ Subnet, l LayerSubnet) bool { return l.FFN.Contains(f) }, l)
			}
		}
		n := 0
		for _, c := range candidates {
			if c.Subnet.Embd.Contains(teacher.Embd - 1) {
				n++
			}
		}
		if got, want := kept.Embd[teacher.Embd-1], float64(n)/float64(len(candidates)); got != want {
			t.Errorf("%s: the last embedding dimension: %g, want %g", name, got, want)
		}
	}
	if k := FrequencyOf(smol(t), nil); k.Subnets != 0 || k.Layers[0] != 0 {
		t.Errorf("of no sub-network: %v", k.Layers)
	}
}
