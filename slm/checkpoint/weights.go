package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/offshoot-ml/offshoot/slm"
	"golang.org/x/sync/errgroup"
)

// Tensor is a dense float32 array in row-major order.
type Tensor struct {
	Shape []int // outermost dimension first; len(Data) is their product
	Data  []float32
}

// Weights are tensors by their Hugging Face name, such as "model.layers.0.self_attn.q_proj.weight" of shape
// [heads*headSize, embd]: a projection's rows are its outputs. "lm_head.weight" is there only when it is not tied to
// "model.embed_tokens.weight".
type Weights map[string]Tensor

// Parameters is the number of values in w.
func (w Weights) Parameters() int64 {
	n := int64(0)
	for _, t := range w {
		n += int64(len(t.Data))
	}
	return n
}

// Bytes is the memory that w's values take.
func (w Weights) Bytes() int64 { return 4 * w.Parameters() }

// Shape implements [Source].
func (w Weights) Shape(name string) ([]int, bool) {
	t, ok := w[name]
	return t.Shape, ok
}

// Read implements [Source].
func (w Weights) Read(name string, dst []float32) error {
	t, ok := w[name]
	if !ok {
		return fmt.Errorf("tensor %q is missing", name)
	}
	if len(dst) != len(t.Data) {
		return fmt.Errorf("tensor %q has %d values, want %d", name, len(t.Data), len(dst))
	}
	copy(dst, t.Data)
	return nil
}

// ReadAll reads a whole model of architecture c, on all cores, for work that needs no device.
func ReadAll(ctx context.Context, source Source, c slm.Config) (Weights, error) {
	w, lock := Weights{}, sync.Mutex{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for name, shape := range Layout(c) {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			n, _ := elements(shape)
			t := Tensor{Shape: shape, Data: make([]float32, n)}
			if err := source.Read(name, t.Data); err != nil {
				return err
			}
			lock.Lock()
			defer lock.Unlock()
			w[name] = t
			return nil
		})
	}
	return w, group.Wait()
}

// Layout lists the tensors that a model of architecture c has, with their shapes.
func Layout(c slm.Config) map[string][]int {
	shapes, s := map[string][]int{}, slm.Subnet{}
	for name, t := range s.Tensors(c) {
		shapes[name] = t.MatrixShape(s.Sizes(c, t.Layer, t.Weight))
	}
	return shapes
}

// Check reports every tensor of w that architecture c misses, does not know, or wants in another shape.
func (w Weights) Check(c slm.Config) error { return w.check(Layout(c)) }

func (w Weights) check(want map[string][]int) error {
	have := make(map[string][]int, len(w))
	var wrong []error
	for name, t := range w {
		have[name] = t.Shape
		if n, ok := elements(t.Shape); !ok || n != int64(len(t.Data)) {
			wrong = append(wrong, fmt.Errorf("tensor %q holds %d values, which its shape %v does not", name, len(t.Data), t.Shape))
		}
	}
	if len(wrong) > 0 {
		return joinFew(wrong)
	}
	return compareShapes(have, want)
}

// checkTeacher holds the shapes of a teacher's tensors against its architecture, before anything is read. Tensors that say
// nothing about the model are passed over.
func checkTeacher(have map[string][]int, c slm.Config) error {
	if c.Layers > len(have) { // before the layout of that many is made
		return fmt.Errorf("it claims %d layers, but holds only %d tensors", c.Layers, len(have))
	}
	known := maps.Clone(have)
	maps.DeleteFunc(known, func(name string, _ []int) bool { return superfluous(c, name) })
	return compareShapes(known, Layout(c))
}

// superfluous reports a tensor that a file may hold beside the model: masks and frequencies, which older versions of
// transformers saved with it, and the output head of a model whose embedding serves as such.
func superfluous(c slm.Config, name string) bool {
	if strings.HasSuffix(name, ".rotary_emb.inv_freq") {
		return true
	}
	if c.Family == slm.GPTNeoX && (strings.HasSuffix(name, ".attention.bias") || strings.HasSuffix(name, ".attention.masked_bias")) {
		return true
	}
	untied := c
	untied.Tied = false
	return c.Tied && slices.ContainsFunc(untied.OuterWeights(), func(w slm.Weight) bool { return w.Role == slm.OutputHead && w.Name == name })
}

// compareShapes names each missing, surplus and wrongly shaped tensor, in order of names.
func compareShapes(have, want map[string][]int) error {
	var wrong []error
	for _, name := range slices.Sorted(maps.Keys(want)) {
		shape, ok := have[name]
		switch {
		case !ok:
			wrong = append(wrong, fmt.Errorf("tensor %q is missing (shape %v)", name, want[name]))
		case !slices.Equal(shape, want[name]):
			wrong = append(wrong, fmt.Errorf("tensor %q has shape %v, want %v", name, shape, want[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if _, ok := want[name]; !ok {
			wrong = append(wrong, fmt.Errorf("tensor %q is not part of this architecture", name))
		}
	}
	return joinFew(wrong)
}

// joinFew joins errors, and only counts those after the first eight: a wrong architecture makes hundreds.
func joinFew(wrong []error) error {
	const few = 8
	if len(wrong) > few {
		wrong = append(wrong[:few:few], fmt.Errorf("and %d more", len(wrong)-few))
	}
	return errors.Join(wrong...)
}

// elements is the product of a shape's dimensions, and whether it is a sane number of values for one tensor.
func elements(shape []int) (int64, bool) {
	const most = 1 << 40
	n := int64(1)
	for _, d := range shape {
		if d < 0 || int64(d) > most || (d > 0 && n > most/int64(d)) {
			return 0, false
		}
		n *= int64(d)
	}
	return n, true
}
