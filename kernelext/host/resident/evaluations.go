package resident

import (
	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// evaluateWork measures how well a teacher, or a run's student, predicts a text.
func (h *Host) evaluateWork(j *job) (any, error) {
	if j.request.Evaluation == nil {
		return nil, kernelext.Errorf(kernelext.Invalid, "evaluate %s: no text was named", j.Name)
	}
	asked := j.request.Evaluation.WithDefaults()
	if err := asked.Validate(); err != nil {
		return nil, kernelext.Errorf(kernelext.Invalid, "%v", err)
	}
	l, err := h.lab(j.whole(), j.Lab)
	if err != nil {
		return nil, err
	}
	evaluate := h.evaluateTeacher
	if j.request.Run {
		evaluate = h.evaluateRun
	}
	found, err := evaluate(j, l, asked)
	if err != nil && j.boundary() {
		return nil, &kernelext.InterruptedError{Message: "stopped; nothing was measured: run the cell again"}
	}
	found.Model = j.Name
	return found, err
}

func (h *Host) evaluateTeacher(j *job, l *lab, asked slm.Evaluation) (slm.Evaluated, error) {
	if asked.Best {
		return slm.Evaluated{}, kernelext.Errorf(kernelext.Invalid, "evaluate %s: a best checkpoint is one of a run", j.Name)
	}
	t, err := h.useTeacher(j, l, j.Name)
	if err != nil {
		return slm.Evaluated{}, err
	}
	return t.Evaluate(j.ctx, asked, j.report())
}

func (h *Host) evaluateRun(j *job, l *lab, asked slm.Evaluation) (slm.Evaluated, error) {
	if err := j.acquire(); err != nil {
		return slm.Evaluated{}, err
	}
	history, err := l.history(j.whole(), h.settings.Home, j.Name)
	if err != nil {
		return slm.Evaluated{}, err
	}
	return h.engine.EvaluateRun(j.ctx, history, asked, j.report())
}
