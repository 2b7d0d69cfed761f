package distill

import (
	"encoding/json"
	"os"
	"testing"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/slm"
)

// The hidden-state loss and its gradients are PyTorch's: testdata/hidden.py made the reference.
func TestHiddenStatesAgreeWithPyTorch(t *testing.T) {
	var reference struct {
		Small struct {
			Student, Teacher, Projection []float32
			Loss                         float64
			StudentGradient              []float64 `json:"student_gradient"`
			ProjectionGradient           []float64 `json:"projection_gradient"`
		}
	}
	text, err := os.ReadFile("testdata/hidden.json")
	if err == nil {
		err = json.Unmarshal(text, &reference)
	}
	if err != nil {
		t.Fatal(err)
	}
	r, loss := reference.Small, slm.CE(1).Plus(slm.HiddenStates(2))
	loss.Terms[1].Pairs = 2
	exec := MustNewExec(lossBackend(t), func(student, teacher, matrix, logits, targets, dials *Node) []*Node {
		pair := func(x *Node, i int) *Node { return Squeeze(Slice(x, AxisElem(i)), 0) }
		said := said{logits: logits, states: project([]*Node{pair(student, 0), pair(student, 1)}, matrix)}
		total, crossEntropy := lossGraph(loss.Shape(), dials, said, taughtBy(loss, []*Node{pair(teacher, 0), pair(teacher, 1)}), targets)
		return append([]*Node{Sub(total, crossEntropy)}, Gradient(total, student, matrix)...)
	})
	defer exec.Finalize()
	shaped := func(data []float32, dims ...int) *tensors.Tensor {
		return tensors.FromFlatDataAndDimensions(data, dims...)
	}
	out := exec.MustCall(shaped(r.Student, 2, 2, 3, 4), shaped(r.Teacher, 2, 2, 3, 6), shaped(r.Projection, 4, 6),
		shaped(make([]float32, 2*8), 2, 8), []int32{1, 2}, dialsOf(loss))
	if got := float64(tensors.ToScalar[float32](out[0])); !near(got, 2*r.Loss, 1e-5) {
		t.Errorf("twice the loss is %.7f, PyTorch has %.7f", got, 2*r.Loss)
	}
	for i, want := range [][]float64{r.StudentGradient, r.ProjectionGradient} {
		for j, got := range tensors.MustCopyFlatData[float32](out[1+i]) {
			if !near(float64(got), 2*want[j], 1e-5) {
				t.Errorf("gradient %d of %d is %.7f, PyTorch has %.7f", j, i, got, 2*want[j])
			}
		}
	}
}

// Pairs of layers are evenly spaced, and the last is among them.
func TestComparedLayers(t *testing.T) {
	for _, c := range []struct {
		layers, pairs int
		want          string
	}{{30, 0, "null"}, {30, 1, "[30]"}, {30, 3, "[10,20,30]"}, {7, 3, "[2,4,7]"}, {2, 2, "[1,2]"}} {
		if got, _ := json.Marshal(compared(c.layers, c.pairs)); string(got) != c.want {
			t.Errorf("%d pairs of %d layers are after %s, want %s", c.pairs, c.layers, got, c.want)
		}
	}
}
