package resident

import (
	"path/filepath"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm/table"
)

// tableWork writes a search's candidates as a table.
func (h *Host) tableWork(j *job) (any, error) {
	if !filepath.IsAbs(j.request.Path) {
		return nil, kernelext.Errorf(kernelext.Invalid, "search %s: want the whole path of the table's file", j.Name)
	}
	l, err := h.lab(j.whole(), j.Lab)
	if err != nil {
		return nil, err
	}
	p, found, err := l.population(j.whole(), j.Name)
	if err != nil || !found {
		return nil, l.noSuch(j.whole(), err, "search", j.Name, l.searches)
	}
	if err := table.Write(j.request.Path, p); err != nil {
		return nil, kernelext.Errorf(kernelext.Invalid, "search %s: %v", j.Name, err)
	}
	return kernelext.Summary{Done: int64(len(p.Candidates))}, nil
}
