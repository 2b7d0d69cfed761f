package resident

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/atomicfile"
)

// mostImportanceTokens bounds a measurement.
const mostImportanceTokens = 1 << 20

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
	importance, err := importance(j.ctx, h.settings.Home, t, slm.Reorder("activation-"+asked.Aggregate), asked.Tokens, j.report())
	if j.boundary() {
		return nil, &kernelext.InterruptedError{Message: "stopped; the importance is not measured yet: run the cell again"}
	}
	return importance, err
}

// reordered gives a search the order that its Reorder means.
func reordered(ctx context.Context, home string, t Teacher, s slm.Search, report Report) (slm.Search, error) {
	if s.Reorder == "" {
		return s, nil
	}
	scores, err := importance(ctx, home, t, s.Reorder, kernelext.ImportanceTokens, report)
	if err != nil {
		return s, err
	}
	order, err := scores.Order(t.Config())
	s.Order = &order
	return s, err
}

// keptImportance is a measurement in its file among the teachers: it depends on the teacher's content and the corpus only.
type keptImportance struct {
	SHA256     string         `json:"sha256"`
	Corpus     string         `json:"corpus"`
	Importance slm.Importance `json:"importance"`
}

// importance measures the importance of a teacher's units, or reads what was measured before.
func importance(ctx context.Context, home string, t Teacher, by slm.Reorder, tokens int, report Report) (slm.Importance, error) {
	path := filepath.Join(home, "teachers", fmt.Sprintf("%.16s.importance-%s-%d.json", t.SHA256(), by, tokens))
	kept := keptImportance{SHA256: t.SHA256(), Corpus: t.Corpus()}
	if before, ok := readImportance(path); ok && before.SHA256 == kept.SHA256 && before.Corpus == kept.Corpus {
		return before.Importance, nil
	}
	var err error
	if kept.Importance, err = t.Importance(ctx, by, tokens, window, report); err != nil {
		return slm.Importance{}, err
	}
	err = os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = atomicfile.WriteBytes(path, []byte(text(kept)), 0o644)
	}
	if err != nil {
		return slm.Importance{}, fmt.Errorf("the importance of units cannot be kept: %w", unwritable(filepath.Dir(path), err))
	}
	return kept.Importance, nil
}

// readImportance reads a file that may not be there.
func readImportance(path string) (kept keptImportance, ok bool) {
	content, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(content, &kept) != nil {
		return kept, false
	}
	return kept, true
}
