package main

import (
	"context"
	"io"

	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
	"github.com/offshoot-ml/offshoot/slm/export"
)

// extract writes the student of a sub-network, with the teacher's weights that it keeps.
func extract(ctx context.Context, request ask.Request, out io.Writer, m *meter) error {
	asked := request.(*ask.Extract)
	return exportModel(ctx, asked.Model, asked.Subnet, asked.Out, export.Options{}, out, m)
}
