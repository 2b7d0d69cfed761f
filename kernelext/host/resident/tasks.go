package resident

import (
	"net/url"
	"os"
	"path/filepath"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/kernelext/host/lmeval"
)

// tasksWork measures a run's student, or a teacher, in tasks of lm-eval. It writes it for transformers first, as it is now, and holds
// the accelerator meanwhile: the two would take each other's time and memory.
func (h *Host) tasksWork(j *job) (any, error) {
	if j.request.Tasks == nil {
		return nil, kernelext.Errorf(kernelext.Invalid, "tasks of %s: none were named", j.Name)
	}
	asked := *j.request.Tasks
	if err := asked.Validate(); err != nil {
		return nil, kernelext.Errorf(kernelext.Invalid, "%v", err)
	}
	python, err := lmeval.Python(h.settings.Home)
	if err != nil {
		return nil, kernelext.Errorf(kernelext.NotInstalled, "%v", err)
	}
	l, err := h.lab(j.whole(), j.Lab)
	if err != nil {
		return nil, err
	}
	if err := j.acquire(); err != nil {
		return nil, err
	}
	kind := "teachers"
	if j.request.Run {
		kind = "runs"
	}
	student := filepath.Join(l.folder, "exports", kind, url.PathEscape(j.Name))
	if err := os.MkdirAll(filepath.Dir(student), 0o755); err != nil {
		return nil, unwritable(l.folder, err)
	}
	exported, err := h.export(j, l, kernelext.Export{Dir: student})
	if err != nil {
		return nil, err
	}
	j.progress(kernelext.Event{Message: "starting lm-eval"})
	scores, err := lmeval.Run(j.ctx, python, student, asked, student+".lm-eval", j.report())
	switch {
	case err != nil && j.boundary():
		return nil, &kernelext.InterruptedError{Message: "stopped; the tasks have no scores yet: run the cell again"}
	case err != nil:
		return nil, err
	}
	scores.Model, scores.Steps = j.Name, exported.Steps
	h.log.Info("tasks measured", "lab", j.Lab, "name", j.Name, "tasks", asked.Names, "file", scores.File)
	if j.request.Run && scores.Seconds > 0 { // those that were kept are in the records
		err = unwritable(l.folder, l.putScores(j.whole(), j.Name, scores))
	}
	return scores, err
}
