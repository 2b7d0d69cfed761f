package main

import (
	"context"
	"fmt"
	"io"

	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// extract writes the dense student of a sub-network, with the teacher's weights that it keeps.
func extract(ctx context.Context, request ask.Request, out io.Writer, m *meter) error {
	asked := request.(*ask.Extract)
	opened, err := openModel(ctx, asked.Model, asked.Subnet, m)
	if err != nil {
		return err
	}
	defer opened.Close()
	teacher, err := opened.load(ctx, m)
	if err != nil {
		return err
	}
	defer teacher.Close()
	weights, err := teacher.Extract(opened.subnet)
	if err != nil {
		return err
	}
	if err := checkpoint.WriteStudent(asked.Out, opened.Config, opened.subnet, weights); err != nil {
		return err
	}
	m.end()
	_, err = fmt.Fprintf(out, "%s: a student of %s, %s parameters\n", asked.Out, opened.name, slm.Count(weights.Parameters()))
	return err
}
