package resident

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// searchWork evaluates the candidates that a search still lacks. [slm.Search.Next] proposes from the records, so it
// continues as if it had never stopped.
func (h *Host) searchWork(j *job) (any, error) {
	l, err := h.lab(j.whole(), j.Lab)
	if err != nil {
		return nil, err
	}
	if j.request.Search != nil && j.request.Search.Told {
		return nil, kernelext.Errorf(kernelext.Invalid, "search %s: a cell is to judge its candidates (Told): Ask gives them, Tell takes their losses", j.Name)
	}
	p, err := h.openSearch(j, l)
	if err != nil {
		return nil, err
	}
	if err := p.Search.AllFailed(p.Candidates); err != nil {
		return nil, kernelext.Errorf(kernelext.Invalid, "%v", err)
	}
	if p.Done() {
		return kernelext.Summary{Done: int64(p.Evaluations())}, nil
	}
	j.progress(kernelext.Event{Done: int64(p.Evaluations()), Total: int64(p.Search.Evaluations()), Unit: "evaluations"})
	t, err := h.useTeacher(j, l, p.Search.Teacher)
	if err != nil {
		return nil, err
	}
	if p, err = h.openSearch(j, l); err != nil { // another job may have gone on with it while this one waited
		return nil, err
	}
	return h.evolve(j, l, t, &p)
}

// openSearch finds a search with its candidates, or makes a new one, which it does not record yet.
func (h *Host) openSearch(j *job, l *lab) (slm.Population, error) {
	ctx := j.whole()
	if j.request.Search == nil {
		return slm.Population{}, kernelext.Errorf(kernelext.Invalid, "search %s: no options were sent", j.Name)
	}
	asked := j.request.Search.WithDefaults()
	p, found, err := l.population(ctx, j.Name)
	if err != nil {
		return p, err
	}
	if asked.Teacher == "" && found {
		asked.Teacher = p.Search.Teacher
	} else if asked.Teacher == "" {
		if asked.Teacher, err = h.soleTeacher(ctx, l); err != nil {
			return p, err
		}
	}
	if found && (len(p.Candidates) > 0 || p.Search.Told != asked.Told) {
		return p, sameSearch(j.Name, p.Search, asked)
	}
	config, err := h.config(j, l, asked.Teacher)
	if err != nil {
		return p, err
	}
	if err := asked.Validate(config); err != nil {
		return p, kernelext.Errorf(kernelext.Invalid, "%v", err)
	}
	p.Search, p.Teacher = asked, config
	return p, nil
}

// population reads a search with its candidates; false when there is none of that name.
func (l *lab) population(ctx context.Context, name string) (p slm.Population, found bool, err error) {
	if p, found, err = l.search(ctx, name); err == nil && found {
		p.Candidates, err = l.candidates(ctx, name, 0, math.MaxInt32)
	}
	return p, found, err
}

// sameSearch is the error of a search that is asked for with other options than it has in the lab.
func sameSearch(name string, is, asked slm.Search) error {
	switch {
	case is.Told && !asked.Told:
		return kernelext.Errorf(kernelext.Differs, "search %q of this lab is judged by a cell: continue it with Ask and Tell, or use another name", name)
	case asked.Told && !is.Told:
		return judgedByHost(name)
	}
	if lines := Differences(is, asked); len(lines) > 0 {
		return taken("search", name, lines)
	}
	return nil
}

func judgedByHost(name string) error {
	return kernelext.Errorf(kernelext.Differs, "search %q of this lab is judged by the host: continue it with Search, or use another name", name)
}

// taken is the error of a name that stands for other options.
func taken(what, name string, lines []string) error {
	return kernelext.Errorf(kernelext.Differs, "%s %q exists in this lab with other options:\n%s\nuse the same options to continue it, or another name",
		what, name, strings.Join(lines, "\n"))
}

// evolve runs a search to its end or to the next boundary.
func (h *Host) evolve(j *job, l *lab, t *heldTeacher, p *slm.Population) (any, error) {
	begin, before := time.Now(), p.Evaluations()
	if before > 0 && !p.Done() {
		j.note("continued after %d of %d evaluations", before, p.Search.Evaluations())
	}
	judge, err := NewJudge(j.ctx, h.settings.Home, t, p.Search, j.report())
	if j.boundary() {
		return nil, stoppedSearch(p)
	}
	if err != nil {
		return nil, err
	}
	if err := l.begin(j.whole(), p, judge.Held()); err != nil {
		return nil, err
	}
	reused := 0
	if !slices.Contains(p.Search.Objectives, slm.MinimizeLatency) { // another search may have timed it elsewhere, or compiling
		judge.Known = func(b Basis) (Measurement, bool, error) {
			m, known, err := l.measured(j.whole(), b)
			if known {
				reused++
			}
			return m, known, err
		}
	}
	keep := func(c slm.Candidate, b Basis) error {
		return unwritable(l.folder, l.putCandidate(j.whole(), p.Name, c, b))
	}
	if err := judge.Evolve(j.ctx, p, keep, j.progress); j.boundary() && errors.Is(err, j.ctx.Err()) {
		return nil, stoppedSearch(p)
	} else if err != nil {
		return nil, err
	}
	if p.Exhausted {
		if err := unwritable(l.folder, l.putExhausted(j.whole(), p.Name)); err != nil {
			return nil, err
		}
		j.note("%s", noMore(p))
	}
	if reused > 0 {
		j.note("%d losses were known from other searches of this lab", reused)
	}
	if failed := p.Failures(); len(failed) > 0 {
		j.note("%d of %d candidates failed, and rank last: candidate %d, %s", len(failed), len(p.Candidates), failed[0].ID, failed[0].Failure)
	}
	done := p.Evaluations()
	h.log.Info("search finished", "lab", l.name, "search", p.Name, "evaluations", done, "reused", reused, "best_loss", p.Best().Loss)
	return kernelext.Summary{Done: int64(done), New: int64(done - before), Seconds: time.Since(begin).Seconds()}, nil
}

// noMore says why a search ended early.
func noMore(p *slm.Population) string {
	return fmt.Sprintf("ended after %d of %d evaluations: many draws from the %s space of %s gave no other sub-network with %s parameters", p.Evaluations(),
		p.Search.Evaluations(), p.Search.Space.Name(), p.Teacher.Name, p.Search.Bin)
}

// begin records a new search with the text on which it is judged, or checks that the text of an old one is the same.
func (l *lab) begin(ctx context.Context, p *slm.Population, held slm.Held) error {
	if len(p.Candidates) > 0 {
		return SameText(fmt.Sprintf("search %q", p.Name), p.Held, held)
	}
	p.Held = held
	return unwritable(l.folder, l.putSearch(ctx, *p))
}

func stoppedSearch(p *slm.Population) error {
	return &kernelext.InterruptedError{Message: fmt.Sprintf("stopped after %d of %d evaluations; run the cell again to continue",
		p.Evaluations(), p.Search.Evaluations())}
}
