package resident

import (
	"bytes"
	"context"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm/table"
)

// tablePage is how many bytes of a table are in one answer; JSON makes them a third longer.
const tablePage = maxPayload / 4

// table answers with one page of a search's candidates as a table, which the client writes where it is.
func (h *Host) table(ctx context.Context, request kernelext.TableRequest) (any, error) {
	l, err := h.lab(ctx, request.Lab)
	if err != nil {
		return nil, err
	}
	p, found, err := l.population(ctx, request.Search)
	if err != nil || !found {
		return nil, l.noSuch(ctx, err, "search", request.Search, l.searches)
	}
	page := kernelext.Table{Candidates: len(p.Candidates), Evaluations: p.Evaluations()}
	if request.From > 0 && request.Evaluations != page.Evaluations {
		return nil, kernelext.Errorf(kernelext.Busy, "search %s went on while its table was read: save it again, or when it is finished", request.Search)
	}
	var whole bytes.Buffer
	if err := table.Encode(&whole, request.File, p); err != nil {
		return nil, kernelext.Errorf(kernelext.Invalid, "search %s: %v", request.Search, err)
	}
	page.Content = whole.Bytes()[min(max(0, request.From), whole.Len()):]
	if len(page.Content) > tablePage {
		page.Content, page.Next = page.Content[:tablePage], request.From+tablePage
	}
	return page, nil
}
