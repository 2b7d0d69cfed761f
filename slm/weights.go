package slm

import (
	"fmt"
	"slices"
	"strings"
)

// Axis is a dimension of a weight.
type Axis uint8

// The axes. All but the vocabulary and the three of GPT-NeoX are shortened by a sub-network.
const (
	VocabAxis    Axis = iota // V tokens
	EmbdAxis                 // E embedding dimensions
	HeadAxis                 // H query heads
	GroupAxis                // G query groups: key/value heads
	HeadSizeAxis             // D dimensions of a head
	FFNAxis                  // F neurons
	ThreeAxis                // the query, key and value rows of a head, which GPT-NeoX stores together: always 3
	LayerAxis                // layers, which no single weight has
)

// Role is what a weight does in its layer, or outside the layers.
type Role string

// The roles of weights. A bias follows its weight's role.
const (
	TokenEmbedding Role = "token_embedding"
	FinalNorm      Role = "final_norm"
	FinalNormBias  Role = "final_norm_bias"
	OutputHead     Role = "output_head"

	AttentionNorm     Role = "attention_norm"
	AttentionNormBias Role = "attention_norm_bias"
	Query             Role = "query"
	Key               Role = "key"
	Value             Role = "value"
	QueryNorm         Role = "query_norm"
	KeyNorm           Role = "key_norm"
	QueryKeyValue     Role = "query_key_value" // GPT-NeoX's, for each head its query, key and value rows
	QueryKeyValueBias Role = "query_key_value_bias"
	AttentionOutput   Role = "attention_output"
	AttentionBias     Role = "attention_output_bias"
	FFNNorm           Role = "ffn_norm"
	FFNNormBias       Role = "ffn_norm_bias"
	Gate              Role = "gate"
	Up                Role = "up"
	UpBias            Role = "up_bias"
	Down              Role = "down"
	DownBias          Role = "down_bias"
)

// IsBias reports whether a role is that of a bias.
func (r Role) IsBias() bool { return strings.HasSuffix(string(r), "_bias") }

// Weight is one tensor of an architecture: a matrix, whose rows are its outputs, or a vector.
type Weight struct {
	Role    Role
	Name    string // Hugging Face's; in a layer's weight %d stands for the layer
	Rows    []Axis // slowest first; several are flattened into one in files
	Columns []Axis // none for a vector
}

// In is the weight's name in a layer.
func (w Weight) In(layer int) string { return fmt.Sprintf(w.Name, layer) }

// Axes are those of the rows, then of the columns.
func (w Weight) Axes() []Axis { return slices.Concat(w.Rows, w.Columns) }

// IsVector reports whether the weight is a norm's scale or a bias.
func (w Weight) IsVector() bool { return len(w.Columns) == 0 }

// outer and layered are each family's weights outside and inside the layers: the one place that knows names and shapes.
var (
	outer = map[Family][]Weight{
		GPTNeoX: {
			{TokenEmbedding, "gpt_neox.embed_in.weight", []Axis{VocabAxis}, []Axis{EmbdAxis}},
			{FinalNorm, "gpt_neox.final_layer_norm.weight", []Axis{EmbdAxis}, nil},
			{FinalNormBias, "gpt_neox.final_layer_norm.bias", []Axis{EmbdAxis}, nil},
			{OutputHead, "embed_out.weight", []Axis{VocabAxis}, []Axis{EmbdAxis}},
		},
		Llama: llamaOuter, Qwen3: llamaOuter,
	}
	layered = map[Family][]Weight{
		GPTNeoX: {
			{AttentionNorm, "gpt_neox.layers.%d.input_layernorm.weight", []Axis{EmbdAxis}, nil},
			{AttentionNormBias, "gpt_neox.layers.%d.input_layernorm.bias", []Axis{EmbdAxis}, nil},
			{QueryKeyValue, "gpt_neox.layers.%d.attention.query_key_value.weight", []Axis{HeadAxis, ThreeAxis, HeadSizeAxis}, []Axis{EmbdAxis}},
			{QueryKeyValueBias, "gpt_neox.layers.%d.attention.query_key_value.bias", []Axis{HeadAxis, ThreeAxis, HeadSizeAxis}, nil},
			{AttentionOutput, "gpt_neox.layers.%d.attention.dense.weight", []Axis{EmbdAxis}, []Axis{HeadAxis, HeadSizeAxis}},
			{AttentionBias, "gpt_neox.layers.%d.attention.dense.bias", []Axis{EmbdAxis}, nil},
			{FFNNorm, "gpt_neox.layers.%d.post_attention_layernorm.weight", []Axis{EmbdAxis}, nil},
			{FFNNormBias, "gpt_neox.layers.%d.post_attention_layernorm.bias", []Axis{EmbdAxis}, nil},
			{Up, "gpt_neox.layers.%d.mlp.dense_h_to_4h.weight", []Axis{FFNAxis}, []Axis{EmbdAxis}},
			{UpBias, "gpt_neox.layers.%d.mlp.dense_h_to_4h.bias", []Axis{FFNAxis}, nil},
			{Down, "gpt_neox.layers.%d.mlp.dense_4h_to_h.weight", []Axis{EmbdAxis}, []Axis{FFNAxis}},
			{DownBias, "gpt_neox.layers.%d.mlp.dense_4h_to_h.bias", []Axis{EmbdAxis}, nil},
		},
		Llama: llamaLayer,
		Qwen3: slices.Concat(llamaLayer, []Weight{
			{QueryNorm, "model.layers.%d.self_attn.q_norm.weight", []Axis{HeadSizeAxis}, nil},
			{KeyNorm, "model.layers.%d.self_attn.k_norm.weight", []Axis{HeadSizeAxis}, nil},
		}),
	}
	llamaOuter = []Weight{
		{TokenEmbedding, "model.embed_tokens.weight", []Axis{VocabAxis}, []Axis{EmbdAxis}},
		{FinalNorm, "model.norm.weight", []Axis{EmbdAxis}, nil},
		{OutputHead, "lm_head.weight", []Axis{VocabAxis}, []Axis{EmbdAxis}},
	}
	llamaLayer = []Weight{
		{AttentionNorm, "model.layers.%d.input_layernorm.weight", []Axis{EmbdAxis}, nil},
		{Query, "model.layers.%d.self_attn.q_proj.weight", []Axis{HeadAxis, HeadSizeAxis}, []Axis{EmbdAxis}},
		{Key, "model.layers.%d.self_attn.k_proj.weight", []Axis{GroupAxis, HeadSizeAxis}, []Axis{EmbdAxis}},
		{Value, "model.layers.%d.self_attn.v_proj.weight", []Axis{GroupAxis, HeadSizeAxis}, []Axis{EmbdAxis}},
		{AttentionOutput, "model.layers.%d.self_attn.o_proj.weight", []Axis{EmbdAxis}, []Axis{HeadAxis, HeadSizeAxis}},
		{FFNNorm, "model.layers.%d.post_attention_layernorm.weight", []Axis{EmbdAxis}, nil},
		{Gate, "model.layers.%d.mlp.gate_proj.weight", []Axis{FFNAxis}, []Axis{EmbdAxis}},
		{Up, "model.layers.%d.mlp.up_proj.weight", []Axis{FFNAxis}, []Axis{EmbdAxis}},
		{Down, "model.layers.%d.mlp.down_proj.weight", []Axis{EmbdAxis}, []Axis{FFNAxis}},
	}
)

