package resident

import (
	"context"

	"github.com/offshoot-ml/offshoot/kernelext"
)

// predictWork tells what a teacher, or a run's student as of its last step, expects of a text.
func (h *Host) predictWork(j *job) (any, error) {
	return h.read(j, func(ctx context.Context, m Model, r kernelext.Reading) (any, error) {
		p, err := m.Predict(ctx, r)
		p.Model = j.Name
		return p, err
	})
}

// attentionWork tells where heads look while they read a text.
func (h *Host) attentionWork(j *job) (any, error) {
	return h.read(j, func(ctx context.Context, m Model, r kernelext.Reading) (any, error) {
		a, err := m.Attention(ctx, r)
		a.Model = j.Name
		return a, err
	})
}

// read lets a model in memory read a text.
func (h *Host) read(j *job, do func(context.Context, Model, kernelext.Reading) (any, error)) (any, error) {
	r := j.request.Reading
	if r == nil || r.Text == "" {
		return nil, kernelext.Errorf(kernelext.Invalid, "%s %s: want a text to read", j.Verb, j.Name)
	}
	if j.request.Run && !r.Subnet.IsZero() {
		return nil, kernelext.Errorf(kernelext.Invalid, "%s %s: a run has a sub-network of its own; name another's teacher", j.Verb, j.Name)
	}
	l, err := h.lab(j.whole(), j.Lab)
	if err != nil {
		return nil, err
	}
	m, err := h.model(j, l)
	if err != nil {
		return nil, err
	}
	j.progress(kernelext.Event{Message: "reading"})
	out, err := do(j.ctx, m, *r)
	if j.boundary() {
		return nil, &kernelext.InterruptedError{Message: "stopped before the text was read; run the cell again"}
	}
	return out, err
}
