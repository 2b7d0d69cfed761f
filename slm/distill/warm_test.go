package distill_test

import (
	"context"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/distill"
)

// Training layer by layer, through programs that all candidates share, is the training of a whole student.
func TestWarmStepsAreATrainersSteps(t *testing.T) {
	r := readReference(t)
	backend, teacher := newTeacher(t)
	ctx, batch := context.Background(), settings.Batch*(settings.SeqLen+1)
	const steps = 6
	var batches [][]int32
	for i := range steps {
		batches = append(batches, r.Windows[i*batch:(i+1)*batch])
	}
	plan := slm.Warm{Steps: steps, Batch: settings.Batch, SeqLen: settings.SeqLen, Schedule: settings.Schedule, Loss: settings.Loss}
	warmer, err := distill.NewWarmer(ctx, teacher, plan, batches)
	if err != nil {
		t.Fatal(err)
	}
	defer warmer.Close()
	irregular := settings.Subnet
	irregular.Layers = []slm.LayerSubnet{{Layer: 0, Heads: slm.IndicesOf(0, 1, 3), FFN: slm.IndicesOf(3, 5, 8, 30)},
		{Layer: 2, QueryGroups: slm.IndicesOf(1), Heads: slm.IndicesOf(2), HeadSize: slm.First(4)}}
	for name, subnet := range map[string]slm.Subnet{"coarse": settings.Subnet, "irregular": irregular, "whole": {}} {
		d := settings
		d.Subnet = subnet
		trainer := newTrainer(t, backend, teacher, d, r.Windows)
		take(t, trainer, steps)
		want, err := trainer.Validate(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got, err := warmer.Loss(ctx, subnet, r.Windows[:batch], settings.SeqLen)
		if err != nil {
			t.Fatal(err)
		}
		cold, err := teacher.Loss(ctx, subnet, r.Windows[:batch], settings.SeqLen)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: loss %.6f before, %.6f after the steps; a trainer's %.6f", name, cold, got, want)
		if !near(got, want, 2e-4) || near(cold, want, 1e-2) {
			t.Errorf("%s: loss %.6f before, %.6f after the steps; a trainer's %.6f", name, cold, got, want)
		}
	}
}
