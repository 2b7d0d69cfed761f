package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"text/tabwriter"
)

// part is one line of the doctor's table.
type part struct {
	name, version, where, state, fix string
}

func doctor(ctx context.Context, l *lab, args []string) error {
	if err := parseNone(flags("doctor", l.stdout), args); err != nil {
		return err
	}
	parts := append(append(l.toolParts(ctx), l.setupParts()...), l.referencesPart())
	printParts(l.stdout, parts)
	for _, p := range parts {
		if p.state == "missing" {
			return exitError(1)
		}
	}
	return nil
}

func printParts(out io.Writer, parts []part) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PART\tVERSION\tWHERE\tSTATE\tFIX")
	for _, p := range parts {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", p.name, p.version, p.where, p.state, p.fix)
	}
	table.Flush()
}

// toolParts are the programs that set-up builds with. One that only a finished step needs is
// not missing any more.
func (l *lab) toolParts(ctx context.Context) []part {
	tool := func(name, needed string, candidates ...string) part {
		for _, candidate := range candidates {
			path, err := exec.LookPath(candidate)
			if err != nil {
				continue
			}
			return part{name: name, version: toolVersion(ctx, path), where: path, state: "ok"}
		}
		p := part{name: name, state: "missing", fix: toolAdvice[name]}
		if needed != "" && exists(needed) {
			p.state, p.fix = "not needed", ""
		}
		return p
	}
	return []part{
		tool("go", "", "go"),
		tool("python3", l.python("python"), "python3"),
		tool("a C compiler", "", "gcc", "clang", "cc"),
		tool("cargo", l.path("lib", "libtokenizers.a"), "cargo"),
		browserPart(ctx),
	}
}

func browserPart(ctx context.Context) part {
	path := findBrowser()
	if path == "" {
		return part{name: "Chromium", state: "optional", fix: "for the browser test: apt-get install chromium, or set CHROME"}
	}
	return part{name: "Chromium", version: toolVersion(ctx, path), where: path, state: "ok"}
}

var versionPattern = regexp.MustCompile(`\d+\.\d+[\w.+-]*`)

// toolVersion is the first thing in a program's version line that looks like a version.
func toolVersion(ctx context.Context, path string) string {
	argument := "--version"
	if strings.HasSuffix(path, "/go") {
		argument = "version"
	}
	out, _ := exec.CommandContext(ctx, path, argument).Output()
	return versionPattern.FindString(string(out))
}

// setupParts are the set-up's steps.
func (l *lab) setupParts() []part {
	env, _, _ := l.readEnvironment()
	versions := map[string]string{
		"Python environment":   "JupyterLab " + env.version("jupyterlab"),
		"teacher SmolLM2-135M": wheelVersion(env.variables["OFFSHOOT_TEACHER_WHEEL"]),
		"XLA plug-in":          l.env().describeBackend(),
		"libtokenizers.a":      l.moduleVersion("github.com/daulet/tokenizers"),
		"Go kernel":            "gonb " + l.moduleVersion("github.com/janpfeifer/gonb"),
		"Go modules":           runtime.Version(),
	}
	var parts []part
	for _, s := range setupSteps(l) {
		p := part{name: s.name, version: versions[s.name], state: "ok", where: l.stamp(s)}
		if len(s.outputs) > 0 {
			p.where = s.outputs[0]
		}
		if s.name == "XLA plug-in" && l.env()["GOMLX_BACKEND"] != "" {
			p.where = l.env()["GOMLX_BACKEND"]
		}
		if why := l.pending(s); why != nil {
			p.state, p.fix = "missing", "go run ./kernelext/lab setup"
			if errors.Is(why, errStale) {
				p.state = "stale"
			}
		}
		parts = append(parts, p)
	}
	return parts
}

// referencesPart is what only some tests need, so its absence is no fault.
func (l *lab) referencesPart() part {
	p := part{name: "Python references", version: describeReferences(), where: l.references(), state: "ok"}
	if why := l.pending(referencesStep(l)); why != nil {
		p.where, p.state, p.fix = "", "optional", "for tests against transformers and lm-eval: go run ./kernelext/lab setup --references"
		if errors.Is(why, errStale) {
			p.where, p.state = l.references(), "stale"
		}
	}
	return p
}

func wheelVersion(requirement string) string {
	return strings.ReplaceAll(requirement, "==", " ")
}
