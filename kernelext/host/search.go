package main

import (
	"context"
	"fmt"
	"io"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
	"github.com/offshoot-ml/offshoot/kernelext/host/resident"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/table"
)

// search runs a search to its end. Each evaluation is a line of the records' file, on the disk before the next begins; a
// file that is there already is continued, if the search in it is the same.
func search(ctx context.Context, request ask.Request, out io.Writer, m *meter) error {
	asked := request.(*ask.Search)
	options, err := asked.Options()
	if err != nil {
		return err
	}
	r, err := readRecords(asked.Out)
	if err != nil {
		return err
	}
	if err := r.same(options); err != nil {
		return err
	}
	defer func() { r.close() }()
	if !r.begun() || !r.population.Done() {
		if err := evolve(ctx, asked.Teacher, options, r, m); err != nil {
			return err
		}
	}
	if err := options.AllFailed(r.population.Candidates); err != nil { // those of a finished search
		return err
	}
	for _, path := range asked.Tables {
		if err := table.Write(path, r.population); err != nil {
			return err
		}
	}
	m.end()
	return printBest(out, asked.JSON, r)
}

// evolve evaluates what the records lack.
func evolve(ctx context.Context, reference string, options slm.Search, r *records, m *meter) error {
	e := &engine{}
	if _, _, err := e.Backend(ctx); err != nil {
		return err
	}
	teacher, err := e.OpenTeacher(ctx, installed(reference), m.messages())
	if err != nil {
		return err
	}
	if err := options.Validate(teacher.Config()); err != nil {
		return err
	}
	if err := teacher.Load(ctx, m.messages()); err != nil {
		return err
	}
	home, err := kernelext.Home()
	if err != nil {
		return err
	}
	judge, err := resident.NewJudge(ctx, home, teacher, options, m.messages())
	if err != nil {
		return err
	}
	if err := r.open(recordsHead{Search: options, Teacher: teacher.Config(), SHA256: teacher.SHA256(), Held: judge.Held()}); err != nil {
		return err
	}
	err = r.evolve(ctx, judge, func(event kernelext.Event) { m.show(searchLine(r.population, event)) })
	switch done := r.population.Evaluations(); {
	case err != nil && ctx.Err() != nil:
		return &kernelext.InterruptedError{Message: fmt.Sprintf("stopped after %d of %d evaluations, which are in %s; the same command goes on with it",
			done, options.Evaluations(), r.path)}
	case err != nil:
		return fmt.Errorf("%w; %d evaluations are kept in %s", err, done, r.path)
	}
	return nil
}

// searchLine is such as "searching  12 of 64 evaluations  2.3 evaluations/s  23 s left  best perplexity 31.2 (30.1M parameters)".
func searchLine(p slm.Population, e kernelext.Event) string {
	best := p.Best()
	line := fmt.Sprintf("searching  %d of %d evaluations  %.2g evaluations/s  ", e.Done, e.Total, e.Rate)
	if e.Left > 0 {
		line += fmt.Sprintf("%.0f s left  ", e.Left)
	}
	if best.Failed() {
		return line + "none has a loss yet"
	}
	return line + fmt.Sprintf("best perplexity %.4g (%s parameters)", best.Perplexity(), slm.Count(best.Parameters))
}

func printBest(out io.Writer, asJSON bool, r *records) error {
	best := r.population.Best()
	if asJSON {
		return printJSON(out, best)
	}
	evaluations := fmt.Sprint(r.population.Evaluations())
	if r.population.Exhausted {
		evaluations += fmt.Sprintf(" of %d, as no other sub-network was found in the bin", r.population.Search.Evaluations())
	}
	_, err := fmt.Fprintf(out, "evaluations  %s, in %s\nbest         candidate %d of generation %d: loss %.4f, perplexity %.2f, %s parameters, %d layers\n",
		evaluations, r.path, best.ID, best.Generation, best.Loss, best.Perplexity(), slm.Count(best.Parameters), len(best.Subnet.Layers))
	return err
}

// messages shows what takes time besides the evaluations.
func (m *meter) messages() resident.Report {
	var what string
	var report func(done, total int64)
	return func(message string, done, total int64) {
		if message != what {
			what, report = message, m.part(message, "bytes")
		}
		report(done, total)
	}
}
