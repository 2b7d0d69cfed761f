package checkpoint

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// TestTypesAgreeWithGGUF decodes blocks of every type and compares with what the gguf package makes of them: see
// testdata/quantized.py.
func TestTypesAgreeWithGGUF(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "quantized.json"))
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct{ Blocks, Values []byte }{}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	for kind, g := range ggmlTypes {
		if g.name == "F32" {
			continue
		}
		c, ok := cases[g.name]
		if n := len(c.Blocks) / g.bytes * g.values; !ok || n < 64 || 4*n != len(c.Values) {
			t.Errorf("%s: %d bytes of blocks and %d of values", g.name, len(c.Blocks), len(c.Values))
			continue
		}
		want := make([]float32, len(c.Values)/4)
		decodeFloat32(want, c.Values)
		got := make([]float32, len(want))
		g.decode(got, c.Blocks)
		for i := range want {
			if !(math.Abs(float64(got[i]-want[i])) <= 1e-6*math.Abs(float64(want[i]))) {
				t.Errorf("%s: value %d is %g, want %g", g.name, i, got[i], want[i])
				break
			}
		}
		if typeName(kind) != g.name {
			t.Errorf("type %d is called %s", kind, typeName(kind))
		}
	}
}

// TestHalf compares every float16 with its value by the definition.
func TestHalf(t *testing.T) {
	for bits := range 1 << 16 {
		sign, exponent, fraction := 1-2*float64(bits>>15), bits>>10&31, float64(bits&1023)
		var want float64
		switch {
		case exponent == 0:
			want = sign * fraction / 1024 * 0x1p-14
		case exponent < 31:
			want = sign * (1 + fraction/1024) * math.Pow(2, float64(exponent-15))
		case fraction == 0:
			want = math.Inf(int(sign))
		default:
			want = math.NaN()
		}
		got := half(uint16(bits))
		if float64(got) != want && !(math.IsNaN(want) && got != got) || math.Signbit(float64(got)) != (bits>>15 == 1) {
			t.Fatalf("%#04x is %g, want %g", bits, got, want)
		}
	}
}

func BenchmarkDequantize(b *testing.B) {
	for _, kind := range []uint32{1, 3, 8, 10, 11, 12, 13, 14, 30} {
		g := ggmlTypes[kind]
		dst, src := make([]float32, 1<<16), make([]byte, (1<<16)/g.values*g.bytes)
		b.Run(g.name, func(b *testing.B) {
			b.SetBytes(4 << 16)
			for b.Loop() {
				g.decode(dst, src)
			}
		})
	}
}
