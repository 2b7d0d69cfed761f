package slm

import (
	"math/rand/v2"
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

// A search keeps all of its candidates, and those of a fine space have many ranges.
func TestSetsKeepNoRoomToGrow(t *testing.T) {
	text, read := "0,2,4,6,8,10,12,14,16", Indices{}
	if err := read.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	var odd []int
	for i := 1; i < 1000; i += 2 {
		odd = append(odd, i)
	}
	drawn := resized(Indices{}, 1000, 300, rand.New(rand.NewPCG(1, 1)))
	for name, s := range map[string]Indices{"read": read, "listed": IndicesOf(odd...), "drawn": drawn} {
		if room := cap(s.ranges) - len(s.ranges); room > len(s.ranges)/4 {
			t.Errorf("the set that was %s has room for %d ranges beside its %d", name, room, len(s.ranges))
		}
	}
}

func TestIndicesOutsideEveryTeacherPanic(t *testing.T) {
	for name, make := range map[string]func(){
		"First(0)":        func() { First(0) },
		"First(2^32)":     func() { First(1 << 32) },
		"IndicesOf(-1)":   func() { IndicesOf(-1, 3) },
		"IndicesOf(2^32)": func() { IndicesOf(3, 1<<32) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is a set", name)
				}
			}()
			make()
		}()
	}
}
