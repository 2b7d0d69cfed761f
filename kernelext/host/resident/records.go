package resident

import (
	"context"

	"github.com/offshoot-ml/offshoot/kernelext"
)

// Rows in a page: a candidate of a deep layer-wise space takes about 4 kB of JSON, a point 200 bytes.
const (
	candidatePage = 500
	pointPage     = 10000
)

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
	if p.Candidates, err = l.candidates(ctx, name, from, candidatePage); err != nil {
		return page, err
	}
	page.Population = &p
	if n := len(p.Candidates); n == candidatePage {
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
