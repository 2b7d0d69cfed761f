package check

import (
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// small is an architecture whose sizes are all different, so that no mistake looks like another.
var small = slm.Config{Name: "small", Family: slm.GPTNeoX, Layers: 3, Embd: 20, Heads: 4, QueryGroups: 4, HeadSize: 6, FFN: 70, Vocab: 500,
	Context: 128, NormEps: 1e-5, RopeTheta: 1e4}

func TestEmbedding(t *testing.T) {
	for _, s := range []said{
		{"none", Embedding(small, 0), Open, "not answered"},
		{"right", Embedding(small, 500*20), Solved, "10,000"},
		{"with the head", Embedding(small, 2*500*20), Wrong, "output head"},
		{"a sum", Embedding(small, 520), Wrong, "rows times columns"},
		{"tokens", Embedding(small, 500), Wrong, "not one"},
		{"a row", Embedding(small, 20), Wrong, "one token"},
		{"context", Embedding(small, 128*20), Wrong, "context"},
		{"negative", Embedding(small, -5), Wrong, "negative"},
		{"too many", Embedding(small, 10001), Wrong, "too many, by 1"},
		{"too few", Embedding(small, 9000), Wrong, "too few, by 1,000"},
	} {
		s.run(t)
	}
}
