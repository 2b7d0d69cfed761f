package slm

import (
	"fmt"
	"math"
	"testing"
)

func ExampleConfig_Architecture() {
	teacher, _ := Published("smollm2-135m")
	a := teacher.Architecture()
	fmt.Printf("%d layers, %d wide: width to depth %.1f, FFN to attention %.1f\n", a.Layers, a.Embd, a.WidthToDepth(), a.FFNToAttention())
	// Output: 30 layers, 576 wide: width to depth 19.2, FFN to attention 3.0
}

func TestArchitecture(t *testing.T) {
	teacher := smol(t)
	s := Subnet{Embd: First(288), Layers: []LayerSubnet{
		{Layer: 0, QueryGroups: First(1), Heads: First(2), FFN: First(100)},
		{Layer: 4, FFN: First(400)},
		{Layer: 9, QueryGroups: First(2), Heads: IndicesOf(0, 3, 4, 5), HeadSize: First(32), FFN: First(1300)}}}
	a := s.Architecture(teacher, "student")
	for _, c := range []struct {
		name      string
		got, want SizeRange
	}{
		{"heads", a.Heads, SizeRange{5, 2, 9}}, {"groups", a.QueryGroups, SizeRange{2, 1, 3}},
		{"head size", a.HeadSize, SizeRange{160. / 3, 32, 64}}, {"ffn", a.FFN, SizeRange{600, 100, 1300}},
	} {
		if math.Abs(c.got.Mean-c.want.Mean) > 1e-9 || c.got.Min != c.want.Min || c.got.Max != c.want.Max {
			t.Errorf("%s: %+v, want %+v", c.name, c.got, c.want)
		}
	}
	// Per embedding dimension: attention 2·64·(2+1) + 2·64·(9+3) + 2·32·(4+2), FFN 3·(100+400+1300).
	if want := 5400. / (384 + 1536 + 384); math.Abs(a.FFNToAttention()-want) > 1e-12 || a.WidthToDepth() != 96 {
		t.Errorf("FFN to attention %g, want %g; width to depth %g, want 96", a.FFNToAttention(), want, a.WidthToDepth())
	}
	if a.Name != "student" || a.Parameters != s.Parameters(teacher) {
		t.Errorf("%q has %+v", a.Name, a.Parameters)
	}
}
