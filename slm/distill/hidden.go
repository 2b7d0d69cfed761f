package distill

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope
	"github.com/gomlx/gomlx/core/tensors"
	gomlx "github.com/gomlx/gomlx/ml/model"

	"github.com/offshoot-ml/offshoot/slm"
)

// The student's hidden states are compared with its teacher's through a matrix that is trained beside the student: see
// [slm.HiddenStates]. It is in checkpoints, but in no student that leaves the trainer.

// projection is the name of the matrix, [student's width, teacher's width], in the student's store.
const projection = "hidden_states_projection"

// makeProjection makes the matrix unless it is there.
func (t *Trainer) makeProjection() error {
	root := t.Student.Store.RootScope()
	if root.GetVariable(projection) != nil {
		return nil
	}
	if _, err := root.CreateVariable(projection, t.firstProjection()); err != nil {
		return fmt.Errorf("projection of hidden states: %w", err)
	}
	return nil
}

// firstProjection puts each of the student's embedding dimensions in its place among the teacher's.
func (t *Trainer) firstProjection() *tensors.Tensor {
	c, s := t.Student.Teacher, t.Student.Subnet
	rows, places := s.Embd.Len(c.Embd), s.Indices(c, slm.LayerSubnet{}, slm.EmbdAxis)
	matrix := make([]float32, rows*c.Embd)
	for i := range rows {
		place := i
		if places != nil {
			place = places[i]
		}
		matrix[i*c.Embd+place] = 1
	}
	return tensors.FromFlatDataAndDimensions(matrix, rows, c.Embd)
}

// compared are the numbers of layers after which hidden states are compared, evenly spaced: the i-th of n pairs is after i/n of
// the layers, rounded down.
func compared(layers, pairs int) (after []int) {
	for i := range pairs {
		after = append(after, (i+1)*layers/pairs)
	}
	return after
}

// projected are those of the student's hidden states that are compared, in the teacher's width. states are after each number
// of layers, [B, T, E] each.
func (t *Trainer) projected(scope *gomlx.Scope, states []*Node) []*Node {
	var chosen []*Node
	for _, n := range compared(len(states)-1, t.now.Loss.Pairs()) {
		chosen = append(chosen, states[n])
	}
	if chosen == nil {
		return nil
	}
	return project(chosen, scope.GetVariable(projection).NodeValue(chosen[0].Graph()))
}

// project multiplies hidden states, [B, T, E] each, by a matrix [E, E']: [B, T, E'] each.
func project(states []*Node, matrix *Node) (out []*Node) {
	for _, x := range states {
		out = append(out, DotGeneral(x, []int{2}, nil, matrix, []int{0}, nil))
	}
	return out
}

// ofStates is the mean squared difference of pairs of hidden states, [B, T, E] each.
func ofStates(student, teacher []*Node) *Node {
	sum := ReduceAllMean(Square(Sub(student[0], teacher[0])))
	for i := range student[1:] {
		sum = Add(sum, ReduceAllMean(Square(Sub(student[i+1], teacher[i+1]))))
	}
	return MulScalar(sum, 1/float64(len(student)))
}
