package lmeval

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

//go:embed lmeval.py
var script string

// ask runs the script with a request in the folder dir. It ends with the context, and the script with this process: its
// standard input stays open until then.
func ask(ctx context.Context, python, dir string, request any, out *bars) error {
	line, err := json.Marshal(request)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, python, "-I", "-B", "-c", script)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C reaches it from here only
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	_, err = in.Write(append(line, '\n'))
	if ended := cmd.Wait(); ended != nil {
		err = ended
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// bars reads what lm-eval writes while it works: tqdm's progress bars, each ended by a carriage return, among lines of its log,
// the last of which it keeps.
type bars struct {
	report func(what string, done, total int64)
	rest   []byte
	last   []string
}

// bar is such as "Running loglikelihood requests:  12%|█▏        | 24/200 [00:03<00:25,  6.91it/s]".
var bar = regexp.MustCompile(`^(.*?):?\s*\d+%\|.*\|\s*(\d+)/(\d+) \[`)

// Write implements io.Writer.
func (b *bars) Write(p []byte) (int, error) {
	b.rest = append(b.rest, p...)
	for {
		i := bytes.IndexAny(b.rest, "\r\n")
		if i < 0 {
			return len(p), nil
		}
		b.line(strings.TrimSpace(string(b.rest[:i])))
		b.rest = b.rest[i+1:]
	}
}

func (b *bars) line(text string) {
	if m := bar.FindStringSubmatch(text); m != nil {
		done, _ := strconv.ParseInt(m[2], 10, 64)
		total, _ := strconv.ParseInt(m[3], 10, 64)
		if m[1] != "" && b.report != nil {
			b.report(m[1], done, total)
		}
	} else if text != "" {
		b.last = append(b.last, text)
		b.last = b.last[max(0, len(b.last)-8):]
	}
}

// tail is the last lines of the log, for an error.
func (b *bars) tail() string { return "  " + strings.Join(b.last, "\n  ") }
