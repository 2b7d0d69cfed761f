package main

import (
	"context"
	"fmt"
	"io"
	"math"

	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// evaluation is what `lab eval` prints.
type evaluation struct {
	Model         string  `json:"model"`
	Parameters    int64   `json:"params"`
	FLOPsPerToken int64   `json:"flops_per_token"` // forward, in windows of the given length
	Tokens        int     `json:"tokens"`          // predicted
	NLL           float64 `json:"nll"`             // mean negative log-likelihood, in nats per predicted token
	Perplexity    float64 `json:"perplexity"`      // exp(NLL)
}

// eval measures a model, or a sub-network inside it, on a text. The text's tokens, without any special ones added, are cut
// into windows that do not overlap; every token of a window but its first is predicted from those before it in the window.
// The tokens left over after the last whole window are dropped.
func eval(ctx context.Context, request ask.Request, out io.Writer, m *meter) error {
	asked := request.(*ask.Eval)
	text, err := asked.ReadText()
	if err != nil {
		return err
	}
	opened, err := openModel(ctx, asked.Model, asked.Subnet, m)
	if err != nil {
		return err
	}
	defer opened.Close()
	if asked.Seq > opened.Config.Context {
		return fmt.Errorf("--seq is %d, but the context of %s has %d tokens", asked.Seq, opened.name, opened.Config.Context)
	}
	windows, err := opened.windows(text, asked.Seq)
	if err != nil {
		return fmt.Errorf("text %s: %w", asked.Text, err)
	}
	teacher, err := opened.load(ctx, m)
	if err != nil {
		return err
	}
	defer teacher.Close()
	predicted := len(windows) / asked.Seq * (asked.Seq - 1)
	report := m.part("evaluating", "tokens")
	nll, err := teacher.Evaluate(ctx, opened.subnet, windows, asked.Seq-1, model.Passes{Batch: asked.Batch,
		Done: func(windows int) { report(int64(windows*(asked.Seq-1)), int64(predicted)) }})
	if err != nil {
		return err
	}
	m.end()
	parameters, flops := opened.sizes(asked.Seq)
	return printEvaluation(out, asked.JSON, evaluation{Model: opened.name, Parameters: parameters, FLOPsPerToken: flops, Tokens: predicted, NLL: nll, Perplexity: math.Exp(nll)})
}

func printEvaluation(out io.Writer, asJSON bool, e evaluation) error {
	if asJSON {
		return printJSON(out, e)
	}
	_, err := fmt.Fprintf(out, "model            %s\nparams           %d\nflops_per_token  %d\ntokens           %d\nnll              %.6f\nperplexity       %.4f\n",
		e.Model, e.Parameters, e.FLOPsPerToken, e.Tokens, e.NLL, e.Perplexity)
	return err
}
