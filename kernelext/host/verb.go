package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
)

// A verb prints its result to out, and how far it is to the meter.
type verb func(ctx context.Context, request ask.Request, out io.Writer, m *meter) error

var verbs = map[string]verb{"eval": eval, "export": exportStudent, "extract": extract, "measure": measure,
	"pretrain": pretrain, "search": search}

// runVerb does one verb and returns the exit status.
func runVerb(name string, args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	m := newMeter(os.Stderr)
	err := do(ctx, name, args, m)
	m.end()
	var stopped *kernelext.InterruptedError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &stopped):
		fmt.Fprintf(os.Stderr, "lab %s: %v\n", name, stopped)
		return 130
	case ctx.Err() != nil:
		fmt.Fprintf(os.Stderr, "lab %s: interrupted\n", name)
		return 130
	}
	fmt.Fprintf(os.Stderr, "lab %s: %v\n", name, err)
	return 1
}

func do(ctx context.Context, name string, args []string, m *meter) error {
	request, ok := ask.Requests()[name]
	if !ok || verbs[name] == nil {
		return errors.New("the host has no such verb")
	}
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	request.Flags(set)
	if err := set.Parse(args); err != nil {
		return err
	}
	if err := request.Check(); err != nil {
		return err
	}
	return verbs[name](ctx, request, os.Stdout, m)
}

func printJSON(w io.Writer, v any) error {
	lines := json.NewEncoder(w)
	lines.SetIndent("", "  ")
	return lines.Encode(v)
}
