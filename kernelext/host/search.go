package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
	"github.com/offshoot-ml/offshoot/kernelext/host/resident"
	"github.com/offshoot-ml/offshoot/slm"
)

// searchWindow is how many tokens are predicted in a window when a candidate is judged, as in the lab.
const searchWindow = 128

// search runs a search to its end. Each evaluation is a line of the records' file, on the disk before the next begins; a
// file that is there already is continued, if the search in it is the same.
func search(ctx context.Context, request ask.Request, out io.Writer, m *meter) error {
	asked := request.(*ask.Search)
	options, err := asked.Options()
	if err != nil {
		return err
	}
	e := &engine{}
	if _, _, err := e.Backend(ctx); err != nil {
		return err
	}
	teacher, err := e.OpenTeacher(ctx, installed(asked.Teacher), m.messages())
	if err != nil {
		return err
	}
	if err := options.Validate(teacher.Config()); err != nil {
		return err
	}
	records, err := openRecords(asked.Out, recordsHead{Search: options, Teacher: teacher.Config(), SHA256: teacher.SHA256(), Corpus: teacher.Corpus()})
	if err != nil {
		return err
	}
	defer records.close()
	if err := evolve(ctx, teacher, options, records, m); err != nil {
		return err
	}
	m.end()
	return printBest(out, asked.JSON, records)
}

// evolve evaluates what the records lack.
func evolve(ctx context.Context, teacher resident.Teacher, options slm.Search, records *records, m *meter) error {
	windows, err := teacher.Held(ctx, options.Tokens, searchWindow, m.messages())
	if err != nil {
		return err
	}
	before, total := len(records.candidates), options.Evaluations()
	report := m.part("searching", "evaluations")
	for {
		pending, err := options.Next(teacher.Config(), records.candidates)
		if err != nil || len(pending) == 0 {
			return err
		}
		for _, c := range pending {
			begin := time.Now()
			if c.Loss, err = teacher.Loss(ctx, c.Subnet, windows, searchWindow); err == nil && !options.Warm.IsZero() {
				c.Untrained = c.Loss
				c.Loss, err = teacher.WarmLoss(ctx, options.Warm, c.Subnet, windows, searchWindow, m.messages())
			}
			if err == nil && (math.IsNaN(c.Loss) || math.IsInf(c.Loss, 0)) {
				err = errors.New("its loss is not a finite number")
			}
			if err != nil {
				return fmt.Errorf("candidate %d: %w; %d evaluations are kept in %s", c.ID, err, len(records.candidates), records.path)
			}
			c.Seconds, c.Evaluated = time.Since(begin).Seconds(), time.Now().UTC()
			if err := records.add(c); err != nil {
				return err
			}
			report(int64(len(records.candidates)-before), int64(total-before))
		}
	}
}

func printBest(out io.Writer, asJSON bool, records *records) error {
	best := slm.Elites(records.candidates, 1)[0]
	if asJSON {
		return printJSON(out, best)
	}
	_, err := fmt.Fprintf(out, "evaluations  %d, in %s\nbest         candidate %d of generation %d: loss %.4f, perplexity %.2f, %s parameters, %d layers\n",
		len(records.candidates), records.path, best.ID, best.Generation, best.Loss, best.Perplexity(), slm.Count(best.Parameters), len(best.Subnet.Layers))
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
