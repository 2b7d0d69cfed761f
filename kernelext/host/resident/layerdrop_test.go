package resident_test

import (
	"context"
	"math"
	"testing"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// A teacher is evaluated once without each layer: an interrupted measurement goes on after the layers that are done, also over a
// restart of the host.
func TestLayerDropIsMeasuredOnce(t *testing.T) {
	home := newHome(t, nil)
	teacher, err := slm.Published("smollm2-135m")
	if err != nil {
		t.Fatal(err)
	}
	client := connect(t, "lab")
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	_, err = client.LayerDrop(ctx, "tiny", func(e kernelext.Event) {
		if e.Unit == "layers" && e.Done == 3 {
			if e.Total != 30 || !(e.Left > 0) || !(e.Rate > 0) {
				t.Errorf("after 3 layers %+v", e)
			}
			interrupt()
		}
	})
	wantError(t, err, "", "stopped after", "of 30 layers, which are kept; run the cell again")
	if done := len(evaluations(t, home)); done < 4 || done > 20 { // the whole teacher, and some layers
		t.Errorf("%d evaluations before it was interrupted after 3 layers", done)
	}
	for range 2 {
		drop, err := connect(t, "lab").LayerDrop(t.Context(), "tiny", nil)
		if err != nil || drop.Method != slm.LayerDrop || drop.Validate(teacher) != nil {
			t.Fatalf("%+v, %v", drop, err)
		}
		for layer, more := range drop.Layers { // the fake loss is 3 + 1e7/parameters
			want := 1e7/float64(slm.WithoutLayer(teacher, layer).Parameters(teacher).Total()) - 1e7/float64(slm.Subnet{}.Parameters(teacher).Total())
			if math.Abs(more-want) > 1e-12 {
				t.Errorf("layer %d: %g, want %g", layer, more, want)
			}
		}
		if err := kernelext.StopHost(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	counts := evaluations(t, home)
	for key, n := range counts {
		if n != 1 {
			t.Errorf("%s was evaluated %d times", key, n)
		}
	}
	if len(counts) != 31 {
		t.Errorf("%d sub-networks were evaluated, want the teacher and 30", len(counts))
	}
}

// A layer without which the loss is no number ends the measurement with its name, and is not kept.
func TestLayerDropFails(t *testing.T) {
	home := newHome(t, nil)
	write(t, home+"/teachers/tiny.perplexity.json", `{"sha256":"5ba","corpus":"test","asked":2048,"tokens":2048,"window":128,"loss":3.1}`)
	putTeacher(t, home, "tiny", `{"Fail": 1}`)
	_, err := connect(t, "lab").LayerDrop(t.Context(), "tiny", nil)
	wantError(t, err, kernelext.Invalid, "tiny without layer 0: its loss is NaN")
}
