package slm

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

// pointColumns head a table of points. After them come the seconds of a step by part, as [Spent.Parts] has them.
var pointColumns = []string{"step", "tokens", "loss", "cross_entropy", "validation", "perplexity", "learning_rate", "gradient_norm", "seconds",
	"data_seconds", "teacher_seconds", "student_seconds", "validation_seconds", "checkpoint_seconds"}

// WritePoints writes a run's points as CSV, one a row, losses in nats per token; what was not measured is empty.
func WritePoints(w io.Writer, points []Point) error {
	out := csv.NewWriter(w)
	out.Write(pointColumns)
	number := func(v float64) string {
		if v == 0 {
			return ""
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	for _, p := range points {
		perplexity := 0.0
		if p.Validation != 0 {
			perplexity = math.Exp(p.Validation)
		}
		row := []string{strconv.Itoa(p.Step), strconv.FormatInt(p.Tokens, 10), number(p.Loss), number(p.CE), number(p.Validation), number(perplexity),
			number(p.Rate), number(p.GradNorm), number(p.Seconds)}
		for _, part := range p.Spent.Parts() {
			row = append(row, number(part.Seconds))
		}
		out.Write(row)
	}
	out.Flush()
	return out.Error()
}

// ReadPoints reads what [WritePoints] wrote; the times by part and of recording are left out. A table of other columns, a field
// that is no number and a row that is cut are errors.
func ReadPoints(r io.Reader) ([]Point, error) {
	in := csv.NewReader(r)
	head, err := in.Read()
	if err == nil && !slices.Equal(head, pointColumns) {
		err = fmt.Errorf("its columns are %q, not those of a run's points", head)
	}
	var points []Point
	for err == nil {
		var row []string
		if row, err = in.Read(); err == nil {
			var p Point
			p, err = pointOf(row)
			points = append(points, p)
		}
	}
	if !errors.Is(err, io.EOF) || head == nil {
		return nil, fmt.Errorf("table of points: %w", err)
	}
	return points, nil
}

func pointOf(row []string) (p Point, err error) {
	number := func(column int) (v float64) {
		if row[column] == "" {
			return 0
		}
		v, bad := strconv.ParseFloat(row[column], 64)
		err = errors.Join(err, bad)
		return v
	}
	var bad error
	if p.Step, bad = strconv.Atoi(row[0]); bad != nil {
		return p, bad
	}
	if p.Tokens, bad = strconv.ParseInt(row[1], 10, 64); bad != nil {
		return p, bad
	}
	p.Loss, p.CE, p.Validation, p.Rate, p.GradNorm, p.Seconds = number(2), number(3), number(4), number(6), number(7), number(8)
	return p, err
}
