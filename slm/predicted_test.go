package slm

import (
	"math"
	"strings"
	"testing"
)

func TestPredicted(t *testing.T) {
	likely := func(text string) []Likely { return []Likely{{Text: text, Probability: 0.5}} }
	p := Predicted{Tokens: []PredictedToken{{Text: "a"}, {Text: "b", Loss: 1, Expected: likely("b?")}, {Text: "c", Loss: 4, Expected: likely("c?")}}, Next: likely("d?")}
	if got := p.Loss(); math.Abs(got-2.5) > 1e-12 {
		t.Errorf("mean loss %g, want 2.5: nothing was expected in the place of the first token", got)
	}
	for after, want := range map[int]string{-2: "", -1: "", 0: "b?", 1: "c?", 2: "d?", 3: ""} {
		got := ""
		if list := p.After(after); list != nil {
			got = list[0].Text
		}
		if got != want {
			t.Errorf("after token %d: %q, want %q", after, got, want)
		}
	}
	if got := (Predicted{}).Loss(); got != 0 {
		t.Errorf("the mean loss of nothing is %g", got)
	}
}

func TestKeptHeads(t *testing.T) {
	teacher := Config{Name: "t", Layers: 3, Heads: 4, QueryGroups: 4}
	s := Subnet{Layers: []LayerSubnet{{Layer: 0, Heads: IndicesOf(1, 3)}, {Layer: 2}}}
	for _, test := range []struct {
		subnet        Subnet
		layers, heads Indices
		want          []HeadOf
		err           string
	}{
		{s, Indices{}, Indices{}, []HeadOf{{0, 1}, {0, 3}, {2, 0}, {2, 1}, {2, 2}, {2, 3}}, ""},
		{s, IndicesOf(0, 1), Indices{}, []HeadOf{{0, 1}, {0, 3}}, ""},
		{s, Indices{}, IndicesOf(0, 1), []HeadOf{{0, 1}, {2, 0}, {2, 1}}, ""},
		{s, IndicesOf(1), Indices{}, nil, "no kept head is among heads (all) of layers 1"},
		{Subnet{}, IndicesOf(1), IndicesOf(9), nil, "no kept head"},
	} {
		got, err := test.subnet.KeptHeads(teacher, test.layers, test.heads)
		if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%+v: %v", test, err)
		}
		if len(got) != len(test.want) {
			t.Errorf("%+v: %v", test, got)
			continue
		}
		for i, h := range got {
			if h != test.want[i] {
				t.Errorf("%+v: %v", test, got)
			}
		}
	}
	teacher.Layers = 20
	if _, err := (Subnet{}).KeptHeads(teacher, Indices{}, Indices{}); err == nil || !strings.Contains(err.Error(), "80 heads, want at most 64") {
		t.Errorf("all heads of 20 layers: %v", err)
	}
}
