package export_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/export"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// smallLlama is a Llama small enough to compile and run in milliseconds, with every kind of dimension.
var smallLlama = slm.Config{Name: "small-llama", Family: slm.Llama, Layers: 3, Embd: 36, Heads: 6, QueryGroups: 3, HeadSize: 8, FFN: 24,
	Vocab: 64, Context: 64, NormEps: 1e-5, RopeTheta: 10000, Tied: true}

// smallTeachers are architectures of each family, with what is special to it. Large epsilons would show in norms over more
// dimensions.
func smallTeachers() []slm.Config {
	llama3 := smallLlama
	llama3.Name, llama3.Tied = "small-llama3", false
	llama3.RopeScaling = slm.RopeScaling{Kind: slm.Llama3Scaling, Factor: 4, LowFrequencyFactor: 1, HighFrequencyFactor: 4, OriginalContext: 32}
	qwen := smallLlama
	qwen.Name, qwen.Family, qwen.NormEps = "small-qwen", slm.Qwen3, 1e-2
	neox := smallLlama
	neox.Name, neox.Family, neox.QueryGroups, neox.Tied, neox.NormEps = "small-neox", slm.GPTNeoX, 6, false, 1e-2
	neox.Embd, neox.RotaryFraction, neox.ParallelResidual = 48, 0.5, true
	sequential := neox
	sequential.Name, sequential.ParallelResidual, sequential.RotaryFraction, sequential.Tied = "small-neox-sequential", false, 0, true
	return []slm.Config{smallLlama, llama3, qwen, neox, sequential}
}

// spread gives weights in which no part of a model is negligible: norms' scales are not 1, and biases not 0.
func spread(c slm.Config, s slm.Subnet, seed uint64) checkpoint.Weights {
	weights := model.RandomWeights(c, s, seed)
	r := rand.New(rand.NewPCG(seed, 2))
	for name := range s.Tensors(c) { // in a fixed order
		w := weights[name]
		for i := range w.Data {
			if len(w.Shape) == 1 {
				w.Data[i] += 0.3 * float32(r.NormFloat64())
			} else {
				w.Data[i] *= 12
			}
		}
	}
	return weights
}

// drawn is a sub-network with any index sets. By the bits of its seed its layers differ in FFN sizes, in heads and groups,
// and in head sizes; query groups keep unequal numbers of heads.
func drawn(c slm.Config, rotary slm.Rotary, seed uint64) slm.Subnet {
	r := rand.New(rand.NewPCG(seed, 1))
	some := func(size, least int) slm.Indices { return slm.IndicesOf(r.Perm(size)[:least+r.IntN(size-least+1)]...) }
	layer := func() (l slm.LayerSubnet) {
		l.FFN, l.QueryGroups, l.HeadSize = some(c.FFN, 3), some(c.QueryGroups, 1), slm.First(4)
		if r.IntN(2) == 0 {
			l.HeadSize = slm.First(8)
		}
		var heads []int
		for _, g := range l.QueryGroups.Slice(c.QueryGroups) {
			for _, h := range some(c.HeadsPerGroup(), 1).Slice(c.HeadsPerGroup()) {
				heads = append(heads, g*c.HeadsPerGroup()+h)
			}
		}
		l.Heads = slm.IndicesOf(heads...)
		if rotary == slm.Kept {
			l.HeadSize = keptPairs(c, r)
		}
		return l
	}
	s, same := slm.Subnet{Embd: some(c.Embd, 9), Rotary: rotary}, layer()
	for _, i := range some(c.Layers, 2).Slice(c.Layers) {
		l, other := same, layer()
		if seed&1 != 0 {
			l.FFN = other.FFN
		}
		if seed&2 != 0 {
			l.QueryGroups, l.Heads = other.QueryGroups, other.Heads
		}
		if seed&4 != 0 {
			l.HeadSize = other.HeadSize
		}
		l.Layer = i
		s.Layers = append(s.Layers, l)
	}
	return s
}

// keptPairs draws whole rotated pairs of a head, and dimensions that do not turn.
func keptPairs(c slm.Config, r *rand.Rand) slm.Indices {
	rotated := 2 * len(c.Frequencies(c.HeadSize))
	var kept []int
	for _, pair := range r.Perm(rotated / 2)[:1+r.IntN(rotated/2)] {
		kept = append(kept, pair, pair+rotated/2)
	}
	for d := rotated; d < c.HeadSize; d++ {
		if r.IntN(2) == 0 {
			kept = append(kept, d)
		}
	}
	return slm.IndicesOf(kept...)
}

// newBackend is GoMLX's own: it compiles nothing, which takes XLA most of a second for each shape of these small models.
func newBackend(t *testing.T) compute.Backend {
	t.Helper()
	backend, err := compute.NewWithConfig("go")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(backend.Finalize)
	return backend
}

func load(t *testing.T, backend compute.Backend, c slm.Config, w checkpoint.Source) *model.Teacher {
	t.Helper()
	m, err := model.Load(t.Context(), backend, c, w, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// logits are those of a sub-network in place, [B·T, V] for two sequences of 24 tokens.
func logits(t *testing.T, m *model.Teacher, s slm.Subnet) []float32 {
	t.Helper()
	out, err := m.SubnetLogits(t.Context(), s, tensors.FromFlatDataAndDimensions(someTokens(), 2, 24))
	if err != nil {
		t.Fatal(err)
	}
	defer out.MustFinalizeAll()
	return tensors.MustCopyFlatData[float32](out)
}

func someTokens() []int32 {
	ids := make([]int32, 48)
	for i := range ids {
		ids[i] = int32((i*i*31 + 7*i + 3) % 64)
	}
	return ids
}

// distance is the largest difference of logits, relative to the largest logit.
func distance(t *testing.T, got, want []float32) float64 {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d logits, want %d", len(got), len(want))
	}
	difference, largest := 0.0, 0.0
	for i := range want {
		difference = max(difference, math.Abs(float64(got[i]-want[i])))
		largest = max(largest, math.Abs(float64(want[i])))
	}
	if largest < 0.1 {
		t.Fatalf("the logits are negligible: at most %g", largest)
	}
	return difference / largest
}

// A student as a plain model of its family has the logits of the sub-network inside its teacher, whatever its layers are.
func TestPlainModelsComputeTheSame(t *testing.T) {
	backend := newBackend(t)
	for _, c := range smallTeachers() {
		t.Run(c.Name, func(t *testing.T) {
			teacher, worst := load(t, backend, c, spread(c, slm.Subnet{}, 5)), 0.0
			for i := range uint64(64) {
				s := drawn(c, []slm.Rotary{slm.Recomputed, slm.Kept}[i/8%2], i)
				text, _ := json.Marshal(s)
				weights, err := teacher.Extract(s)
				if err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				plain, source, err := export.Student{Teacher: c, Subnet: s, Weights: weights}.Plain()
				if err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				m, err := model.Load(t.Context(), backend, plain, source, nil)
				if err != nil {
					t.Fatal(err)
				}
				d := distance(t, logits(t, m, slm.Subnet{}), logits(t, teacher, s))
				m.Close()
				if worst = max(worst, d); !(d <= 1e-5) {
					t.Errorf("%s as %+v: logits differ by %g", text, plain, d)
				}
			}
			t.Logf("logits differ by at most %.1e of the largest", worst)
		})
	}
}
