package export

import (
	"fmt"
	"math"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// ggufParts are llama.cpp's names of weights.
var ggufParts = map[slm.Role]string{
	slm.TokenEmbedding: "token_embd.weight", slm.FinalNorm: "output_norm.weight", slm.FinalNormBias: "output_norm.bias",
	slm.OutputHead: "output.weight", slm.AttentionNorm: "attn_norm.weight", slm.AttentionNormBias: "attn_norm.bias",
	slm.Query: "attn_q.weight", slm.Key: "attn_k.weight", slm.Value: "attn_v.weight",
	slm.QueryNorm: "attn_q_norm.weight", slm.KeyNorm: "attn_k_norm.weight",
	slm.QueryKeyValue: "attn_qkv.weight", slm.QueryKeyValueBias: "attn_qkv.bias",
	slm.AttentionOutput: "attn_output.weight", slm.AttentionBias: "attn_output.bias",
	slm.FFNNorm: "ffn_norm.weight", slm.FFNNormBias: "ffn_norm.bias",
	slm.Gate: "ffn_gate.weight", slm.Up: "ffn_up.weight", slm.UpBias: "ffn_up.bias", slm.Down: "ffn_down.weight", slm.DownBias: "ffn_down.bias",
}

// ggufArchitectures are llama.cpp's names of the families.
var ggufArchitectures = map[slm.Family]string{slm.GPTNeoX: "gptneox", slm.Llama: "llama", slm.Qwen3: "qwen3"}

// ggufFileTypes are llama.cpp's numbers of what most of a file's weights are.
var ggufFileTypes = map[DType]uint32{Float32: 0, Float16: 1, BFloat16: 32}

// ggufHyperparameters are the header's values of a plain model's architecture. llama.cpp reads factors of rotated pairs
// only of Llamas.
func ggufHyperparameters(c slm.Config) ([]ggufValue, error) {
	family := ggufArchitectures[c.Family]
	var out []ggufValue
	set := func(key string, value any) { out = append(out, ggufValue{family + "." + key, value}) }
	set("context_length", uint32(c.Context))
	set("embedding_length", uint32(c.Embd))
	set("block_count", uint32(c.Layers))
	set("feed_forward_length", uint32(c.FFN))
	set("attention.head_count", uint32(c.Heads))
	set("attention.head_count_kv", uint32(c.QueryGroups))
	set("vocab_size", uint32(c.Vocab))
	set("rope.freq_base", float32(c.RopeTheta))
	set("rope.dimension_count", uint32(2*len(c.Frequencies(c.HeadSize))))
	if c.Family == slm.GPTNeoX {
		set("attention.layer_norm_epsilon", float32(c.NormEps))
		set("use_parallel_residual", c.ParallelResidual)
	} else {
		set("attention.layer_norm_rms_epsilon", float32(c.NormEps))
		set("attention.key_length", uint32(c.HeadSize))
		set("attention.value_length", uint32(c.HeadSize))
	}
	switch {
	case c.RopeScaling.Kind == slm.LinearScaling:
		set("rope.scaling.type", "linear")
		set("rope.scaling.factor", float32(c.RopeScaling.Factor))
	case c.RopeScaling.Kind != "" && c.Family != slm.Llama:
		return nil, fmt.Errorf("llama.cpp has no rotary scaling of the kind %q for the family %s", c.RopeScaling.Kind, c.Family)
	}
	return out, nil
}

// ggufTensors are a plain model's tensors in llama.cpp's names and orders. Vectors stay in float32, as llama.cpp wants it.
func ggufTensors(c slm.Config, weights checkpoint.Source, dtype DType) []ggufTensor {
	var out []ggufTensor
	whole := slm.Subnet{}
	add := func(prefix, name string, w slm.Weight) {
		sizes := whole.Sizes(c, slm.LayerSubnet{}, w)
		t := ggufTensor{name: prefix + ggufParts[w.Role], shape: w.MatrixShape(sizes), dtype: dtype}
		if w.IsVector() {
			t.dtype = Float32
		}
		t.read = func() ([]float32, error) {
			values := make([]float32, product(sizes))
			if err := weights.Read(name, values); err != nil {
				return nil, err
			}
			return ggufOrder(c, w.Role, values), nil
		}
		out = append(out, t)
	}
	for _, w := range c.OuterWeights() {
		add("", w.Name, w)
	}
	if c.Tied && c.Family == slm.GPTNeoX { // llama.cpp asks for the head
		w := c.OuterWeights()[0]
		add("", w.Name, w)
		out[len(out)-1].name = ggufParts[slm.OutputHead]
	}
	if factors := ropeFactors(c); factors != nil {
		out = append(out, ggufTensor{"rope_freqs.weight", []int{len(factors)}, Float32, func() ([]float32, error) { return factors, nil }})
	}
	for i := range c.Layers {
		for _, w := range c.LayerWeights() {
			add(fmt.Sprintf("blk.%d.", i), w.In(i), w)
		}
	}
	return out
}

// ropeFactors divide the frequencies of the rotated pairs; nil where llama.cpp computes them by itself.
func ropeFactors(c slm.Config) []float32 {
	if c.RopeScaling.Kind == "" || c.RopeScaling.Kind == slm.LinearScaling {
		return nil
	}
	frequencies := c.Frequencies(c.HeadSize)
	out := make([]float32, len(frequencies))
	for i, f := range frequencies {
		out[i] = float32(math.Pow(c.RopeTheta, -float64(i)/float64(len(frequencies))) / f)
	}
	return out
}

// ggufOrder puts the rows of a weight into llama.cpp's order, as its convert_hf_to_gguf.py does. Llama's queries and keys
// turn in neighbouring pairs (2i, 2i+1) there, not in pairs (i, i+half). Of GPT-NeoX, whose files hold each head's query,
// key and value rows together, it wants all queries, then all keys, then all values.
func ggufOrder(c slm.Config, role slm.Role, values []float32) []float32 {
	out := make([]float32, len(values))
	switch {
	case c.Family == slm.Llama && (role == slm.Query || role == slm.Key):
		interleave(out, values, c.HeadSize, c.Embd)
	case role == slm.QueryKeyValue, role == slm.QueryKeyValueBias:
		rows := len(values) / (3 * c.Heads) // values of a head's queries
		for head := range c.Heads {
			for part := range 3 {
				copy(out[(part*c.Heads+head)*rows:], values[(head*3+part)*rows:][:rows])
			}
		}
	default:
		return values
	}
	return out
}

// interleave moves row i of half s of each head to row 2i+s; rows have the given width.
func interleave(dst, src []float32, headSize, width int) {
	half := headSize / 2
	for head := 0; head < len(src); head += headSize * width {
		for i := range half {
			for s := range 2 {
				to, from := head+(2*i+s)*width, head+(s*half+i)*width
				copy(dst[to:to+width], src[from:from+width])
			}
		}
	}
}
