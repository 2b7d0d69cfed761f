package slm

import (
	"strings"
	"testing"
)

func TestNamedData(t *testing.T) {
	for name, want := range map[string]string{
		"goroot":                    "goroot",
		"tinystories":               "roneneldan/TinyStories",
		"fineweb-edu":               "HuggingFaceFW/fineweb-edu (sample-10BT)",
		"someone/something":         "someone/something",
		"someone/some-thing@v1.0_2": "someone/some-thing@v1.0_2",
	} {
		d, err := NamedData(name)
		if err != nil || d.String() != want {
			t.Errorf("NamedData(%q) is %q, %v; want %q", name, d, err, want)
		}
	}
	for _, name := range []string{"", "stories", "a/b/c", "../etc", "a/..", "a b/c", "a/b?x"} {
		if d, err := NamedData(name); err == nil || !strings.Contains(err.Error(), "tinystories") {
			t.Errorf("NamedData(%q) is %v, %v; want an error that lists the presets", name, d, err)
		}
	}
}

func TestDataValidate(t *testing.T) {
	for _, d := range []Data{
		{Paths: []string{"a"}, Name: "b/c"},
		{Paths: []string{"a"}, Split: "train"},
		{Config: "x"},
		{Mixture: []Share{{Weight: 0}}},
		{Mixture: []Share{{Weight: 1, Data: Data{Tokens: 5}}}},
		{Tokens: -1},
		{Mixture: []Share{{Weight: 1, Data: Data{Mixture: []Share{{Weight: 1}}}}}},
		{Mixture: []Share{{Weight: 1, Data: Data{Name: "a/../b"}}}},
	} {
		if d.Validate() == nil {
			t.Errorf("%+v is valid", d)
		}
	}
	mixed := Data{Mixture: []Share{{Weight: 0.7, Data: Data{Name: "a/b"}}, {Weight: 0.3}}}
	if err := mixed.Validate(); err != nil || mixed.String() != "0.7 a/b + 0.3 goroot" {
		t.Errorf("%s: %v", mixed, err)
	}
}
