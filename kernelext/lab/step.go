package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A step makes one part of the lab.
//
// It is done when its stamp holds the hash of its inputs and its outputs exist. The stamp is
// written last, so a step that was killed is done again.
type step struct {
	name    string
	inputs  string       // everything that the result depends on, as text
	outputs []string     // files that the step makes
	current func() error // further reasons to run again, or nil
	run     func(ctx context.Context, t *task) error
}

// task is a step at work: its display and its log.
type task struct {
	*progress
	lab *lab
	log *os.File
}

func (s *step) hash() string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(s.name+"\x00"+s.inputs)))
}

// slug is the step's name as a file name.
func (s *step) slug() string { return strings.ReplaceAll(strings.ToLower(s.name), " ", "-") }

func (l *lab) stamp(s *step) string   { return l.path("stamps", s.slug()) }
func (l *lab) logPath(s *step) string { return l.path("logs", "setup-"+s.slug()+".log") }

// errStale says that a step was done from other inputs than today's.
var errStale = errors.New("stale")

// pending says why a step has to run, or nil when it is done.
func (l *lab) pending(s *step) error {
	stamp, err := os.ReadFile(l.stamp(s))
	switch {
	case err != nil:
		return errors.New("missing")
	case string(stamp) != s.hash():
		return errStale
	}
	for _, output := range s.outputs {
		if !exists(output) {
			return fmt.Errorf("%s is gone", output)
		}
	}
	if s.current != nil {
		return s.current()
	}
	return nil
}

// stepError is a step that failed, with what a person needs to go on.
type stepError struct {
	step   string
	err    error
	tail   string
	log    string
	advice string
}

func (e *stepError) Unwrap() error { return e.err }

func (e *stepError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s failed: %v\n", e.step, e.err)
	if e.tail != "" {
		fmt.Fprintf(&b, "\n  %s\n\n", strings.ReplaceAll(e.tail, "\n", "\n  "))
	}
	fmt.Fprintf(&b, "  log:  %s\n  next: %s", e.log, e.advice)
	return b.String()
}

// runSteps does the steps that are not done. What is done shows nothing.
//
// The list is a function of the lab, since a step's inputs may be what an earlier one made.
func (l *lab) runSteps(ctx context.Context, steps func(*lab) []*step) error {
	for i := 0; i < len(steps(l)); i++ {
		all := steps(l)
		s := all[i]
		if l.pending(s) == nil {
			continue
		}
		if err := l.runStep(ctx, s, fmt.Sprintf("[%d/%d] %s", i+1, len(all), s.name)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (l *lab) runStep(ctx context.Context, s *step, label string) error {
	logPath := l.logPath(s)
	err := errors.Join(os.MkdirAll(filepath.Dir(logPath), 0o755), os.MkdirAll(filepath.Dir(l.stamp(s)), 0o755))
	if err != nil {
		return &stepError{step: s.name, err: err, log: logPath, advice: advise(err, "")}
	}
	log, err := os.Create(logPath)
	if err != nil {
		return &stepError{step: s.name, err: err, log: logPath, advice: advise(err, "")}
	}
	defer log.Close()
	os.Remove(l.stamp(s))

	t := &task{progress: startProgress(l.stdout, label), lab: l, log: log}
	t.Note("starting")
	if err = s.run(ctx, t); err == nil {
		err = writeFile(l.stamp(s), []byte(s.hash()), 0o644)
	}
	switch {
	case err == nil:
		t.End(t.note)
		return nil
	case ctx.Err() != nil:
		t.End("interrupted")
		return ctx.Err()
	}
	t.End("failed")
	text, _ := os.ReadFile(logPath)
	return &stepError{step: s.name, err: err, tail: clip(tail(string(text), 8)), log: logPath, advice: advise(err, string(text))}
}

// tail returns the last n lines.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// clip shortens long lines: pip names a hundred packages on one.
func clip(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if runes := []rune(line); len(runes) > 160 {
			lines[i] = string(runes[:160]) + "…"
		}
	}
	return strings.Join(lines, "\n")
}

// exec runs a program of the step. Its output goes to the step's log, and line by line to
// watch, which may be nil: then the newest line is the step's note.
func (t *task) exec(ctx context.Context, cmd *exec.Cmd, watch func(line string)) error {
	if watch == nil {
		watch = func(line string) { t.Note("%s", firstLine(line)) }
	}
	fmt.Fprintf(t.log, "$ %s\n", strings.Join(cmd.Args, " "))
	lines := &lineWriter{log: t.log, watch: watch}
	cmd.Stdout, cmd.Stderr = lines, lines
	if t.lab.locked != nil {
		cmd.ExtraFiles = []*os.File{t.lab.locked}
	}
	err := supervise(ctx, cmd, 10*time.Second)
	lines.flush()
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(cmd.Path), err)
	}
	return nil
}

// supervise runs a program in a process group of its own, so that a Ctrl-C reaches it once,
// from here, and a program that ignores it ends with all that it started.
func supervise(ctx context.Context, cmd *exec.Cmd, grace time.Duration) error {
	return superviseWith(ctx, cmd, syscall.SIGINT, grace)
}

func superviseWith(ctx context.Context, cmd *exec.Cmd, ask syscall.Signal, grace time.Duration) error {
	if cmd.Err != nil {
		return cmd.Err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = 5 * time.Second // for output of what a program leaves running
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-ended:
			return
		case <-ctx.Done():
		}
		syscall.Kill(cmd.Process.Pid, ask)
		insist(cmd.Process.Pid, ask, grace, ended)
	}()
	err := cmd.Wait()
	close(ended)
	<-watched
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	if ctx.Err() != nil && err != nil {
		return errors.Join(ctx.Err(), err)
	}
	return err
}

// insist passes further Ctrl-Cs on to a program that was asked to end, and ends it and all that
// it started when its grace is over.
func insist(pid int, ask syscall.Signal, grace time.Duration, ended <-chan struct{}) {
	again := make(chan os.Signal, 1)
	signal.Notify(again, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(again)
	patience := time.After(grace)
	for {
		select {
		case <-ended:
			return
		case <-again:
			syscall.Kill(pid, ask)
		case <-patience:
			syscall.Kill(-pid, syscall.SIGKILL)
			return
		}
	}
}

// lineWriter copies output to a log and hands each whole line on.
type lineWriter struct {
	mu    sync.Mutex
	log   io.Writer
	watch func(string)
	rest  []byte
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log.Write(p)
	w.rest = append(w.rest, p...)
	for {
		i := bytes.IndexAny(w.rest, "\n\r")
		if i < 0 {
			return len(p), nil
		}
		if line := strings.TrimSpace(string(w.rest[:i])); line != "" {
			w.watch(line)
		}
		w.rest = w.rest[i+1:]
	}
}

func (w *lineWriter) flush() {
	if line := strings.TrimSpace(string(w.rest)); line != "" {
		w.watch(line)
	}
}
