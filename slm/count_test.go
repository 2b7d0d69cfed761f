package slm

import (
	"iter"
	"math/rand/v2"
	"testing"
)

// The totals are those of the models' safetensors files on the Hugging Face hub.
func TestPublishedSizes(t *testing.T) {
	for name, want := range map[string]int64{
		"smollm2-135m": 134515008, "smollm2-360m": 361821120, "smollm2-1.7b": 1711376384,
		"pythia-14m": 14067712, "pythia-31m": 30494720, "pythia-70m": 70426624, "pythia-160m": 162322944,
		"pythia-410m": 405334016, "pythia-1b": 1011781632, "pythia-1.4b": 1414647808, "pythia-2.8b": 2775208960,
		"pythia-6.9b": 6857302016, "pythia-12b": 11846072320,
		"tinyllama-1.1b": 1100048384, "llama-2-7b": 6738415616, "llama-3.1-8b": 8030261248, "llama-3.2-1b": 1235814400,
		"llama-3.2-3b": 3212749824, "qwen3-0.6b": 596049920, "qwen3-1.7b": 1720574976, "qwen3-4b": 4022468096, "qwen3-8b": 8190735360,
	} {
		c, err := Published(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
		if got := (Subnet{}).Parameters(c).Total(); got != want {
			t.Errorf("%s has %d parameters, want %d", name, got, want)
		}
	}
}

// The closed forms are what the table of weights adds up to, for sub-networks of every published architecture.
func TestCountsMatchTheTensors(t *testing.T) {
	const seqLen = 128
	for _, name := range PublishedNames() {
		teacher, err := Published(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range samples(t, teacher) {
			var parameters, flops, cached int64
			for _, tensor := range s.Tensors(teacher) {
				n := int64(1)
				for _, d := range s.Sizes(teacher, tensor.Layer, tensor.Weight) {
					n *= int64(d)
				}
				parameters += n
				if !tensor.IsVector() && (tensor.Role != TokenEmbedding || teacher.Tied) { // a tied embedding is the head, too
					flops += 2 * n
				}
			}
			for _, l := range s.KeptLayers(teacher) {
				size := len(l.HeadSize.Slice(teacher.HeadSize))
				flops += int64(4 * seqLen * len(l.heads(teacher).Slice(teacher.Heads)) * size)
				cached += int64(2 * len(l.groups(teacher).Slice(teacher.QueryGroups)) * size * seqLen * 2)
			}
			if got := s.Parameters(teacher).Total(); got != parameters {
				t.Fatalf("%s: %d parameters, its tensors have %d", name, got, parameters)
			}
			if got := s.ForwardFLOPs(teacher, seqLen); got != flops {
				t.Fatalf("%s: %d FLOPs, its matrices make %d", name, got, flops)
			}
			if got := s.KVCacheBytes(teacher, seqLen, 2); got != cached {
				t.Fatalf("%s: a cache of %d bytes, its keys and values take %d", name, got, cached)
			}
		}
	}
}

// samples are 20 random sub-networks of each space, with their space.
func samples(t *testing.T, teacher Config) iter.Seq2[Space, Subnet] {
	t.Helper()
	return func(yield func(Space, Subnet) bool) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, space := range []Space{CoarseUniform, CoarseLayerWise, FineUniform, FineLayerWise} {
			space, err := space.For(teacher)
			if err != nil {
				t.Fatal(err)
			}
			for range 20 {
				if !yield(space, space.subnet(teacher, space.sample(teacher, r))) {
					return
				}
			}
		}
	}
}

func BenchmarkParameters(b *testing.B) {
	teacher := smol(b)
	c, err := Search{Bin: Around(60e6, 0.05)}.Sample(teacher, 1)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		c.Subnet.Parameters(teacher)
	}
}
