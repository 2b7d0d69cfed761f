package resident

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// askWork gives the candidates that a cell is to judge next. The first call records the search.
func (h *Host) askWork(j *job) (any, error) {
	l, err := h.lab(j.whole(), j.Lab)
	if err != nil {
		return nil, err
	}
	if j.request.Search != nil {
		j.request.Search.Told = true
	}
	p, err := h.openSearch(j, l)
	if err != nil {
		return nil, err
	}
	order, err := h.resolvedOrder(j, l, p.Search)
	if err != nil {
		return nil, err
	}
	h.telling.Lock()
	defer h.telling.Unlock()
	if p, err = h.openSearch(j, l); err != nil {
		return nil, err
	}
	p.Held = slm.Held{Order: orderHash(order)}
	if err := unwritable(l.folder, l.putToldSearch(j.whole(), p, order)); err != nil {
		return nil, err
	}
	pending, err := awaited(p, order)
	if err != nil {
		return nil, err
	}
	if len(pending) == 0 && !p.Done() {
		err = unwritable(l.folder, l.putExhausted(j.whole(), p.Name))
	}
	return fitting(pending), err
}

// tellWork records what a cell tells of candidates that it was given: all of it, or nothing.
func (h *Host) tellWork(j *job) (any, error) {
	l, err := h.lab(j.whole(), j.Lab)
	if err != nil {
		return nil, err
	}
	p, found, err := l.search(j.whole(), j.Name)
	switch {
	case err != nil || !found:
		return nil, l.noSuch(j.whole(), err, "search", j.Name, l.searches)
	case !p.Search.Told:
		return nil, judgedByHost(j.Name)
	}
	order, err := l.toldOrder(j.whole(), j.Name, p.Search)
	switch {
	case err != nil:
		return nil, err
	case order == nil && p.Search.Reorder != "":
		return nil, kernelext.Errorf(kernelext.Invalid, "search %s: the order of its teacher's units is not recorded, since an earlier Offshoot began it: "+
			"ask for its candidates again, then tell their losses", j.Name)
	}
	h.telling.Lock()
	defer h.telling.Unlock()
	if p, _, err = l.population(j.whole(), j.Name); err != nil {
		return nil, err
	}
	pending, err := awaited(p, order)
	if err != nil {
		return nil, err
	}
	told, err := believed(p, pending, j.request.Told)
	if err != nil {
		return nil, kernelext.Errorf(kernelext.Invalid, "search %s: %v; nothing of this call was recorded", j.Name, err)
	}
	if err := unwritable(l.folder, l.putTold(j.whole(), j.Name, told)); err != nil {
		return nil, err
	}
	return kernelext.Summary{Done: int64(len(p.Candidates) + len(told)), New: int64(len(told))}, nil
}

// toldOrder is the order of units that a search has or that was recorded when its Reorder was resolved; nil without one.
func (l *lab) toldOrder(ctx context.Context, name string, s slm.Search) (*slm.Order, error) {
	if s.Reorder == "" {
		return s.Order, nil
	}
	return l.order(ctx, name, s)
}

// resolvedOrder is the order that a search's Reorder means. Only where it is not recorded yet is the teacher itself needed.
func (h *Host) resolvedOrder(j *job, l *lab, s slm.Search) (*slm.Order, error) {
	if order, err := l.toldOrder(j.whole(), j.Name, s); err != nil || order != nil || s.Reorder == "" {
		return order, err
	}
	t, err := h.useTeacher(j, l, s.Teacher)
	if err != nil {
		return nil, err
	}
	s, err = reordered(j.ctx, h.settings.Home, t, s, j.report())
	if j.boundary() {
		return nil, &kernelext.InterruptedError{Message: "stopped; the order of the teacher's units is not measured yet: run the cell again"}
	}
	return s.Order, err
}

// awaited are the candidates of which a told search waits for a loss.
func awaited(p slm.Population, order *slm.Order) ([]slm.Candidate, error) {
	s := p.Search
	s.Order = order
	pending, err := s.Next(p.Teacher, p.Candidates)
	if err != nil {
		return nil, kernelext.Errorf(kernelext.Invalid, "%v", err)
	}
	return append([]slm.Candidate{}, pending...), nil
}

// believed are the candidates that judgements are about, with what they say.
func believed(p slm.Population, pending []slm.Candidate, told []kernelext.Judgement) ([]slm.Candidate, error) {
	var out []slm.Candidate
	for _, t := range told {
		if err := t.Validate(); err != nil {
			return nil, err
		}
		same := func(c slm.Candidate) bool { return c.ID == t.ID }
		i := slices.IndexFunc(pending, same)
		switch {
		case slices.ContainsFunc(out, same):
			return nil, fmt.Errorf("candidate %d is told twice", t.ID)
		case i < 0:
			return nil, unasked(p, pending, t.ID)
		case pending[i].Subnet.Key() != t.Subnet:
			return nil, fmt.Errorf("candidate %d has sub-network %s, the one that was asked about has %s: change nothing of a candidate but its loss",
				t.ID, t.Subnet, pending[i].Subnet.Key())
		}
		c := pending[i]
		if c = p.Search.Judge(c, t.Loss); t.Failure != "" {
			c = p.Search.Fail(c, t.Failure)
		}
		c.Latency, c.Seconds, c.Evaluated = t.Latency, t.Seconds, time.Now().UTC()
		out = append(out, c)
	}
	return out, nil
}

// unasked is the error of a candidate that nothing is waiting for.
func unasked(p slm.Population, pending []slm.Candidate, id int) error {
	i := slices.IndexFunc(p.Candidates, func(c slm.Candidate) bool { return c.ID == id })
	if i >= 0 && p.Candidates[i].Failed() {
		return fmt.Errorf("candidate %d was told already, to have failed (%s): ask for those that lack theirs", id, p.Candidates[i].Failure)
	}
	if i >= 0 {
		return fmt.Errorf("candidate %d has its loss already, %g: ask for those that lack theirs", id, p.Candidates[i].Loss)
	}
	if len(pending) == 0 {
		return fmt.Errorf("candidate %d is none of this search, which is finished", id)
	}
	ids := make([]string, len(pending))
	for i, c := range pending {
		ids[i] = fmt.Sprint(c.ID)
	}
	return fmt.Errorf("candidate %d was not asked about; those that wait for a loss are %s", id, strings.Join(ids, ", "))
}
