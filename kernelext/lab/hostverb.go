package main

import (
	"context"
	"fmt"
	"os/exec"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
)

// hostVerb is a verb that the host's binary does, in a process of its own. Mistakes in its flags are found before anything
// is set up.
func hostVerb(name string) func(ctx context.Context, l *lab, args []string) error {
	return func(ctx context.Context, l *lab, args []string) error {
		request, set := ask.Requests()[name], flags(name, l.stdout)
		request.Flags(set)
		if err := parseNone(set, args); err != nil {
			return err
		}
		if err := request.Check(); err != nil {
			return fmt.Errorf("lab %s: %w", name, err)
		}
		if err := l.prepare(ctx); err != nil {
			return err
		}
		return l.askHost(ctx, name, args)
	}
}

// host is the host's binary with arguments. What it has to say, besides the result, goes to stderr.
func (l *lab) host(args ...string) (cmd *exec.Cmd, err error) {
	cmd = exec.Command(l.path("bin", "offshoot-host"), args...)
	cmd.Env, err = kernelext.HostEnvironment(l.home)
	cmd.Stderr = l.stderr
	return cmd, err
}

// askHost runs the host's binary with a verb. It speaks to the terminal itself: the result goes to stdout, and how far it
// is to stderr.
func (l *lab) askHost(ctx context.Context, name string, args []string) error {
	cmd, err := l.host(append([]string{name}, args...)...)
	if err != nil {
		return err
	}
	cmd.Stdout = l.stdout
	return speaking(ctx, supervise(ctx, cmd, 30*time.Second))
}
