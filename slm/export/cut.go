package export

import (
	"fmt"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// Cut is what a sub-network keeps of a teacher's weights: those of a student, its layers numbered from 0. Each tensor is
// read and cut when it is asked for, so that a teacher of any size needs the memory of one.
func Cut(teacher slm.Config, subnet slm.Subnet, from checkpoint.Source) checkpoint.Source {
	c := cut{from, map[string]cutTensor{}}
	whole := slm.Subnet{}
	for name, t := range subnet.Tensors(teacher) {
		kept := cutTensor{SubnetTensor: t, small: subnet.Sizes(teacher, t.Layer, t.Weight), large: whole.Sizes(teacher, slm.LayerSubnet{}, t.Weight)}
		for _, axis := range t.Axes() {
			kept.indices = append(kept.indices, subnet.Indices(teacher, t.Layer, axis))
		}
		c.tensors[name] = kept
	}
	return c
}

type cut struct {
	teacher checkpoint.Source
	tensors map[string]cutTensor
}

type cutTensor struct {
	slm.SubnetTensor
	small, large []int   // sizes of its axes in the student and in the teacher
	indices      [][]int // that are kept of each axis; nil: all
}

// Shape implements [checkpoint.Source]. A tensor that the teacher lacks is not there.
func (c cut) Shape(name string) ([]int, bool) {
	t, ok := c.tensors[name]
	if !ok {
		return nil, false
	}
	shape, ok := c.teacher.Shape(t.TeacherName)
	return t.MatrixShape(t.small), ok && product(shape) == product(t.large)
}

// Read implements [checkpoint.Source].
func (c cut) Read(name string, dst []float32) error {
	t, ok := c.tensors[name]
	if !ok || len(dst) != product(t.small) {
		return fmt.Errorf("tensor %q of %d values is not part of the sub-network", name, len(dst))
	}
	if product(t.small) == product(t.large) {
		return c.teacher.Read(t.TeacherName, dst)
	}
	values := make([]float32, product(t.large))
	if err := c.teacher.Read(t.TeacherName, values); err != nil {
		return err
	}
	runs(t.small, t.large, t.indices, 0, 0, func(at, place, n int) { copy(dst[at:at+n], values[place:place+n]) })
	return nil
}
