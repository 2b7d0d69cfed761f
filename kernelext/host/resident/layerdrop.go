package resident

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// layerDropWork measures what a teacher loses without each of its layers, on the held-out text of its perplexity.
func (h *Host) layerDropWork(j *job) (any, error) {
	l, t, err := h.measuredTeacher(j)
	if err != nil {
		return nil, err
	}
	if name := t.info.Config.Name; t.info.Config.Layers < 2 {
		return nil, kernelext.Errorf(kernelext.Invalid, "layer drop: %s has one layer, and nothing is left without it", name)
	}
	windows, err := t.Held(j.whole(), slm.Data{}, h.settings.HeldTokens, window, j.report())
	if err != nil {
		return nil, err
	}
	judge := &Judge{teacher: t, search: slm.Search{Tokens: h.settings.HeldTokens}, windows: windows, report: j.report(), hashes: map[int]string{},
		Known: func(b Basis) (Measurement, bool, error) { return l.measured(j.whole(), b) }}
	return layerDrop(j, l, t, judge)
}

// layerDrop evaluates a teacher without each layer, in place and kept in the lab's records, as the candidates of a search are: what
// was interrupted goes on after the layers that are there.
func layerDrop(j *job, l *lab, t *heldTeacher, judge *Judge) (drop slm.Importance, err error) {
	config, pace := t.info.Config, pace{}
	drop.Method = slm.LayerDrop
	for layer := range config.Layers {
		if j.boundary() {
			return drop, &kernelext.InterruptedError{Message: fmt.Sprintf("stopped after %d of %d layers, which are kept; run the cell again to go on", layer, config.Layers)}
		}
		c, basis, err := judge.evaluate(j.whole(), slm.Candidate{Subnet: slm.WithoutLayer(config, layer)})
		if err == nil && c.Failed() {
			err = kernelext.Errorf(kernelext.Invalid, "%s", c.Failure)
		}
		if err != nil {
			return drop, fmt.Errorf("%s without layer %d: %w", config.Name, layer, err)
		}
		drop.Layers = append(drop.Layers, c.Loss-t.info.Loss)
		if c.Seconds == 0 { // it was known
			continue
		}
		if err := l.keepLoss(j.whole(), basis, c); err != nil {
			return drop, err
		}
		pace.add(c.Seconds)
		mean := pace.mean()
		j.progress(kernelext.Event{Done: int64(layer + 1), Total: int64(config.Layers), Unit: "layers", Rate: 1 / mean, Left: mean * float64(config.Layers-layer-1)})
	}
	return drop, nil
}

// keepLoss records a measurement that belongs to no search.
func (l *lab) keepLoss(ctx context.Context, b Basis, c slm.Candidate) error {
	return unwritable(l.folder, l.together(ctx, func(tx *sql.Tx) error { return putLoss(ctx, tx, b, c) }))
}
