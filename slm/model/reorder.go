package model

import (
	"fmt"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// Reorder copies a model of the given architecture with its units in another order: the same function, up to the order in
// which float32 sums are added. With an order by importance the first n units of every dimension are those that matter
// most, so that a coarse space over the reordered teacher keeps them. It needs no device.
func Reorder(source checkpoint.Source, config slm.Config, order slm.Order) (checkpoint.Weights, error) {
	if err := order.Validate(config); err != nil {
		return nil, fmt.Errorf("reorder %s: %w", config.Name, err)
	}
	out, whole := checkpoint.Weights{}, slm.Subnet{}
	for name, t := range whole.Tensors(config) {
		w := wanted{name: name, sizes: whole.Sizes(config, t.Layer, t.Weight), kind: t.Weight}
		if err := w.check(source); err != nil {
			return nil, fmt.Errorf("reorder %s: %w", config.Name, err)
		}
		values := make([]float32, w.bytes()/4)
		if err := source.Read(name, values); err != nil {
			return nil, fmt.Errorf("reorder %s: tensor %q: %w", config.Name, name, err)
		}
		places := make([][]int, len(w.sizes))
		for i, a := range t.Axes() {
			places[i] = orderOf(order, t.Layer.Layer, a)
		}
		out[name] = checkpoint.Tensor{Shape: t.MatrixShape(w.sizes), Data: gather(make([]float32, 0, len(values)), values, w.sizes, places)}
	}
	return out, nil
}

// orderOf is the order of an axis; nil for one that keeps its own.
func orderOf(o slm.Order, layer int, a slm.Axis) []int {
	switch a {
	case slm.EmbdAxis:
		return o.Embd
	case slm.GroupAxis:
		return o.QueryGroups[layer]
	case slm.HeadAxis:
		return o.Heads[layer]
	case slm.FFNAxis:
		return o.FFN[layer]
	}
	return nil
}
