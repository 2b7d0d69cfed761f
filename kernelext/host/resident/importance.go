package resident

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// mostImportanceTokens bounds a measurement: it takes as long as evaluating the teacher on them.
const mostImportanceTokens = 1 << 20

// keptImportance is a measurement in its file beside the teacher: it depends on the teacher's content and the corpus only.
type keptImportance struct {
	SHA256     string         `json:"sha256"`
	Corpus     string         `json:"corpus"`
	Importance slm.Importance `json:"importance"`
}

// importanceWork measures the importance of a teacher's units, unless that was done before.
func (h *Host) importanceWork(j *job) (any, error) {
	asked := j.request.Importance
	if asked == nil || asked.Tokens < window || asked.Tokens > mostImportanceTokens {
		return nil, kernelext.Errorf(kernelext.Invalid, "importance: want %d to %d tokens", window, mostImportanceTokens)
	}
	if err := asked.Aggregate.Validate(); err != nil {
		return nil, kernelext.Errorf(kernelext.Invalid, "importance: %v", err)
	}
	l, err := h.lab(j.whole(), j.Lab)
	if err != nil {
		return nil, err
	}
	t, err := h.useTeacher(j, l, j.Name)
	if err != nil {
		return nil, err
	}
	path := h.importancePath(t, asked)
	if kept, ok := readImportance(path); ok && kept.SHA256 == t.info.SHA256 && kept.Corpus == t.info.Corpus {
		return kept.Importance, nil
	}
	importance, err := t.Importance(j.ctx, asked.Aggregate, asked.Tokens, window, j.report())
	if j.boundary() {
		return nil, &kernelext.InterruptedError{Message: "stopped; the importance is not measured yet: run the cell again"}
	}
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(path, []byte(text(keptImportance{t.info.SHA256, t.info.Corpus, importance})), 0o644); err != nil {
		h.log.Warn("importance not kept", "error", err)
	}
	return importance, nil
}

func (h *Host) importancePath(t *heldTeacher, asked *kernelext.Importance) string {
	name := fmt.Sprintf("%s.importance-%s-%d.json", url.PathEscape(t.info.Config.Name), asked.Aggregate, asked.Tokens)
	return filepath.Join(h.settings.Home, "teachers", name)
}

// readImportance reads a file that may not be there, or be cut short.
func readImportance(path string) (kept keptImportance, ok bool) {
	content, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(content, &kept) != nil {
		return kept, false
	}
	return kept, true
}
