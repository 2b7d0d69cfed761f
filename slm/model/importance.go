package model

import (
	"fmt"
	"math"

	"github.com/offshoot-ml/offshoot/slm"
)

// WeightNorms scores the units of the teacher by the size of their weights: the L2 norm of every weight that a sub-network
// without the unit would lose. Those of a query group are its keys and values, and the weights of its heads; those of a
// layer are all of its weights.
func (t *Teacher) WeightNorms() (slm.Importance, error) {
	i := slm.Importance{Method: "weight norms"}
	embd := make([]float64, t.Config.Embd)
	for j, w := range t.Config.OuterWeights() {
		if _, err := t.addSquares(map[slm.Axis][]float64{slm.EmbdAxis: embd}, w, t.outer[j]); err != nil {
			return slm.Importance{}, fmt.Errorf("weight norms: tensor %s: %w", w.Name, err)
		}
	}
	for l := range t.layers {
		c, layer := t.Config, 0.0
		squares := map[slm.Axis][]float64{slm.EmbdAxis: embd, slm.GroupAxis: make([]float64, c.QueryGroups),
			slm.HeadAxis: make([]float64, c.Heads), slm.FFNAxis: make([]float64, c.FFN)}
		for j, w := range c.LayerWeights() {
			sum, err := t.addSquares(squares, w, t.layers[l][j])
			if err != nil {
				return slm.Importance{}, fmt.Errorf("weight norms: tensor %s: %w", w.In(l), err)
			}
			layer += sum
		}
		for h, s := range squares[slm.HeadAxis] {
			squares[slm.GroupAxis][h/c.HeadsPerGroup()] += s
		}
		i.Layers = append(i.Layers, math.Sqrt(layer))
		i.QueryGroups = append(i.QueryGroups, roots(squares[slm.GroupAxis]))
		i.Heads = append(i.Heads, roots(squares[slm.HeadAxis]))
		i.FFN = append(i.FFN, roots(squares[slm.FFNAxis]))
	}
	i.Embd = roots(embd)
	return i, nil
}

// addSquares adds the squares of a weight's values to each unit of its axes, and returns their sum.
func (t *Teacher) addSquares(squares map[slm.Axis][]float64, kind slm.Weight, from weight) (sum float64, err error) {
	values, err := from.values()
	if err != nil {
		return 0, err
	}
	for _, v := range values {
		sum += float64(v) * float64(v)
	}
	inner, sizes := len(values), slm.Subnet{}.Sizes(t.Config, slm.LayerSubnet{}, kind)
	for i, a := range kind.Axes() {
		inner /= sizes[i]
		units, scored := squares[a]
		for block := 0; scored && block*inner < len(values); block++ {
			for _, v := range values[block*inner : (block+1)*inner] {
				units[block%len(units)] += float64(v) * float64(v)
			}
		}
	}
	return sum, nil
}

func roots(squares []float64) []float64 {
	out := make([]float64, len(squares))
	for i, s := range squares {
		out[i] = math.Sqrt(s)
	}
	return out
}
