package model

import (
	"math"
	"slices"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// The square of a unit's weight norm is what the squares of all weights lose when a student is extracted without the unit,
// in every family, tied and untied: extraction is another way to know whose weights they are.
func TestWeightNormsAreWhatExtractionLoses(t *testing.T) {
	const layer, neuron, head, group, dimension = 2, 31, 3, 1, 7
	for _, c := range tinies() {
		_, teacher := newTiny(t, c)
		scores, err := teacher.WeightNorms()
		if err != nil {
			t.Fatal(err)
		}
		var ofGroup []int
		for i := range c.HeadsPerGroup() {
			ofGroup = append(ofGroup, group*c.HeadsPerGroup()+i)
		}
		inLayer := func(l slm.LayerSubnet) slm.Subnet {
			l.Layer = layer
			return slm.Subnet{Layers: []slm.LayerSubnet{{Layer: 0}, {Layer: 1}, l, {Layer: 3}}}
		}
		whole := squares(t, teacher, slm.Subnet{})
		for what, unit := range map[string]struct {
			without slm.Subnet
			norm    float64
		}{
			"dimension": {slm.Subnet{Embd: allBut(c.Embd, dimension)}, scores.Embd[dimension]},
			"neuron":    {inLayer(slm.LayerSubnet{FFN: allBut(c.FFN, neuron)}), scores.FFN[layer][neuron]},
			"head":      {inLayer(slm.LayerSubnet{Heads: allBut(c.Heads, head)}), scores.Heads[layer][head]},
			"query group": {inLayer(slm.LayerSubnet{QueryGroups: allBut(c.QueryGroups, group), Heads: allBut(c.Heads, ofGroup...)}),
				scores.QueryGroups[layer][group]},
			"layer": {slm.Subnet{Layers: []slm.LayerSubnet{{Layer: 0}, {Layer: 1}, {Layer: 3}}}, scores.Layers[layer]},
		} {
			lost := whole - squares(t, teacher, unit.without)
			if !(math.Abs(lost-unit.norm*unit.norm) <= 1e-6*lost) || lost <= 0 {
				t.Errorf("%s: without the %s the squares lose %g, those of its norm are %g", c.Name, what, lost, unit.norm*unit.norm)
			}
		}
	}
}

// squares are summed over all weights of a sub-network.
func squares(t *testing.T, teacher *Teacher, s slm.Subnet) (sum float64) {
	t.Helper()
	weights, err := teacher.Extract(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range weights {
		for _, v := range w.Data {
			sum += float64(v) * float64(v)
		}
	}
	return sum
}

func allBut(size int, dropped ...int) slm.Indices {
	var kept []int
	for i := range size {
		if !slices.Contains(dropped, i) {
			kept = append(kept, i)
		}
	}
	return slm.IndicesOf(kept...)
}
