package export_test

import (
	"slices"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/export"
)

// Cutting a teacher's file gives the weights that extracting from the device gives.
func TestCutIsExtraction(t *testing.T) {
	backend := newBackend(t)
	for _, c := range smallTeachers() {
		weights := spread(c, slm.Subnet{}, 5)
		teacher := load(t, backend, c, weights)
		for seed := range uint64(8) {
			s := drawn(c, slm.Recomputed, seed)
			want, err := teacher.Extract(s)
			if err != nil {
				t.Fatal(err)
			}
			source := export.Cut(c, s, weights)
			for name, w := range want {
				got := make([]float32, len(w.Data))
				shape, ok := source.Shape(name)
				if err := source.Read(name, got); err != nil || !ok || !slices.Equal(shape, w.Shape) || !slices.Equal(got, w.Data) {
					t.Errorf("%s: %s of shape %v, want %v: other values (%v)", c.Name, name, shape, w.Shape, err)
				}
			}
			if _, ok := source.Shape("model.layers.3.mlp.up_proj.weight"); ok {
				t.Error("a tensor of a layer that is not kept")
			}
		}
	}
}
