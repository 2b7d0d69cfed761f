package model

import (
	"context"
	"fmt"

	"github.com/offshoot-ml/offshoot/slm"
)

// BlockImportance scores layers by how far they turn what they read: 1 − cos(input, output), averaged over tokens (Men et
// al. 2024, "ShortGPT", arXiv 2403.03853, section 3.2). Arguments are those of [Teacher.Activations].
func (t *Teacher) BlockImportance(ctx context.Context, windows []int32, seqLen int, progress func(done, total int)) (slm.Importance, error) {
	w, err := t.watch(ctx, windows, seqLen, progress)
	if err != nil {
		return slm.Importance{}, fmt.Errorf("block importance: %w", err)
	}
	return slm.Importance{Method: "block importance", Layers: w.blockImportance()}, nil
}

func (w *watched) blockImportance() []float64 {
	out := make([]float64, len(w.cosines))
	for l, sum := range w.cosines {
		out[l] = 1 - sum/w.tokens
	}
	return out
}

// LayerDrop scores layers by the nats per token that the teacher loses without each: its [Teacher.Loss] without the layer
// minus the whole's. One below zero says that the windows are better predicted without it. That takes a pass over the
// windows for each layer, and one more; progress, when not nil, is told how many are done. A teacher of one layer is an
// error: nothing is left without it.
func (t *Teacher) LayerDrop(ctx context.Context, windows []int32, seqLen int, progress func(done, total int)) (slm.Importance, error) {
	if t.Config.Layers < 2 {
		return slm.Importance{}, fmt.Errorf("layer drop: teacher %s has only one layer", t.Config.Name)
	}
	losses := make([]float64, 0, 1+t.Config.Layers)
	for dropped := -1; dropped < t.Config.Layers; dropped++ {
		s := slm.Subnet{}
		if dropped >= 0 {
			s = slm.WithoutLayer(t.Config, dropped)
		}
		loss, err := t.Loss(ctx, s, windows, seqLen)
		if err != nil {
			return slm.Importance{}, fmt.Errorf("layer drop: %w", err)
		}
		if losses = append(losses, loss); progress != nil {
			progress(len(losses), cap(losses))
		}
	}
	i := slm.Importance{Method: slm.LayerDrop}
	for _, without := range losses[1:] {
		i.Layers = append(i.Layers, without-losses[0])
	}
	return i, nil
}
