package export

import (
	"fmt"
	"slices"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// padded gives the weights of the plain model that holds a student. It makes each when it is read.
type padded struct {
	*ordinary
	student checkpoint.Source
	tensors map[string]paddedTensor
}

// paddedTensor is a weight at its place in the student and in the plain model.
type paddedTensor struct {
	slm.Weight
	fit
	small, large []int // sizes of its axes in the student and in the plain model
}

// weights are the plain model's, made from the student's.
func (o *ordinary) weights(student checkpoint.Source) *padded {
	p := &padded{ordinary: o, student: student, tensors: map[string]paddedTensor{}}
	whole := slm.Subnet{}
	for _, w := range o.teacher.OuterWeights() {
		p.tensors[w.Name] = paddedTensor{w, fit{}, o.subnet.Sizes(o.teacher, slm.LayerSubnet{}, w), whole.Sizes(o.config, slm.LayerSubnet{}, w)}
	}
	for i, l := range o.layers {
		for _, w := range o.teacher.LayerWeights() {
			p.tensors[w.In(i)] = paddedTensor{w, l, o.subnet.Sizes(o.teacher, l.kept, w), whole.Sizes(o.config, slm.LayerSubnet{}, w)}
		}
	}
	return p
}

// Shape implements [checkpoint.Source].
func (p *padded) Shape(name string) ([]int, bool) {
	t, ok := p.tensors[name]
	if !ok {
		return nil, false
	}
	return t.MatrixShape(t.large), true
}

// Read implements [checkpoint.Source].
func (p *padded) Read(name string, dst []float32) error {
	t, ok := p.tensors[name]
	if !ok || len(dst) != product(t.large) {
		return fmt.Errorf("tensor %q of %d values is not part of the model", name, len(dst))
	}
	values := make([]float32, product(t.small))
	if err := p.student.Read(name, values); err != nil {
		return err
	}
	p.rescale(t, values, false)
	clear(dst)
	t.runs(func(at, place, n int) { copy(dst[place:place+n], values[at:at+n]) })
	if p.widened != 1 {
		t.fillWithMeans(dst)
	}
	return nil
}

// unpadded gives a student's weights from those of the plain model that holds it.
type unpadded struct {
	*padded
	plain checkpoint.Source
}

// Shape implements [checkpoint.Source].
func (u unpadded) Shape(name string) ([]int, bool) {
	t, ok := u.tensors[name]
	if !ok {
		return nil, false
	}
	return t.MatrixShape(t.small), true
}

// Read implements [checkpoint.Source].
func (u unpadded) Read(name string, dst []float32) error {
	t, ok := u.tensors[name]
	if !ok || len(dst) != product(t.small) {
		return fmt.Errorf("tensor %q of %d values is not part of the student", name, len(dst))
	}
	values := make([]float32, product(t.large))
	if err := u.plain.Read(name, values); err != nil {
		return err
	}
	t.runs(func(at, place, n int) { copy(dst[at:at+n], values[place:place+n]) })
	u.rescale(t, dst, true)
	return nil
}

// runs visits the student's values in runs that are neighbours in the plain model too.
func (t paddedTensor) runs(visit func(at, place, n int)) {
	places := make([][]int, len(t.Axes())) // of the student's indices of each axis in the plain model; nil: the first ones
	for i, axis := range t.Axes() {
		switch axis {
		case slm.HeadAxis:
			places[i] = t.heads
		case slm.HeadSizeAxis:
			places[i] = t.headSize
		}
	}
	runs(t.small, t.large, places, 0, 0, visit)
}

// runs visits a row-major array inside a larger one, which begin at at and place.
func runs(small, large []int, places [][]int, at, place int, visit func(at, place, n int)) {
	if len(small) == 1 && places[0] == nil {
		visit(at, place, small[0])
		return
	}
	step, leap := product(small[1:]), product(large[1:])
	for i := range small[0] {
		to := i
		if places[0] != nil {
			to = places[0][i]
		}
		if len(small) == 1 {
			visit(at+i, place+to, 1)
		} else {
			runs(small[1:], large[1:], places[1:], at+i*step, place+to*leap, visit)
		}
	}
}

// rescale multiplies a weight of the student by what the plain model needs, or divides by it.
func (o *ordinary) rescale(t paddedTensor, values []float32, back bool) {
	multiply := func(values []float32, factor float64) {
		if back {
			factor = 1 / factor
		}
		if factor != 1 {
			for i, v := range values {
				values[i] = float32(float64(v) * factor)
			}
		}
	}
	a := o.widened
	switch t.Role {
	case slm.Query: // behind a norm the query's own size does not count
		if o.config.Family == slm.Qwen3 {
			multiply(values, t.normalize)
		} else {
			multiply(values, t.queries)
		}
	case slm.Key:
		multiply(values, t.normalize)
	case slm.QueryNorm:
		multiply(values, t.queries/t.normalize)
	case slm.KeyNorm:
		multiply(values, 1/t.normalize)
	case slm.QueryKeyValue, slm.QueryKeyValueBias: // [heads, 3, headSize, …]: the queries come first
		for head := range slices.Chunk(values, len(values)/t.small[0]) {
			multiply(head[:len(head)/3], t.queries)
		}
	case slm.TokenEmbedding, slm.AttentionOutput, slm.AttentionBias, slm.Down, slm.DownBias:
		multiply(values, a)
	case slm.AttentionNorm, slm.FFNNorm:
		multiply(values, 1/a)
	case slm.FinalNorm:
		if o.config.Tied {
			a *= a // the head has grown with the embedding
		}
		multiply(values, 1/a)
	case slm.FinalNormBias:
		if o.config.Tied {
			multiply(values, 1/a)
		}
	}
}

// fillWithMeans gives what is added up along the layers its new embedding dimensions: each the mean of the old ones.
func (t paddedTensor) fillWithMeans(values []float32) {
	old, all := 0, 0
	for i, axis := range t.Axes() {
		if axis == slm.EmbdAxis {
			old, all = t.small[i], t.large[i]
		}
	}
	stride := 1 // between neighbouring embedding dimensions
	switch t.Role {
	case slm.TokenEmbedding, slm.AttentionBias, slm.DownBias:
	case slm.AttentionOutput, slm.Down:
		stride = len(values) / all
	default: // a reader or a norm: zero
		return
	}
	for block := range slices.Chunk(values, all*stride) {
		for i := range stride {
			sum := 0.0
			for d := range old {
				sum += float64(block[d*stride+i])
			}
			for d := old; d < all; d++ {
				block[d*stride+i] = float32(sum / float64(old))
			}
		}
	}
}

func product(sizes []int) int {
	n := 1
	for _, d := range sizes {
		n *= d
	}
	return n
}
