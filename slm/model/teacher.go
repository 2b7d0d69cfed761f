package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// Teacher is a pretrained transformer on a device, ready to evaluate any of its sub-networks in place.
// Its methods are for one goroutine at a time: the device has one queue.
type Teacher struct {
	Config slm.Config

	backend  compute.Backend
	layers   []layerTensors
	embed    *tensors.Tensor // [V, E]
	head     *tensors.Tensor // [V, E]; the same tensor as embed when tied
	norm     *tensors.Tensor // [E]
	programs programs
}

// layerTensors are one layer's weights, in the order and the shapes of layerWeights.
type layerTensors [9]*tensors.Tensor

// layerNames are the Hugging Face names of a layer's weights in the order of layerTensors, after "model.layers.N.".
var layerNames = [9]string{
	"input_layernorm.weight", "self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight",
	"self_attn.o_proj.weight", "post_attention_layernorm.weight", "mlp.gate_proj.weight", "mlp.up_proj.weight",
	"mlp.down_proj.weight",
}

// The Hugging Face names of the weights outside the layers.
const (
	embedName = "model.embed_tokens.weight"
	normName  = "model.norm.weight"
	headName  = "lm_head.weight"
)

func layerName(layer, weight int) string {
	return fmt.Sprintf("model.layers.%d.%s", layer, layerNames[weight])
}

// layerDims are the shapes of a layer's weights, in the order of layerNames, for the given sizes.
func layerDims(embd int, s slm.Shape) [9][]int {
	return [9][]int{
		{embd}, {s.Heads, s.HeadSize, embd}, {s.QueryGroups, s.HeadSize, embd}, {s.QueryGroups, s.HeadSize, embd},
		{embd, s.Heads, s.HeadSize}, {embd}, {s.FFN, embd}, {s.FFN, embd}, {embd, s.FFN},
	}
}

// Load uploads a teacher's weights. They must be those of the architecture: checkpoint readers see to that. The teacher
// keeps no reference to them: from then on they are on the device alone.
func Load(backend compute.Backend, config slm.Config, weights checkpoint.Weights) (t *Teacher, err error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	t = &Teacher{Config: config, backend: backend, layers: make([]layerTensors, config.Layers)}
	defer func() {
		if err != nil {
			t.Close()
			t = nil
		}
	}()
	dims := layerDims(config.Embd, slm.LayerSubnet{}.Shape(config))
	for l := range t.layers {
		for i := range layerNames {
			tensor, err := t.upload(weights, layerName(l, i), dims[i]...)
			if err != nil {
				return t, err
			}
			t.layers[l][i] = tensor
		}
	}
	if t.embed, err = t.upload(weights, embedName, config.Vocab, config.Embd); err != nil {
		return t, err
	}
	if t.norm, err = t.upload(weights, normName, config.Embd); err != nil {
		return t, err
	}
	t.head = t.embed
	if !config.Tied {
		if t.head, err = t.upload(weights, headName, config.Vocab, config.Embd); err != nil {
			return t, err
		}
	}
	t.programs, err = newPrograms(backend, config)
	return t, err
}

// upload puts a weight on the device, in the given shape.
func (t *Teacher) upload(weights checkpoint.Weights, name string, dims ...int) (*tensors.Tensor, error) {
	weight, ok := weights[name]
	if !ok {
		return nil, fmt.Errorf("teacher %s: tensor %s is missing", t.Config.Name, name)
	}
	return upload(t.backend, name, weight.Data, dims...)
}

func upload(backend compute.Backend, name string, data []float32, dims ...int) (*tensors.Tensor, error) {
	size := 1
	for _, d := range dims {
		size *= d
	}
	if len(data) != size {
		return nil, fmt.Errorf("tensor %s has %d values, want %d for shape %v", name, len(data), size, dims)
	}
	tensor := tensors.FromFlatDataAndDimensions(data, dims...)
	if err := tensor.MaterializeOnDevice(backend, false, 0); err != nil {
		return nil, fmt.Errorf("upload tensor %s: %w", name, err)
	}
	tensor.FinalizeLocal()
	return tensor, nil
}

// Extract copies the weights that a sub-network keeps to the host: those of a dense student, by the Hugging Face names
// of its own layers, counted from 0. The zero Subnet gives all of the teacher's weights.
func (t *Teacher) Extract(subnet slm.Subnet) (checkpoint.Weights, error) {
	return extract(t.Config, subnet, t.download)
}

// download copies one weight to the host, in Hugging Face's shape.
func (t *Teacher) download(name string) (checkpoint.Tensor, error) {
	tensor := map[string]*tensors.Tensor{embedName: t.embed, normName: t.norm, headName: t.head}[name]
	var layer int
	var weight string
	if n, _ := fmt.Sscanf(name, "model.layers.%d.%s", &layer, &weight); n == 2 {
		tensor = t.layers[layer][slices.Index(layerNames[:], weight)]
	}
	data, err := Download(tensor)
	return checkpoint.Tensor{Shape: matrixShape(name, tensor.Shape().Dimensions), Data: data}, err
}

// Download copies a float32 tensor to the host, without leaving a second copy in it.
func Download(t *tensors.Tensor) ([]float32, error) {
	data, err := tensors.CopyFlatData[float32](t)
	if err == nil && t.IsOnAnyDevice() {
		t.FinalizeLocal()
	}
	return data, err
}

// matrixShape flattens heads and head size into Hugging Face's matrices.
func matrixShape(name string, dims []int) []int {
	if len(dims) < 3 {
		return dims
	}
	if strings.HasSuffix(name, "o_proj.weight") {
		return []int{dims[0], dims[1] * dims[2]}
	}
	return []int{dims[0] * dims[1], dims[2]}
}

// Close frees the device's memory.
func (t *Teacher) Close() {
	t.programs.finalize()
	for _, l := range t.layers {
		free(l[:]...)
	}
	free(t.embed, t.norm)
	if !t.Config.Tied {
		free(t.head)
	}
}

// free releases device memory at once: Go's collector does not see how much it is.
func free(ts ...*tensors.Tensor) {
	for _, t := range ts {
		if t != nil {
			t.MustFinalizeAll()
		}
	}
}
