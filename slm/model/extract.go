package model

import (
	"fmt"
	"math/rand/v2"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// Extract copies the weights that a sub-network keeps to the host: those of a dense student, by the Hugging Face names
// of its own layers, counted from 0. The zero Subnet gives all of the teacher's weights.
func (t *Teacher) Extract(subnet slm.Subnet) (checkpoint.Weights, error) {
	if err := subnet.Validate(t.Config); err != nil {
		return nil, fmt.Errorf("extract: %w", err)
	}
	student := checkpoint.Weights{}
	for i, w := range t.Config.OuterWeights() {
		if err := t.extract(student, subnet, slm.LayerSubnet{}, w, w.Name, t.outer[i]); err != nil {
			return nil, err
		}
	}
	for i, l := range subnet.KeptLayers(t.Config) {
		for j, w := range t.Config.LayerWeights() {
			if err := t.extract(student, subnet, l, w, w.In(i), t.layers[l.Layer][j]); err != nil {
				return nil, err
			}
		}
	}
	return student, nil
}

func (t *Teacher) extract(student checkpoint.Weights, s slm.Subnet, l slm.LayerSubnet, w slm.Weight, name string, from weight) error {
	values, err := from.values()
	if err != nil {
		return fmt.Errorf("extract: tensor %s: %w", name, err)
	}
	kept := make([][]int, len(w.Axes()))
	for i, a := range w.Axes() {
		kept[i] = s.Indices(t.Config, l, a)
	}
	sizes := s.Sizes(t.Config, l, w)
	n := 1
	for _, d := range sizes {
		n *= d
	}
	data := gather(make([]float32, 0, n), values, slm.Subnet{}.Sizes(t.Config, slm.LayerSubnet{}, w), kept)
	student[name] = checkpoint.Tensor{Shape: w.MatrixShape(sizes), Data: data}
	return nil
}

// gather appends to dst the kept indices of every axis of a row-major array; nil keeps a whole axis.
func gather(dst, values []float32, sizes []int, kept [][]int) []float32 {
	whole := true
	for _, k := range kept {
		whole = whole && k == nil
	}
	switch {
	case whole:
		return append(dst, values...)
	case len(sizes) == 1:
		for _, i := range kept[0] {
			dst = append(dst, values[i])
		}
		return dst
	}
	stride := len(values) / sizes[0]
	one := func(i int) { dst = gather(dst, values[i*stride:(i+1)*stride], sizes[1:], kept[1:]) }
	if kept[0] == nil {
		for i := range sizes[0] {
			one(i)
		}
		return dst
	}
	for _, i := range kept[0] {
		one(i)
	}
	return dst
}

// RandomWeights draws a student's weights from scratch, as Hugging Face's models do: matrices from a normal distribution
// with deviation 0.02, norms at 1, biases at 0. The same seed gives the same weights.
func RandomWeights(teacher slm.Config, subnet slm.Subnet, seed uint64) checkpoint.Weights {
	out := checkpoint.Weights{}
	r := rand.New(rand.NewPCG(seed, 0))
	for name, t := range subnet.Tensors(teacher) {
		shape := t.MatrixShape(subnet.Sizes(teacher, t.Layer, t.Weight))
		n := 1
		for _, d := range shape {
			n *= d
		}
		data := make([]float32, n)
		for i := range data {
			switch {
			case !t.IsVector():
				data[i] = float32(0.02 * r.NormFloat64())
			case !t.Role.IsBias():
				data[i] = 1
			}
		}
		out[name] = checkpoint.Tensor{Shape: shape, Data: data}
	}
	return out
}
