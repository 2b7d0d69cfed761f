package slm

import (
	"slices"
	"strings"
	"testing"
)

func TestIndicesText(t *testing.T) {
	for _, c := range []struct {
		text string
		size int
		want []int
	}{
		{"0-2,5", 9, []int{0, 1, 2, 5}},
		{"7", 9, []int{7}},
		{"0-1,2-3", 9, []int{0, 1, 2, 3}}, // adjoining ranges become one
		{"all", 3, []int{0, 1, 2}},
	} {
		var s Indices
		if err := s.UnmarshalText([]byte(c.text)); err != nil {
			t.Fatalf("%q: %v", c.text, err)
		}
		if got := s.Slice(c.size); !slices.Equal(got, c.want) {
			t.Errorf("%q keeps %v, want %v", c.text, got, c.want)
		}
		if s.Len(c.size) != len(c.want) {
			t.Errorf("%q has Len %d, want %d", c.text, s.Len(c.size), len(c.want))
		}
		if c.text != "all" && !s.Equal(IndicesOf(c.want...)) {
			t.Errorf("%q is not IndicesOf(%v)", c.text, c.want)
		}
	}
}

func TestIndicesRefuse(t *testing.T) {
	for _, text := range []string{"", ",", "1-", "-1", "3-2", "2,1", "0-2,2", "0-99999999999", "1e3", "0x1", "1 "} {
		var s Indices
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %s", text, s)
		}
	}
}

func FuzzIndices(f *testing.F) {
	for _, seed := range []string{"0-2,5", "all", "0-16777216", "1-,2", ",,"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var s Indices
		if s.UnmarshalText([]byte(text)) != nil {
			return
		}
		var again Indices
		if err := again.UnmarshalText([]byte(s.String())); err != nil || !again.Equal(s) {
			t.Errorf("%q became %q, which reads as %q (%v)", text, s, again, err)
		}
		if strings.Contains(s.String(), ",") && s.Len(1) > maxIndex {
			t.Errorf("%q keeps %d indices", text, s.Len(1))
		}
	})
}
