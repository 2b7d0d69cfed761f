package check

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// small is an architecture whose sizes are all different, so that no mistake looks like another.
var small = slm.Config{Name: "small", Family: slm.GPTNeoX, Layers: 5, Embd: 32, Heads: 4, QueryGroups: 4, HeadSize: 8, FFN: 70, Vocab: 500,
	Context: 128, NormEps: 1e-5, RopeTheta: 1e4, RotaryFraction: 0.5}

func TestEmbedding(t *testing.T) {
	by := func(f func(m slm.Config) int) Verdict { return Embedding(small, f) }
	always := func(n int) Verdict { return by(func(slm.Config) int { return n }) }
	for _, s := range []said{
		{"none", always(0), Open, "not answered"},
		{"right", by(func(m slm.Config) int { return m.Embd * m.Vocab }), Solved, "16,000"},
		{"of this model", always(500 * 32), Wrong, "right for this teacher"},
		{"with the head", by(func(m slm.Config) int { return 2 * m.Vocab * m.Embd }), Wrong, "output head"},
		{"a sum", by(func(m slm.Config) int { return m.Vocab + m.Embd }), Wrong, "rows times columns"},
		{"tokens", by(func(m slm.Config) int { return m.Vocab }), Wrong, "not one"},
		{"a row", by(func(m slm.Config) int { return m.Embd }), Wrong, "one token"},
		{"context", by(func(m slm.Config) int { return m.Context * m.Embd }), Wrong, "context"},
		{"bytes", by(func(m slm.Config) int { return 4 * m.Vocab * m.Embd }), Wrong, "bytes"},
		{"other", always(5), Wrong, "embedding of a model with Vocab 500 and Embd 32 gives 5, and should give 1.6e+04"},
		{"panic", by(func(slm.Config) int { panic("oh") }), Wrong, "panicked"},
	} {
		s.run(t)
	}
}

func TestFFNShare(t *testing.T) {
	by := func(f func(c slm.Counts) float64) Verdict { return FFNShare(small, f) }
	share := func(part, whole func(c slm.Counts) int64) Verdict {
		return by(func(c slm.Counts) float64 { return float64(part(c)) / float64(whole(c)) })
	}
	ffn, total := func(c slm.Counts) int64 { return c.FFN }, slm.Counts.Total
	teachers := slm.Subnet{}.Parameters(small)
	for _, s := range []said{
		{"none", by(func(slm.Counts) float64 { return 0 }), Open, "not answered"},
		{"right", share(ffn, total), Solved, "%"},
		{"whole numbers", by(func(c slm.Counts) float64 { return float64(c.FFN / c.Total()) }), Wrong, "whole number"},
		{"of this model", by(func(slm.Counts) float64 { return float64(teachers.FFN) / float64(teachers.Total()) }), Wrong, "any model"},
		{"per cent", by(func(c slm.Counts) float64 { return 100 * float64(c.FFN) / float64(c.Total()) }), Wrong, "per cent"},
		{"a layer", by(func(c slm.Counts) float64 { return float64(c.FFN) / 5 / float64(c.Total()) }), Wrong, "one layer"},
		{"without head", share(ffn, func(c slm.Counts) int64 { return c.Total() - c.Head }), Wrong, "lacks the output head"},
		{"of the layers", share(ffn, func(c slm.Counts) int64 { return c.FFN + c.Attention }), Wrong, "layers only"},
		{"attention", share(func(c slm.Counts) int64 { return c.Attention }, total), Wrong, "attention"},
		{"not divided", share(ffn, func(slm.Counts) int64 { return 1 }), Wrong, "Divide"},
		{"inverse", share(total, ffn), Wrong, "other way round"},
		{"no number", by(func(slm.Counts) float64 { return math.NaN() }), Wrong, "gives NaN"},
		{"other", by(func(slm.Counts) float64 { return 0.99 }), Wrong, "teacher's counts gives 0.99"},
	} {
		s.run(t)
	}
}

func TestPerplexity(t *testing.T) {
	for _, s := range []said{
		{"none", Perplexity(func(float64) float64 { return 0 }), Open, "not answered"},
		{"right", Perplexity(math.Exp), Solved, "perplexity 1"},
		{"the loss", Perplexity(func(x float64) float64 { return x }), Wrong, "loss itself"},
		{"base 2", Perplexity(math.Exp2), Wrong, "bits"},
		{"base 10", Perplexity(func(x float64) float64 { return math.Pow(10, x) }), Wrong, "10 to the power"},
		{"probability", Perplexity(func(x float64) float64 { return math.Exp(-x) }), Wrong, "probabilities"},
		{"logarithm", Perplexity(math.Log), Wrong, "logarithm"},
		{"other", Perplexity(func(float64) float64 { return 7 }), Wrong, "should make 12.18"},
		{"no number", Perplexity(func(float64) float64 { return math.NaN() }), Wrong, "should make"},
		{"panic", Perplexity(func(float64) float64 { panic("oh") }), Wrong, "panicked: oh"},
	} {
		s.run(t)
	}
}