// OuterWeights lists the weights outside the layers, in a fixed order. A tied model has no [OutputHead]: its embedding
// serves as such.
func (c Config) OuterWeights() []Weight {
	all := outer[c.Family]
	if c.Tied {
		return all[:len(all)-1]
	}
	return all
}

// LayerWeights lists the weights of a layer, in a fixed order.
func (c Config) LayerWeights() []Weight { return layered[c.Family] }

// kept is which of an axis a sub-network keeps in one of its layers, and the axis's size in the teacher.
func (s Subnet) kept(teacher Config, l LayerSubnet, a Axis) (set Indices, size int) {
	switch a {
	case VocabAxis:
		return Indices{}, teacher.Vocab
	case EmbdAxis:
		return s.Embd, teacher.Embd
	case HeadAxis:
		return l.heads(teacher), teacher.Heads
	case GroupAxis:
		return l.groups(teacher), teacher.QueryGroups
	case HeadSizeAxis:
		return l.HeadSize, teacher.HeadSize
	case FFNAxis:
		return l.FFN, teacher.FFN
	}
	return Indices{}, 3
}

// Size is how many of an axis a sub-network keeps in one of its layers; outside the layers l does not matter.
func (s Subnet) Size(teacher Config, l LayerSubnet, a Axis) int {
	set, size := s.kept(teacher, l, a)
	return set.Len(size)
}

// Indices lists which of an axis a sub-network keeps in one of its layers, ascending; nil when that is the whole axis.
func (s Subnet) Indices(teacher Config, l LayerSubnet, a Axis) []int {
	set, size := s.kept(teacher, l, a)
	if set.Len(size) == size {
		return nil
	}
	return set.Slice(size)
}

// Sizes are a weight's dimensions in a sub-network's layer, one for each of its axes.
func (s Subnet) Sizes(teacher Config, l LayerSubnet, w Weight) []int {
	axes := w.Axes()
	sizes := make([]int, len(axes))
	for i, a := range axes {
		sizes[i] = s.Size(teacher, l, a)
	}
	return sizes
}

// MatrixShape is a weight's shape in files, [rows, columns] or [rows], from the sizes of its axes.
func (w Weight) MatrixShape(sizes []int) []int {
	rows, columns := 1, 1
	for i, n := range sizes {
		if i < len(w.Rows) {
			rows *= n
		} else {
			columns *= n
		}
	}
	if w.IsVector() {
		return []int{rows}
	}
	return []int{rows, columns}
}

// Tensors yields every weight of a sub-network by its name in files, layers counted from 0, with its place: the kept
// layer (the zero value outside the layers) and the weight. The order is always the same.
func (s Subnet) Tensors(teacher Config) func(yield func(name string, t SubnetTensor) bool) {
	return func(yield func(string, SubnetTensor) bool) {
		for _, w := range teacher.OuterWeights() {
			if !yield(w.Name, SubnetTensor{Weight: w, TeacherName: w.Name}) {
				return
			}
		}
		for i, l := range s.KeptLayers(teacher) {
			for _, w := range teacher.LayerWeights() {
				if !yield(w.In(i), SubnetTensor{Weight: w, Layer: l, TeacherName: w.In(l.Layer)}) {
					return
				}
			}
		}
	}
}

// SubnetTensor is a weight at its place in a sub-network.
type SubnetTensor struct {
	Weight
	Layer       LayerSubnet // what is kept of its layer; the zero value outside the layers
	TeacherName string      // the name of the teacher's tensor that it is cut from
}
