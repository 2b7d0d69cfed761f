package slm

import (
	"math/rand/v2"
	"testing"
)

// benchSubnets are layer-wise sub-networks of pythia-12b with all 36 layers: a coarse one, and a fine one, whose index
// sets are drawn at random and so have some thousand ranges.
func benchSubnets(tb testing.TB) (teacher Config, subnets map[string]Subnet) {
	tb.Helper()
	teacher, err := Published("pythia-12b")
	if err != nil {
		tb.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	half := func(size int) Indices { return IndicesOf(r.Perm(size)[:size/2+r.IntN(size/4)]...) }
	fine := Subnet{Embd: half(teacher.Embd)}
	for l := range teacher.Layers {
		fine.Layers = append(fine.Layers, LayerSubnet{Layer: l, Heads: half(teacher.Heads), FFN: half(teacher.FFN)})
	}
	space := CoarseLayerWise
	space.Depth = Frozen(teacher.Layers)
	if space, err = space.For(teacher); err != nil {
		tb.Fatal(err)
	}
	return teacher, map[string]Subnet{"coarse": space.subnet(teacher, space.sample(teacher, r)), "fine": fine}
}

var counted int64 // what is counted, so that no count is optimized away

// counts are the quantities that a search or a figure asks of every candidate.
func counts(teacher Config) map[string]func(Subnet) {
	return map[string]func(Subnet){
		"parameters": func(s Subnet) { counted += s.Parameters(teacher).Total() },
		"FLOPs":      func(s Subnet) { counted += s.ForwardFLOPs(teacher, 2048) },
		"KV bytes":   func(s Subnet) { counted += s.KVCacheBytes(teacher, 2048, 2) },
		"all three": func(s Subnet) {
			counted += s.Parameters(teacher).Total() + s.ForwardFLOPs(teacher, 2048) + s.KVCacheBytes(teacher, 2048, 2)
		},
		"validate": func(s Subnet) {
			if err := s.Validate(teacher); err != nil {
				panic(err)
			}
		},
	}
}

// A search counts millions of candidates: the three counts of a 12B teacher's sub-network take some microseconds, and
// neither they nor its validation leave garbage.
func BenchmarkCounts(b *testing.B) {
	teacher, subnets := benchSubnets(b)
	for kind, subnet := range subnets {
		for name, count := range counts(teacher) {
			b.Run(kind+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					count(subnet)
				}
			})
		}
	}
}

func TestCountsDoNotAllocate(t *testing.T) {
	teacher, subnets := benchSubnets(t)
	for kind, subnet := range subnets {
		for name, count := range counts(teacher) {
			if n := testing.AllocsPerRun(10, func() { count(subnet) }); n != 0 {
				t.Errorf("%s of a %s sub-network: %g allocations", name, kind, n)
			}
		}
	}
}