func TestHeads(t *testing.T) {
	for _, s := range []said{
		{"none", Heads(small, 0), Open, "not answered"},
		{"right", Heads(small, 20), Solved, "20 maps"},
		{"one layer", Heads(small, 4), Wrong, "one layer"},
		{"layers", Heads(small, 5), Wrong, "number of layers"},
		{"sum", Heads(small, 9), Wrong, "adds"},
		{"width", Heads(small, 32), Wrong, "how wide"},
		{"dimensions", Heads(small, 160), Wrong, "dimensions of all heads"},
	} {
		s.run(t)
	}
}

// drop has layers 3 and 1 as those that are missed least.
var drop = slm.Importance{Method: slm.LayerDrop, Layers: []float64{2, 0.2, 0.5, 0.1, 0.9}}

func TestPerplexityWithout(t *testing.T) {
	without := func(answer float64) Verdict { return PerplexityWithout(drop, 4, answer) }
	for _, s := range []said{
		{"none", without(0), Open, "not answered"},
		{"right", without(math.Exp(0.9)), Solved, "2.46"},
		{"rounded", without(2.46), Solved, "ratio"},
		{"nats", without(0.9), Wrong, "in nats"},
		{"one more", without(1.9), Wrong, "adds 1"},
		{"inverse", without(math.Exp(-0.9)), Wrong, "other way round"},
		{"growth", without(1.46), Wrong, "one more"},
		{"growth in per cent", without(146), Wrong, "per cent it grows"},
		{"per cent", without(246), Wrong, "in per cent"},
		{"base 2", without(math.Exp2(0.9)), Wrong, "bits"},
		{"first layer", without(math.Exp(2)), Wrong, "last one"},
		{"too much", without(3), Wrong, "too much"},
	} {
		s.run(t)
	}
}

func TestKeepsLayers(t *testing.T) {
	keeps := func(layers ...int) Verdict {
		return KeepsLayers(drop, func(i int) bool {
			for _, l := range layers {
				if i == l {
					return true
				}
			}
			return false
		})
	}
	for _, s := range []said{
		{"none", keeps(), Open, "not answered"},
		{"right", keeps(0, 2, 4), Solved, "[0 2 4]"},
		{"inverse", keeps(1, 3), Wrong, "other way round"},
		{"most", keeps(1, 2, 3), Wrong, "missed most"},
		{"all", keeps(0, 1, 2, 3, 4), Wrong, "all layers stay"},
		{"four", keeps(0, 1, 2, 4), Wrong, "4 layers stay"},
		{"others", keeps(0, 1, 4), Wrong, "not the two"},
		{"panic", KeepsLayers(drop, func(i int) bool { return []bool{true}[i] }), Wrong, "index out of range"},
	} {
		s.run(t)
	}
}

func TestSubnetwork(t *testing.T) {
	// layers is a sub-network with the same fields in some layers.
	layers := func(fields string, numbers ...int) string {
		text := ""
		for _, n := range numbers {
			number, _ := json.Marshal(n)
			if text != "" {
				text += ","
			}
			text += `{"layer":` + string(number) + fields + "}"
		}
		return `{"layers":[` + text + `]}`
	}
	const half = `,"heads":"0-1","ffn":"0-34"`
	for _, s := range []said{
		{"none", Subnetwork(small, ""), Open, "not answered"},
		{"right", Subnetwork(small, layers(half, 0, 2, 4)), Solved, "stay"},
		{"by groups", Subnetwork(small, layers(`,"query_groups":"0-1","ffn":"0-34"`, 0, 2, 4)), Solved, "stay"},
		{"no JSON", Subnetwork(small, "layers 0 and 2"), Wrong, "no sub-network"},
		{"a number", Subnetwork(small, `{"layers":[{"layer":0,"heads":2}]}`), Wrong, "cannot unmarshal number"},
		{"unknown field", Subnetwork(small, `{"layer":[]}`), Wrong, "unknown field"},
		{"two", Subnetwork(small, `{} {}`), Wrong, "more text"},
		{"outside", Subnetwork(small, layers(`,"heads":"0-4"`, 0, 2, 4)), Wrong, "outside the teacher's 0-3"},
		{"all", Subnetwork(small, "{}"), Wrong, "all of the teacher"},
		{"embedding", Subnetwork(small, `{"embd":"0-15","layers":[{"layer":0}]}`), Wrong, "16 of 32 embedding"},
		{"odd layers", Subnetwork(small, layers(half, 1, 3)), Wrong, "[1 3]"},
		{"too few layers", Subnetwork(small, layers(half, 0, 2)), Wrong, "[0 2]"},
		{"one head more", Subnetwork(small, layers(`,"heads":"0-2","ffn":"0-34"`, 0, 2, 4)), Wrong, "one too many"},
		{"all heads", Subnetwork(small, layers(`,"ffn":"0-34"`, 0, 2, 4)), Wrong, "all of its heads"},
		{"one head", Subnetwork(small, layers(`,"heads":"0","ffn":"0-34"`, 0, 2, 4)), Wrong, "1 of 4 heads"},
		{"last heads", Subnetwork(small, layers(`,"heads":"2-3","ffn":"0-34"`, 0, 2, 4)), Wrong, "not the first"},
		{"all neurons", Subnetwork(small, layers(`,"heads":"0-1"`, 0, 2, 4)), Wrong, "all of its neurons"},
		{"small heads", Subnetwork(small, layers(half+`,"head_size":"0-3"`, 0, 2, 4)), Wrong, "head_size"},
	} {
		s.run(t)
	}
}
