package resident

import (
	"context"
	"slices"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// Rows in a page: a candidate takes 1 to 20 kB of JSON, and more of a deep fine space; a point takes 200 to 350 bytes.
const (
	candidatePage = 500
	pointPage     = 10000
	candidateText = maxPayload / 4 // bytes of candidates in one answer
)

// fitting are the first candidates, as many as one answer carries, and at least one. Whoever asks again gets the others.
func fitting(candidates []slm.Candidate) []slm.Candidate {
	size := 0
	end := slices.IndexFunc(candidates, func(c slm.Candidate) bool {
		size += len(text(c))
		return size > candidateText
	})
	if end < 0 {
		return candidates
	}
	return candidates[:max(1, end)]
}

// records answers with one page of a search's candidates or a run's points, or with the lab's contents.
func (h *Host) records(ctx context.Context, request kernelext.RecordsRequest) (any, error) {
	lab, err := h.lab(ctx, request.Lab)
	if err != nil {
		return nil, err
	}
	switch {
	case request.Search != "":
		return lab.populationPage(ctx, request.Search, request.From)
	case request.Run != "":
		return lab.curvePage(ctx, request.Run, request.From)
	}
	contents, err := lab.contents(ctx)
	return kernelext.Records{Contents: contents}, err
}

func (l *lab) populationPage(ctx context.Context, name string, from int) (page kernelext.Records, err error) {
	p, found, err := l.search(ctx, name)
	if err != nil || !found {
		return page, l.noSuch(ctx, err, "search", name, l.searches)
	}
	candidates, err := l.candidates(ctx, name, from, candidatePage)
	if err != nil {
		return page, err
	}
	p.Candidates = fitting(candidates)
	page.Population = &p
	if n := len(p.Candidates); n == candidatePage || n < len(candidates) {
		page.Next = p.Candidates[n-1].ID + 1
	}
	return page, nil
}

func (l *lab) curvePage(ctx context.Context, name string, from int) (page kernelext.Records, err error) {
	c, found, err := l.run(ctx, name)
	if err != nil || !found {
		return page, l.noSuch(ctx, err, "run", name, l.runs)
	}
	if c.Points, err = l.points(ctx, name, from, pointPage); err != nil {
		return page, err
	}
	c.Checkpoints = l.kept(name)
	page.Curve = &c
	if n := len(c.Points); n == pointPage {
		page.Next = c.Points[n-1].Step + 1
	}
	return page, nil
}

// noSuch is err, or the error of a name that the lab does not hold, with those that it does.
func (l *lab) noSuch(ctx context.Context, err error, what, name string, list func(context.Context) ([]string, error)) error {
	if err != nil {
		return err
	}
	names, err := list(ctx)
	if err != nil {
		return err
	}
	return kernelext.Errorf(kernelext.Unknown, "lab %s holds no %s named %q (%s)", l.name, what, name, listed("it holds", names, "it holds none"))
}
