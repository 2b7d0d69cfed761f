package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/offshoot-ml/offshoot/notebooks/workshop/check"
	"github.com/offshoot-ml/offshoot/slm/paper"
)

// notebookLimit is the longest time for a notebook's whole run in the browser test.
const notebookLimit = 25 * time.Minute

// test runs every check of the repository, each with a name in the summary: formatting, vet,
// staticcheck, the Go tests, each notebook through its kernel, and one in a real browser.
func test(ctx context.Context, l *lab, args []string) error {
	set := flags("test", l.stdout)
	short := set.Bool("short", false, "leave out what takes minutes")
	verbose := set.Bool("v", false, "show what Go tests that pass have to say, such as what they measured")
	run := set.String("run", "", "only Go tests whose names match `REGEXP`")
	notebook := set.String("browser", "", "the `NOTEBOOK` that the browser test opens")
	out := set.String("out", "", "keep executed notebooks and screenshots in `DIR`")
	packages, err := parse(set, args)
	if err != nil {
		return err
	}
	if err := l.prepare(ctx); err != nil {
		return err
	}
	if err := l.prepareReferences(ctx); err != nil {
		return err
	}
	own, leave, err := l.testLab(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if *out == "" {
		*out = own.path("out")
	}

	c := &checks{lab: own, tools: l, ctx: ctx, verbose: *verbose}
	switch {
	case len(packages) > 0 || *run != "":
		c.goTests(*short, *run, packages)
	case *notebook != "":
		c.browser(openedAs(*notebook), *out)
	default:
		c.sources()
		c.goTests(*short, "", nil)
		c.notebooks(*short, *out)
		c.browser(l.browserNotebooks(*short), *out)
	}
	return c.summary()
}

// The notebooks that the browser test does not only run.
const (
	figuresNotebook  = "figures.ipynb"
	controlsNotebook = "controls.ipynb"
)

// openedAs opens a notebook in the manner that its name asks for.
func openedAs(notebook string) opened {
	switch filepath.Base(notebook) {
	case figuresNotebook:
		return opened{figures: notebook}
	case controlsNotebook:
		return opened{controls: notebook}
	}
	return opened{notebooks: []string{notebook}}
}

// browserNotebooks are what the browser test opens: a notebook of the paper and one of the workshop, all figures and the controls, or a small one.
func (l *lab) browserNotebooks(short bool) opened {
	if short {
		return opened{notebooks: []string{l.source("kernelext", "lab", "testdata", "figure.ipynb")}}
	}
	return opened{
		notebooks: []string{l.source("notebooks", "paper", "1-starts.ipynb"), l.source("notebooks", "workshop", "1-parts.ipynb")},
		figures:   l.source("kernelext", "lab", "testdata", figuresNotebook),
		controls:  l.source("kernelext", "lab", "testdata", controlsNotebook),
	}
}

// testLab is a lab for tests: it shares all that set-up made, and has its own host and labs, so
// that tests neither see nor disturb a person's work.
func (l *lab) testLab(ctx context.Context) (own *lab, leave func(), err error) {
	own = &lab{repo: l.repo, home: l.path("test"), stdout: l.stdout, stderr: l.stderr, cells: []string{paper.Variable + "=short"}}
	unlock, err := own.lock(ctx)
	if err != nil {
		return nil, nil, err
	}
	leave = func() {
		own.stopHost(context.WithoutCancel(ctx))
		unlock()
	}
	own.stopHost(ctx) // left by a test run that was killed
	entries, err := os.ReadDir(own.home)
	if err != nil {
		leave()
		return nil, nil, err
	}
	for _, entry := range entries {
		if entry.Name() != "setup.lock" {
			err = errors.Join(err, os.RemoveAll(own.path(entry.Name())))
		}
	}
	shared := []string{"venv", "teachers", "lib", "js", "bin", "xla"}
	if l.pending(referencesStep(l)) == nil {
		shared = append(shared, "references")
	}
	for _, name := range shared {
		if exists(l.path(name)) {
			err = errors.Join(err, os.Symlink(l.path(name), own.path(name)))
		}
	}
	err = errors.Join(err, os.MkdirAll(own.path("logs"), 0o755), os.CopyFS(own.path("etc"), os.DirFS(l.path("etc"))))
	err = errors.Join(err, os.CopyFS(own.labextensions(), os.DirFS(l.labextensions())))
	err = errors.Join(err, own.writeEnvFrom(l.env()))
	spec, specErr := own.kernelSpec()
	if err = errors.Join(err, specErr, own.writeKernelSpec(spec)); err != nil {
		leave()
		return nil, nil, err
	}
	return own, leave, nil
}

// checks runs checks and counts how they went.
type checks struct {
	lab     *lab // the tests' own
	tools   *lab // where tools are built once
	ctx     context.Context
	verbose bool // show what tests that pass say
	passed  int
	failed  []string
	skipped []string
}

func (c *checks) say(format string, args ...any) { fmt.Fprintf(c.lab.stdout, format+"\n", args...) }

func (c *checks) pass(name string, start time.Time, note string) {
	c.passed++
	c.say("ok    %s  %s%s", name, seconds(time.Since(start)), note)
}

func (c *checks) fail(name, why string) {
	c.failed = append(c.failed, name)
	c.say("FAIL  %s\n      %s", name, strings.ReplaceAll(strings.TrimSpace(why), "\n", "\n      "))
}

func (c *checks) skip(name, why string) {
	c.skipped = append(c.skipped, name+": "+why)
	c.say("skip  %s: %s", name, why)
}

// check runs a program that must succeed and print nothing.
func (c *checks) check(name string, cmd *exec.Cmd) {
	if c.ctx.Err() != nil {
		return
	}
	start := time.Now()
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	err := supervise(c.ctx, cmd, 10*time.Second)
	if err != nil || out.Len() > 0 {
		c.fail(name, fmt.Sprintf("%s%s", out.String(), errorText(err)))
		return
	}
	c.pass(name, start, "")
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// sources checks the form of the code.
func (c *checks) sources() {
	goDir, err := goBin()
	if err != nil {
		c.fail("gofmt", err.Error())
		return
	}
	gofmt := exec.Command(filepath.Join(goDir, "gofmt"), append([]string{"-l"}, c.lab.goFolders()...)...)
	gofmt.Dir = c.lab.repo
	c.check("gofmt", gofmt)
	c.check("go vet", c.lab.goCommand(c.ctx, "vet", "./..."))

	staticcheck := func(l *lab) []*step { return []*step{staticcheckStep(l)} }
	if err := c.tools.runSteps(c.ctx, staticcheck); err != nil {
		c.fail("staticcheck", err.Error())
		return
	}
	cmd := exec.Command(c.lab.path("bin", "staticcheck"), "./...")
	cmd.Dir, cmd.Env = c.lab.repo, c.lab.environ()
	c.check("staticcheck", cmd)
}

// goFolders are the top-level folders that may hold Go files.
func (l *lab) goFolders() []string {
	var folders []string
	for _, name := range []string{"slm", "datasets", "plots", "kernelext", "notebooks", "cmd", "internal", "examples"} {
		if exists(l.source(name)) {
			folders = append(folders, name)
		}
	}
	return folders
}

func staticcheckStep(l *lab) *step {
	return &step{
		name:    "staticcheck",
		inputs:  string(recipe("staticcheck.mod")),
		outputs: []string{l.path("bin", "staticcheck")},
		run: func(ctx context.Context, t *task) error {
			t.Note("building")
			return l.goInstall(ctx, t, "staticcheck", "-modfile=staticcheck.mod", "honnef.co/go/tools/cmd/staticcheck")
		},
	}
}

// notebooks executes every notebook of the repository through the kernel, into copies.
func (c *checks) notebooks(short bool, out string) {
	if short {
		c.skip("notebooks", "-short")
		return
	}
	for _, folders := range notebookFolders {
		for _, folder := range folders {
			c.notebooksIn(folder, out)
		}
		c.tidy()
	}
}

// notebookFolders are the folders of notebooks/ whose notebooks are executed. Those of a group share labs: what one of them has
// searched and trained, another goes on with.
var notebookFolders = [][]string{{""}, {"paper"}, {"workshop", solutionsFolder}}

func (c *checks) notebooksIn(folder, out string) {
	files, _ := filepath.Glob(c.lab.source("notebooks", folder, "*.ipynb"))
	if len(files) == 0 {
		c.skip("notebooks", "there are none in notebooks/"+folder)
	}
	own := *c.lab
	if folder == solutionsFolder {
		own.cells = append(slices.Clone(own.cells), check.SolvedVariable+"=1")
	}
	for _, file := range files {
		c.notebook(&own, file, filepath.Join(out, folder))
	}
}

// solutionsFolder has the workshop's notebooks solved: there the checks of the exercises end a cell that is not.
const solutionsFolder = "workshop/solutions"

// notebook executes one notebook into a copy, and fails on a claim that it does not support, too. What the notebook cannot ask here
// is skipped.
func (c *checks) notebook(l *lab, file, out string) {
	if c.ctx.Err() != nil {
		return
	}
	name, start := "notebook "+filepath.Join(filepath.Base(filepath.Dir(file)), filepath.Base(file)), time.Now()
	if err := l.execute(c.ctx, file, out, "--check"); err != nil {
		c.fail(name, "its output is above")
		return
	}
	left, err := unchecked(filepath.Join(out, filepath.Base(file)))
	if err != nil {
		c.fail(name, err.Error())
		return
	}
	c.pass(name, start, "")
	for _, what := range left {
		c.skip(name, what)
	}
}

// tidy removes what notebooks left in the tests' lab: checkpoints, gigabytes a notebook. After a failure they stay, to be looked at.
func (c *checks) tidy() {
	if len(c.failed) > 0 {
		return
	}
	_, err := c.lab.stopHost(c.ctx)
	if err = errors.Join(err, os.RemoveAll(c.lab.path("labs"))); err != nil {
		c.say("lab: what the notebook wrote stays: %v", err)
	}
}

func (c *checks) browser(notebooks opened, out string) {
	if c.ctx.Err() != nil {
		return
	}
	chrome := findBrowser()
	if chrome == "" {
		c.skip("browser", "no Chromium found (apt-get install chromium, or set CHROME)")
		return
	}
	name := "browser " + strings.Join(bases(notebooks.paths()), ", ")
	start := time.Now()
	saw, err := c.lab.browse(c.ctx, chrome, notebooks, out, notebookLimit)
	if err != nil {
		c.fail(name, err.Error())
		return
	}
	note := fmt.Sprintf("  %d cells, %d figures, screenshots in %s", saw.Cells, saw.Figures, out)
	if saw.Gallery != nil {
		note += "; " + saw.Gallery.String()
	}
	c.pass(name, start, note)
}

// summary prints the closing lines.
func (c *checks) summary() error {
	if c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	counts := fmt.Sprintf("%d passed, %d failed, %d skipped", c.passed, len(c.failed), len(c.skipped))
	outcome := "ok"
	if len(c.failed) > 0 {
		outcome = "FAIL"
	}
	c.say("")
	for _, name := range c.failed {
		c.say("failed: %s", name)
	}
	notes := ""
	if len(c.skipped) > 0 {
		notes = " (" + strings.Join(c.skipped, "; ") + ")"
	}
	c.say("%s: %s%s\n%s", outcome, counts, notes, counts)
	if len(c.failed) > 0 {
		return exitError(1)
	}
	return nil
}
