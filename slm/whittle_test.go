package slm

import (
	"encoding/json"
	"os"
	"testing"
)

// whittleSizes is a number for all layers or one for each.
type whittleSizes []int

func (s *whittleSizes) UnmarshalJSON(text []byte) error {
	var one int
	if json.Unmarshal(text, &one) == nil {
		*s = whittleSizes{one}
		return nil
	}
	return json.Unmarshal(text, (*[]int)(s))
}

func (s whittleSizes) at(layer int) int {
	if len(s) == 1 {
		return s[0]
	}
	return s[layer]
}

// Counts in closed form are those of whittle, for random first-n sub-networks of three teachers, uniform and by layer:
// testdata/whittle_parameters.py made them, and says where whittle's counts are not those of the tensors.
func TestParametersAgreeWithWhittle(t *testing.T) {
	text, err := os.ReadFile("testdata/whittle_parameters.json")
	if err != nil {
		t.Fatal(err)
	}
	var reference struct {
		Architectures []Config             `json:"architectures"`
		Subnets       [][8]json.RawMessage `json:"subnets"`
	}
	if err := json.Unmarshal(text, &reference); err != nil {
		t.Fatal(err)
	}
	if len(reference.Subnets) != 1000 {
		t.Fatalf("%d sub-networks, want 1000", len(reference.Subnets))
	}
	for _, c := range reference.Architectures {
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
	}
	for i, row := range reference.Subnets {
		var architecture, embd, layers int
		var heads, groups, headSize, ffn whittleSizes
		var want int64
		for j, field := range []any{&architecture, &embd, &layers, &heads, &groups, &headSize, &ffn, &want} {
			if err := json.Unmarshal(row[j], field); err != nil {
				t.Fatalf("sub-network %d, field %d: %v", i, j, err)
			}
		}
		teacher := reference.Architectures[architecture]
		subnet := Subnet{Embd: First(embd)}
		for l := range layers {
			subnet.Layers = append(subnet.Layers, LayerSubnet{Layer: l, QueryGroups: First(groups.at(l)),
				Heads: firstHeads(teacher, heads.at(l), groups.at(l)), HeadSize: First(headSize.at(l)), FFN: First(ffn.at(l))})
		}
		if err := subnet.Validate(teacher); err != nil {
			t.Fatalf("sub-network %d: %v", i, err)
		}
		if got := subnet.Parameters(teacher).Total(); got != want {
			t.Errorf("sub-network %d of %s: %s has %d parameters, whittle counts %d", i, teacher.Name, row, got, want)
		}
	}
}

// firstHeads are the first heads of each of the first query groups, equally many in each.
func firstHeads(teacher Config, heads, groups int) Indices {
	var all []int
	for g := range groups {
		for h := range heads / groups {
			all = append(all, g*teacher.HeadsPerGroup()+h)
		}
	}
	return IndicesOf(all...)
}
