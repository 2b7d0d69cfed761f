package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/atomicfile"
)

// thinning is of how many points of a pretraining its folder shows one, beside those with a held-out loss.
const thinning = 10

// pretrainingCurve is a pretraining step by step. All of it is beside the checkpoint; a part of it, in the model's folder.
type pretrainingCurve []slm.Point

// curveOf is where the points are that lead to a checkpoint.
func curveOf(checkpoint string) string { return checkpoint + ".csv" }

// readCurve reads the points up to a checkpoint's step. A checkpoint that has none is of a time before curves were kept.
func readCurve(checkpoint string, steps int) (pretrainingCurve, error) {
	table, err := os.ReadFile(curveOf(checkpoint))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	points, err := slm.ReadPoints(bytes.NewReader(table))
	if err != nil {
		return nil, fmt.Errorf("%s: %w; without that file the training goes on, and its curve begins here", curveOf(checkpoint), err)
	}
	for len(points) > 0 && points[len(points)-1].Step > steps {
		points = points[:len(points)-1]
	}
	return points, nil
}

func (c pretrainingCurve) write(path string) error {
	return atomicfile.Write(path, 0o644, func(out io.Writer) error { return slm.WritePoints(out, c) })
}

// thinned leaves out most points.
func (c pretrainingCurve) thinned() (few pretrainingCurve) {
	for _, p := range c {
		if p.Step%thinning == 0 || p.Validation != 0 {
			few = append(few, p)
		}
	}
	return few
}
