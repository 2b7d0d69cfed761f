package resident

import (
	"path/filepath"

	"github.com/offshoot-ml/offshoot/kernelext"
)

// exportWork writes a student for other programs. It reads the lab's folder and the teacher's file, so that it waits for
// no training, and no training for it.
func (h *Host) exportWork(j *job) (any, error) {
	asked := j.request.Export
	if asked == nil || !filepath.IsAbs(asked.Dir) {
		return nil, kernelext.Errorf(kernelext.Invalid, "export %s: want the whole path of a folder", j.Name)
	}
	l, err := h.lab(j.whole(), j.Lab)
	if err != nil {
		return nil, err
	}
	return h.export(j, l, *asked)
}

// export writes the student of the run that a job is about, or a teacher's sub-network.
func (h *Host) export(j *job, l *lab, asked kernelext.Export) (info kernelext.Exported, err error) {
	e := Export{Export: asked}
	if j.request.Run {
		history, err := l.history(j.whole(), h.settings.Home, j.Name)
		if err != nil {
			return info, err
		}
		e.Run = &history
	} else if e.Teacher, err = h.reference(j.Name); err != nil {
		return info, err
	}
	info, err = h.engine.Export(j.ctx, e, j.report())
	switch {
	case err != nil && j.boundary():
		return info, &kernelext.InterruptedError{Message: "stopped; " + asked.Dir + " is as it was"}
	case err != nil:
		return info, kernelext.Errorf(kernelext.Invalid, "%v", err)
	}
	h.log.Info("student exported", "lab", j.Lab, "name", j.Name, "dir", asked.Dir, "layers", info.Layers, "bytes", info.Bytes)
	return info, nil
}
