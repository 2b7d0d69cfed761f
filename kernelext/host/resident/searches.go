package resident

import (
	"fmt"
	"math"
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
	p, err := h.openSearch(j, l)
	if err != nil {
		return nil, err
	}
	if p.Done() {
		return kernelext.Summary{Done: int64(len(p.Candidates))}, nil
	}
	t, err := h.useTeacher(j, l, p.Search.Teacher)
	if err != nil {
		return nil, err
	}
	if found := len(p.Candidates); found > 0 {
		j.note("continued after %d of %d evaluations", found, p.Search.Evaluations())
	}
	return h.evolve(j, l, t, &p)
}

// openSearch finds a search with its candidates, or begins it.
func (h *Host) openSearch(j *job, l *lab) (slm.Population, error) {
	ctx := j.whole()
	if j.request.Search == nil {
		return slm.Population{}, kernelext.Errorf(kernelext.Invalid, "search %s: no options were sent", j.Name)
	}
	asked := j.request.Search.WithDefaults()
	p, found, err := l.search(ctx, j.Name)
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
	if p.Candidates, err = l.candidates(ctx, j.Name, 0, math.MaxInt32); err != nil {
		return p, err
	}
	if lines := differences(p.Search, asked); found && len(p.Candidates) > 0 {
		if len(lines) > 0 {
			return p, taken("search", j.Name, lines)
		}
		return p, nil
	}
	config, err := h.config(j, l, asked.Teacher)
	if err != nil {
		return p, err
	}
	if err := asked.Validate(config); err != nil {
		return p, kernelext.Errorf(kernelext.Invalid, "%v", err)
	}
	p.Search, p.Teacher = asked, config
	return p, unwritable(l.folder, l.putSearch(ctx, p, window))
}

// taken is the error of a name that stands for other options.
func taken(what, name string, lines []string) error {
	return kernelext.Errorf(kernelext.Differs, "%s %q exists in this lab with other options:\n%s\nuse the same options to continue it, or another name",
		what, name, strings.Join(lines, "\n"))
}

// evolve runs a search to its end or to the next boundary.
func (h *Host) evolve(j *job, l *lab, t *heldTeacher, p *slm.Population) (any, error) {
	begin, before := time.Now(), len(p.Candidates)
	windows, err := t.windows(j, p.Search.Tokens)
	if j.boundary() {
		return nil, stoppedSearch(p)
	}
	if err != nil {
		return nil, err
	}
	var pace pace
	for {
		pending, err := p.Search.Next(p.Teacher, p.Candidates)
		if err != nil {
			return nil, kernelext.Errorf(kernelext.Invalid, "%v", err)
		}
		if len(pending) == 0 {
			break
		}
		for _, c := range pending {
			if j.boundary() {
				return nil, stoppedSearch(p)
			}
			if c, err = evaluate(j, t, p.Search.Warm, c, windows); err != nil {
				return nil, err
			}
			if err := l.addCandidate(j.whole(), p.Name, c); err != nil {
				return nil, unwritable(l.folder, err)
			}
			p.Candidates = append(p.Candidates, c)
			pace.add(c.Seconds)
			j.progress(evaluated(p, c, pace))
		}
	}
	h.log.Info("search finished", "lab", l.name, "search", p.Name, "evaluations", len(p.Candidates), "best_loss", p.Best().Loss)
	return kernelext.Summary{Done: int64(len(p.Candidates)), New: int64(len(p.Candidates) - before), Seconds: time.Since(begin).Seconds()}, nil
}

// evaluate measures one candidate: as it is, or as it is after some steps of training.
func evaluate(j *job, t *heldTeacher, warm slm.Warm, c slm.Candidate, windows []int32) (slm.Candidate, error) {
	begin := time.Now()
	loss, err := t.Loss(j.whole(), c.Subnet, windows, window)
	if err == nil && !warm.IsZero() {
		c.Untrained = loss
		loss, err = t.WarmLoss(j.whole(), warm, c.Subnet, windows, window, j.report())
	}
	if err != nil {
		return c, fmt.Errorf("candidate %d: %w", c.ID, err)
	}
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return c, fmt.Errorf("candidate %d: its loss is %g, not a finite number", c.ID, loss)
	}
	c.Loss, c.Seconds, c.Evaluated = loss, time.Since(begin).Seconds(), time.Now().UTC()
	return c, nil
}

func evaluated(p *slm.Population, c slm.Candidate, pace pace) kernelext.Event {
	done, total := len(p.Candidates), p.Search.Evaluations()
	e := kernelext.Event{Kind: kernelext.Candidate, Candidate: &c, Done: int64(done), Total: int64(total), Unit: "evaluations"}
	if mean := pace.mean(); mean > 0 {
		e.Rate, e.Left = 1/mean, mean*float64(total-done)
	}
	return e
}

func stoppedSearch(p *slm.Population) error {
	return &kernelext.InterruptedError{Message: fmt.Sprintf("stopped after %d of %d evaluations; run the cell again to continue",
		len(p.Candidates), p.Search.Evaluations())}
}
