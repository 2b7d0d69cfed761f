package slm

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseDim(t *testing.T) {
	for text, want := range map[string]Dim{
		"12":          Frozen(12),
		"192-384":     {Min: 192, Max: 384, Step: 1},
		"192-384/32":  {Min: 192, Max: 384, Step: 32},
		"1-10/4":      {Min: 1, Max: 10, Step: 4},
		"128,256,512": Choice(128, 256, 512),
	} {
		if got, err := ParseDim(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is %v (%v), want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "-3", "3-", "8-4", "8-16/0", "8/2", "3,2", "3,3", "3,", "a", "+3", "1-2-3", "1 - 2", "99999999999999999999"} {
		if got, err := ParseDim(text); err == nil || !strings.Contains(err.Error(), "192-384/32") {
			t.Errorf("%q is %v (%v), want an error that shows what can be", text, got, err)
		}
	}
}

// What is read is a valid dimension of a teacher that is large enough.
func FuzzParseDim(f *testing.F) {
	for _, text := range []string{"12", "192-384/32", "128,256,512", "1-9223372036854775807/2"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDim(text)
		if err != nil {
			return
		}
		if err := d.validate("x", 1<<63-1); err != nil || d.IsZero() || d.Choices() < 1 || d.Last() < d.At(0) {
			t.Errorf("%q is %v: %v", text, d, err)
		}
	})
}

func TestSpaceWith(t *testing.T) {
	space := CoarseUniform
	for _, text := range []string{"depth=12", "embd=192-384/32", "query_groups=3", "heads_per_group=1-3", "head_size=64", "ffn=512,1024"} {
		var err error
		if space, err = space.With(text); err != nil {
			t.Fatal(err)
		}
	}
	want := Space{Granularity: Coarse, Scope: Uniform, Depth: Frozen(12), Embd: Dim{Min: 192, Max: 384, Step: 32}, QueryGroups: Frozen(3),
		HeadsPerGroup: Dim{Min: 1, Max: 3, Step: 1}, HeadSize: Frozen(64), FFN: Choice(512, 1024)}
	if !reflect.DeepEqual(space, want) {
		t.Errorf("%+v, want %+v", space, want)
	}
	for text, part := range map[string]string{"depth": "depth=", "width=3": "known: depth, embd", "embd=x": "embd: dimension"} {
		if _, err := space.With(text); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: %v, want %q", text, err, part)
		}
	}
}
