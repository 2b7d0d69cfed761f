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
	for _, s := range []said{
		{"none", Embedding(small, 0), Open, "not answered"},
		{"right", Embedding(small, 500*32), Solved, "16,000"},
		{"with the head", Embedding(small, 2*500*32), Wrong, "output head"},
		{"a sum", Embedding(small, 532), Wrong, "rows times columns"},
		{"tokens", Embedding(small, 500), Wrong, "not one"},
		{"a row", Embedding(small, 32), Wrong, "one token"},
		{"context", Embedding(small, 128*32), Wrong, "context"},
		{"negative", Embedding(small, -5), Wrong, "negative"},
		{"too many", Embedding(small, 16001), Wrong, "too many, by 1"},
		{"too few", Embedding(small, 15000), Wrong, "too few, by 1,000"},
	} {
		s.run(t)
	}
}

func TestFFNShare(t *testing.T) {
	counts := slm.Subnet{}.Parameters(small)
	ffn, attention, head, total := float64(counts.FFN), float64(counts.Attention), float64(counts.Head), float64(counts.Total())
	for _, s := range []said{
		{"none", FFNShare(small, 0), Open, "not answered"},
		{"right", FFNShare(small, ffn/total), Solved, "%"},
		{"per cent", FFNShare(small, 100*ffn/total), Wrong, "per cent"},
		{"a layer", FFNShare(small, ffn/5/total), Wrong, "one layer"},
		{"without head", FFNShare(small, ffn/(total-head)), Wrong, "lacks the output head"},
		{"of the layers", FFNShare(small, ffn/(ffn+attention)), Wrong, "layers only"},
		{"attention", FFNShare(small, attention/total), Wrong, "attention"},
		{"not divided", FFNShare(small, ffn), Wrong, "Divide"},
		{"inverse", FFNShare(small, total/ffn), Wrong, "other way round"},
		{"no number", FFNShare(small, math.NaN()), Wrong, "no number"},
		{"too much", FFNShare(small, 0.99), Wrong, "too much"},
		{"too little", FFNShare(small, -1), Wrong, "too little"},
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
		{"probability", Perplexity(func(x float64) float64 { return math.Exp(-x) }), Wrong, "probability"},
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

func TestLeastMissed(t *testing.T) {
	for _, s := range []said{
		{"none", LeastMissed(drop, -1), Open, "not answered"},
		{"right", LeastMissed(drop, 3), Solved, "0.100"},
		{"most", LeastMissed(drop, 0), Wrong, "loses the most"},
		{"from 1", LeastMissed(drop, 4), Wrong, "counting from 1"},
		{"other", LeastMissed(drop, 2), Wrong, "loses less"},
		{"outside", LeastMissed(drop, 5), Wrong, "0 to 4"},
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
		{"all", keeps(0, 1, 2, 3, 4), Wrong, "5 layers stay"},
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
