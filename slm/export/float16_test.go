package export

import (
	"math"
	"testing"

	"github.com/gomlx/compute/dtypes/float16"
)

// Every float16 comes back as itself, a value between two goes to the nearer, and one in the middle to the even one.
func TestToFloat16(t *testing.T) {
	value := func(bits uint16) float32 { return float16.FromBits(bits).Float32() }
	for bits := range uint16(0x7c00) { // all that are finite and not negative
		v, above := value(bits), value(bits+1)
		if bits == 0x7bff {
			above = 65536 // where the next would be
		}
		middle := (v + above) / 2 // exact: float32 has 13 bits more
		even := bits + bits&1
		for _, c := range []struct {
			v    float32
			want uint16
		}{{v, bits}, {middle, even}, {math.Nextafter32(middle, 0), bits}, {math.Nextafter32(middle, 1e6), bits + 1}} {
			if got := toFloat16(c.v); got != c.want {
				t.Fatalf("%g is %#04x, want %#04x", c.v, got, c.want)
			}
			if got := toFloat16(-c.v); got != c.want|0x8000 && c.v != 0 {
				t.Fatalf("%g is %#04x, want %#04x", -c.v, got, c.want|0x8000)
			}
		}
	}
	for v, want := range map[float32]uint16{float32(math.Inf(1)): 0x7c00, 1e30: 0x7c00, math.SmallestNonzeroFloat32: 0} {
		if got := toFloat16(v); got != want {
			t.Errorf("%g is %#04x, want %#04x", v, got, want)
		}
	}
	if got := toFloat16(float32(math.NaN())); got&0x7c00 != 0x7c00 || got&0x3ff == 0 {
		t.Errorf("NaN is %#04x", got)
	}
}
