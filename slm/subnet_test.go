package slm

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func smol(t testing.TB) Config {
	t.Helper()
	c, err := Published("smollm2-135m")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func ExampleSubnet() {
	teacher, _ := Published("smollm2-135m")
	s := Subnet{Embd: First(192), Layers: []LayerSubnet{
		{Layer: 0, FFN: First(512)},
		{Layer: 29, QueryGroups: First(1), Heads: First(2), FFN: IndicesOf(0, 1, 2, 7)},
	}}
	text, _ := json.Marshal(s)
	fmt.Println(string(text))
	fmt.Println(s.Validate(teacher), Count(s.Parameters(teacher).Total()))
	// Output:
	// {"embd":"0-191","layers":[{"layer":0,"ffn":"0-511"},{"layer":29,"query_groups":"0","heads":"0-1","ffn":"0-2,7"}]}
	// <nil> 10.1M
}

func TestSubnetValidate(t *testing.T) {
	teacher := smol(t)
	for _, c := range []struct{ json, want string }{
		{`{}`, ""},
		{`{"embd":"0-575"}`, ""},
		{`{"embd":"0-576"}`, "embd: index 576 is outside the teacher's 0-575"},
		{`{"layers":[{"layer":30}]}`, "layers[0].layer is 30: layers ascend within the teacher's 0-29"},
		{`{"layers":[{"layer":2},{"layer":2}]}`, "layers[1].layer is 2"},
		{`{"layers":[{"layer":0,"heads":"0,9"}]}`, "layers[0].heads: index 9 is outside the teacher's 0-8"},
		{`{"layers":[{"layer":0,"query_groups":"0","heads":"0,3"}]}`, "head 3 belongs to query group 1, which is not kept"},
		{`{"layers":[{"layer":0,"query_groups":"0-1","heads":"0-2"}]}`, "group 1 is kept, but none of its heads is"},
		{`{"layers":[{"layer":0,"heads":"0,5,8"}]}`, ""},
		{`{"layers":[{"layer":0,"head_size":"0-2"}]}`, "rotary positions need an even number"},
		{`{"layers":[{"layer":0,"ffn":"5-1536"}]}`, "layers[0].ffn: index 1536"},
	} {
		var s Subnet
		if err := json.Unmarshal([]byte(c.json), &s); err != nil {
			t.Fatalf("%s: %v", c.json, err)
		}
		err := s.Validate(teacher)
		if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.json, err, c.want)
		}
	}
}

func TestNormalizeMakesEqualTextOfEqualSubnets(t *testing.T) {
	teacher := smol(t)
	a := Subnet{Embd: First(576), Layers: []LayerSubnet{{Layer: 3, Heads: First(9), FFN: IndicesOf(1, 0)}}}
	b := Subnet{Layers: []LayerSubnet{{Layer: 3, QueryGroups: First(3), HeadSize: First(64), FFN: First(2)}}}
	if a.Key() == b.Key() {
		t.Fatal("the sub-networks were equal before they were normalized")
	}
	if a.Normalize(teacher).Key() != b.Normalize(teacher).Key() {
		t.Error("normalized, equal sub-networks have different keys")
	}
}

func FuzzSubnetJSON(f *testing.F) {
	f.Add([]byte(`{"embd":"0-159","layers":[{"layer":0,"query_groups":"0-2","heads":"0-2,5","head_size":"0-31","ffn":"0-383"}]}`))
	f.Add([]byte(`{"layers":[{"layer":-1}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		teacher := smol(t)
		var s Subnet
		if json.Unmarshal(text, &s) != nil || s.Validate(teacher) != nil {
			return
		}
		if n := s.Parameters(teacher).Total(); n <= 0 || n > 134515008 {
			t.Errorf("%s is valid and has %d parameters", text, n)
		}
	})
}

func TestWithoutLayer(t *testing.T) {
	teacher := smol(t)
	layer := Subnet{}.Parameters(teacher).Total() - WithoutLayer(teacher, 0).Parameters(teacher).Total()
	for _, dropped := range []int{0, 7, teacher.Layers - 1} {
		s := WithoutLayer(teacher, dropped)
		if err := s.Validate(teacher); err != nil || len(s.Layers) != teacher.Layers-1 || s.Key() != s.Normalize(teacher).Key() {
			t.Errorf("without layer %d: %d layers, %v", dropped, len(s.Layers), err)
		}
		for _, l := range s.Layers {
			if l.Layer == dropped {
				t.Errorf("layer %d is kept", dropped)
			}
		}
		if got := (Subnet{}).Parameters(teacher).Total() - s.Parameters(teacher).Total(); got != layer || got <= 0 {
			t.Errorf("layer %d has %d parameters, want %d", dropped, got, layer)
		}
	}
}
