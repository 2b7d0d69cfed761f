package slm

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// Where rejection is possible, the sampler draws from the same distribution: the frequencies of depth, width, mean FFN and
// mean heads agree.
func TestSamplerIsRejectionWithoutRejecting(t *testing.T) {
	for _, name := range []string{"smollm2-135m", "pythia-70m"} {
		teacher, err := Published(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, space := range []Space{CoarseUniform, CoarseLayerWise} {
			space.Depth = Dim{Min: 2, Max: 6, Step: 1}
			space, err := space.For(teacher)
			if err != nil {
				t.Fatal(err)
			}
			least, most := space.Reach(teacher)
			bin := Bin{least + (most-least)/4, least + (most-least)/4*2}
			const n = 6000
			s, r := newSampler(space, teacher, bin), rand.New(rand.NewPCG(1, 2))
			var drawn, rejected [4]float64
			for range n {
				g, ok := s.draw(r)
				if !ok || !space.contains(g) {
					t.Fatal("nothing was drawn")
				}
				add(t, &drawn, space, teacher, g, bin)
			}
			for accepted := 0; accepted < n; {
				g := space.sample(teacher, r)
				if sub := space.subnet(teacher, g); bin.Contains(sub.Parameters(teacher).Total()) {
					add(t, &rejected, space, teacher, g, bin)
					accepted++
				}
			}
			for i, what := range []string{"depth", "width", "FFN", "heads"} {
				if math.Abs(drawn[i]-rejected[i]) > 0.02*rejected[i] {
					t.Errorf("%s, %s: mean %s %.4f, by rejection %.4f", name, space.Scope, what, drawn[i]/n, rejected[i]/n)
				}
			}
		}
	}
}

// add adds a sub-network's depth, width, mean FFN and mean heads to sums.
func add(t *testing.T, sums *[4]float64, space Space, teacher Config, g genome, bin Bin) {
	t.Helper()
	s := space.subnet(teacher, g)
	if n := s.Parameters(teacher).Total(); !bin.Contains(n) {
		t.Fatalf("%d parameters, outside %s", n, bin)
	}
	depth := float64(s.Depth(teacher))
	sums[0] += depth
	sums[1] += float64(g.embd)
	for shape := range s.shapes(teacher) {
		sums[2] += float64(shape.FFN) / depth
		sums[3] += float64(shape.Heads) / depth
	}
}

// The paper's bins of a 12B teacher, where rejection would try for ever: a candidate takes milliseconds.
func TestSamplerReachesThePapersBins(t *testing.T) {
	teacher, err := Published("pythia-12b")
	if err != nil {
		t.Fatal(err)
	}
	for _, space := range []Space{CoarseUniform, CoarseLayerWise, FineUniform, FineLayerWise} {
		space, err := space.For(teacher)
		if err != nil {
			t.Fatal(err)
		}
		for _, center := range []float64{410e6, 1e9, 2.8e9} {
			bin := Around(center, 0.05)
			begin := time.Now()
			s, r := newSampler(space, teacher, bin), rand.New(rand.NewPCG(1, 2))
			made := time.Since(begin)
			begin = time.Now()
			for range 20 {
				g, ok := s.draw(r)
				if !ok {
					t.Fatalf("%s, %s: nothing was drawn", space.Scope, bin)
				}
				space.settle(teacher, &g, r)
				if n := space.subnet(teacher, g).Parameters(teacher).Total(); !bin.Contains(n) {
					t.Fatalf("%d parameters, outside %s", n, bin)
				}
			}
			t.Logf("%s %s, %s: tables in %v, a candidate in %v", space.Granularity, space.Scope, bin, made, time.Since(begin)/20)
		}
	}
}

// A fine layer-wise candidate of a 12B teacher, as a search draws it.
func BenchmarkSample(b *testing.B) {
	teacher, err := Published("pythia-12b")
	if err != nil {
		b.Fatal(err)
	}
	for _, space := range []Space{FineUniform, FineLayerWise, WhittleMedium} {
		b.Run(space.Name(), func(b *testing.B) {
			p, err := newProposer(Search{Space: space, Bin: Around(1e9, 0.05)}.WithDefaults(), teacher, 0, nil)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := p.random(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// However narrow a bin, and however many widths there are, a count that exists is found.
func TestNarrowBinsOfManyWidthsAreHit(t *testing.T) {
	teacher := smol(t)
	space, err := Space{Granularity: Coarse, Scope: Uniform, Depth: Frozen(12), Embd: Dim{Min: 64, Max: 576, Step: 1}, QueryGroups: Frozen(3),
		HeadsPerGroup: Frozen(3), FFN: Frozen(768)}.For(teacher)
	if err != nil {
		t.Fatal(err)
	}
	for width := 64; width <= 576; width += 5 {
		count := Subnet{}.Parameters(Sizes{12, width, 3, 3, 64, 768}.Config(teacher)).Total()
		if err := space.unreachable(teacher, Bin{count, count}); err != nil {
			t.Errorf("width %d: %v", width, err)
		}
	}
}

// Evolution over few layers drops the only one now and then; such a child is refused, and nothing else happens.
func TestFineUniformSearchOfFewLayers(t *testing.T) {
	teacher := Config{Name: "small", Family: GPTNeoX, Layers: 8, Embd: 256, Heads: 8, QueryGroups: 8, HeadSize: 32, FFN: 1024,
		Vocab: 4096, Context: 512, NormEps: 1e-5, RopeTheta: 10000, RotaryFraction: 0.25, ParallelResidual: true}
	for seed := range uint64(30) {
		run(t, Search{Space: FineUniform, Bin: Around(1.5e6, 0.05), Seed: seed + 1}.WithDefaults(), teacher, toyLoss)
	}
}
