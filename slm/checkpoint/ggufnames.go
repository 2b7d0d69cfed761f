package checkpoint

import (
	"fmt"

	"github.com/offshoot-ml/offshoot/slm"
)

// ggufNames are llama.cpp's names of weights; those in layers follow "blk.N.".
var ggufNames = map[slm.Role]string{
	slm.TokenEmbedding: "token_embd.weight", slm.OutputHead: "output.weight",
	slm.FinalNorm: "output_norm.weight", slm.FinalNormBias: "output_norm.bias",
	slm.AttentionNorm: "attn_norm.weight", slm.AttentionNormBias: "attn_norm.bias",
	slm.Query: "attn_q.weight", slm.Key: "attn_k.weight", slm.Value: "attn_v.weight",
	slm.QueryNorm: "attn_q_norm.weight", slm.KeyNorm: "attn_k_norm.weight",
	slm.QueryKeyValue: "attn_qkv.weight", slm.QueryKeyValueBias: "attn_qkv.bias",
	slm.AttentionOutput: "attn_output.weight", slm.AttentionBias: "attn_output.bias",
	slm.FFNNorm: "ffn_norm.weight", slm.FFNNormBias: "ffn_norm.bias", slm.Gate: "ffn_gate.weight",
	slm.Up: "ffn_up.weight", slm.UpBias: "ffn_up.bias", slm.Down: "ffn_down.weight", slm.DownBias: "ffn_down.bias",
}

// ropeFactors is the tensor of the divisors of rotary frequencies.
const ropeFactors = "rope_freqs.weight"

// namedWeight is a weight with its name in transformers, that of its layer.
type namedWeight struct {
	slm.Weight
	name string
}

// ggufWeights yields the weights that a model of architecture c has, by llama.cpp's names.
func ggufWeights(c slm.Config) func(yield func(ggufName string, w namedWeight) bool) {
	return func(yield func(string, namedWeight) bool) {
		for _, w := range c.OuterWeights() {
			if !yield(ggufNames[w.Role], namedWeight{w, w.Name}) {
				return
			}
		}
		for l := range c.Layers {
			for _, w := range c.LayerWeights() {
				if !yield(fmt.Sprintf("blk.%d.%s", l, ggufNames[w.Role]), namedWeight{w, w.In(l)}) {
					return
				}
			}
		}
	}
}

// runOrder says in which order llama.cpp stores a weight's rows: in runs of so many rows, and the run that is stored as
// number i is number place(i) in transformers. place is nil where the order is the same.
//
// llama.cpp rotates neighbouring pairs (2i, 2i+1) of Llama's heads, transformers the pairs (i, i+half) of every family's:
// its converter interleaves the rows of Llama's query and key projections (conversion/llama.py, permute). GPT-NeoX's
// fused projection has query, key and value rows for each head in turn; the converter collects all heads' queries, then
// all keys, then all values (conversion/gptneox.py).
func runOrder(c slm.Config, role slm.Role) (rows int, place func(run int) int) {
	switch {
	case c.Family == slm.Llama && (role == slm.Query || role == slm.Key):
		size := c.HeadSize
		return 1, func(row int) int {
			head, i := row/size*size, row%size
			return head + i%2*(size/2) + i/2
		}
	case role == slm.QueryKeyValue || role == slm.QueryKeyValueBias:
		return c.HeadSize, func(run int) int { return run%c.Heads*3 + run/c.Heads }
	}
	return 1, nil
}
