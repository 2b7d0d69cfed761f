package main

import (
	"encoding/json"
	"io"
	"os"
	"regexp"
	"strings"
	"time"
)

// testEvent is a line of `go test -json`.
type testEvent struct {
	Action, Package, Test, Output, ImportPath string
	Elapsed                                   float64
}

// goTests runs the Go tests. It counts each one, shows the output of those that fail, and keeps
// the reason of those that skip.
func (c *checks) goTests(short bool, run string, packages []string) {
	if c.ctx.Err() != nil {
		return
	}
	args := []string{"test", "-json", "-timeout", "20m"}
	if short {
		args = append(args, "-short")
	}
	if run != "" {
		args = append(args, "-run", run)
	}
	named := len(packages) > 0
	if !named {
		packages = []string{"./..."}
	}
	cmd := c.lab.goCommand(c.ctx, append(args, packages...)...)
	cmd.Env = append(cmd.Env, c.tools.referencesEnv()...)
	if dir, err := os.Getwd(); err == nil && named {
		cmd.Dir = dir // packages may be relative to where the person is
	}
	tally := &tally{checks: c, output: map[string]string{}}
	lines := &lineWriter{log: io.Discard, watch: tally.line}
	cmd.Stdout, cmd.Stderr = lines, lines
	before := len(c.failed)
	err := supervise(c.ctx, cmd, 10*time.Second)
	lines.flush()
	if err != nil && len(c.failed) == before {
		c.fail("go test", tally.other+err.Error())
	}
}

// tally reads events. Output is kept by test until it is known how the test ended.
type tally struct {
	*checks
	output map[string]string
	other  string // lines that are no events, such as errors of the go command itself
	built  string // the compiler's words on a package that does not build
}

func (t *tally) line(line string) {
	var event testEvent
	if json.Unmarshal([]byte(line), &event) != nil || event.Action == "" {
		t.other += line + "\n"
		return
	}
	key := event.Package + " " + event.Test
	switch event.Action {
	case "output":
		if !strings.HasPrefix(event.Output, "=== ") {
			t.output[key] += event.Output
		}
	case "build-output":
		t.built += event.Output
	case "pass", "fail", "skip":
		t.end(event, t.output[key])
		delete(t.output, key)
	}
}

func (t *tally) end(event testEvent, output string) {
	name := strings.TrimPrefix(event.Package, modulePath+"/")
	if event.Test == "" {
		t.endPackage(event, name, output)
		return
	}
	name += " " + event.Test
	switch event.Action {
	case "pass":
		t.passed++
		if t.verbose {
			t.say("%s", strings.TrimRight(output, "\n"))
		}
	case "skip":
		t.skip(name, skipReason(output))
	case "fail":
		t.fail(name, output)
	}
}

// endPackage shows a package's line. A package that fails without a failing test did not build,
// or died.
func (t *tally) endPackage(event testEvent, name, output string) {
	switch event.Action {
	case "pass":
		t.say("ok    %s  %.1f s", name, event.Elapsed)
	case "fail":
		for _, failed := range t.failed {
			if strings.HasPrefix(failed, name+" ") {
				return
			}
		}
		t.fail(name, t.built+output)
		t.built = ""
	}
}

var locationLine = regexp.MustCompile(`^\s*\S+\.go:\d+: (.*)$`)

// skipReason finds what a test said to t.Skip.
func skipReason(output string) string {
	for line := range strings.SplitSeq(output, "\n") {
		if match := locationLine.FindStringSubmatch(line); match != nil && match[1] != "" {
			return match[1]
		}
	}
	return "no reason given"
}
