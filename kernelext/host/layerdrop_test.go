package main

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/offshoot-ml/offshoot/kernelext/host/resident"
	"github.com/offshoot-ml/offshoot/slm"
)

// What a teacher loses without a layer is the loss of that sub-network, evaluated in place, less its own.
func TestLayerDropIsTheLossOfTheSubnet(t *testing.T) {
	home, client := newLab(t)
	drop, err := client.LayerDrop(t.Context(), "tiny", nil)
	if err != nil || len(drop.Layers) != tinyTeacher.Layers || drop.Layers[0] == drop.Layers[1] {
		t.Fatalf("%+v, %v", drop, err)
	}
	teacher := openTiny(t, home)
	const tokens, window = 2048, 128 // of the host
	windows, err := teacher.Held(t.Context(), slm.Data{}, tokens, window, quiet)
	if err != nil {
		t.Fatal(err)
	}
	loss := func(s slm.Subnet) float64 {
		loss, err := teacher.Loss(t.Context(), s, windows, window)
		if err != nil {
			t.Fatal(err)
		}
		return loss
	}
	whole := loss(slm.Subnet{})
	for dropped, more := range drop.Layers {
		if want := loss(slm.Subnet{Layers: []slm.LayerSubnet{{Layer: 1 - dropped}}}) - whole; math.Abs(more-want) > 1e-6 {
			t.Errorf("layer %d: %g, want %g", dropped, more, want)
		}
	}
}

func quiet(string, int64, int64) {}

// openTiny loads a lab's teacher into this process.
func openTiny(t *testing.T, home string) resident.Teacher {
	t.Helper()
	e := &engine{}
	if _, _, err := e.Backend(t.Context()); err != nil {
		t.Fatal(err)
	}
	teacher, err := e.OpenTeacher(t.Context(), filepath.Join(home, "teachers", "tiny"), quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := teacher.Load(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	return teacher
}
