package main

import (
	"context"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// recipes are the files that set-up builds from.
//
//go:embed setup
var recipes embed.FS

func recipe(name string) []byte {
	text, err := recipes.ReadFile("setup/" + name)
	if err != nil {
		panic(err) // embedded: cannot be missing
	}
	return text
}

// script writes a recipe that a Python runs, and says where.
func (l *lab) script(name string) (string, error) {
	path := l.path("etc", name)
	return path, writeFile(path, recipe(name), 0o644)
}

// prepare sets up what is missing. Every verb that needs the lab begins with it.
func (l *lab) prepare(ctx context.Context) error { return l.prepareSteps(ctx, setupSteps) }

func (l *lab) prepareSteps(ctx context.Context, steps func(*lab) []*step) error {
	unlock, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := l.runSteps(ctx, steps); err != nil {
		return err
	}
	return os.RemoveAll(l.path("tmp"))
}

func setup(ctx context.Context, l *lab, args []string) error {
	set := flags("setup", l.stdout)
	references := set.Bool("references", false, "also transformers and lm-eval (6 GB), for zero-shot tasks and the tests that compare with them")
	whittle := set.Bool("whittle", false, "also whittle, which lab bench search speed races (6 GB)")
	if err := parseNone(set, args); err != nil {
		return err
	}
	steps := setupSteps
	if *references {
		steps = withReferences
	}
	if *whittle {
		others := steps
		steps = func(l *lab) []*step { return append(others(l), whittlePrograms().step(l)) }
	}
	if err := l.prepareSteps(ctx, steps); err != nil {
		return err
	}
	fmt.Fprintf(l.stdout, "the lab is set up in %s (backend: %s)\n", l.home, l.env().describeBackend())
	return nil
}

// setupSteps lists the set-up, in order.
func setupSteps(l *lab) []*step {
	return []*step{
		pythonStep(l),
		javascriptStep(l),
		teacherStep(l),
		familyStep(l),
		xlaStep(l),
		tokenizersStep(l),
		modulesStep(l),
		gonbStep(l),
		kernelStep(l),
		labextensionStep(l),
		hostStep(l),
	}
}

// modulesStep brings the Go modules, so that cells compile without a network.
func modulesStep(l *lab) *step {
	gosum, _ := os.ReadFile(l.source("go.sum"))
	gomod, _ := os.ReadFile(l.source("go.mod"))
	return &step{
		name:   "Go modules",
		inputs: string(gomod) + string(gosum),
		run: func(ctx context.Context, t *task) error {
			t.Note("downloading")
			if err := t.exec(ctx, l.goCommand(ctx, "mod", "download"), nil); err != nil {
				return err
			}
			// So that the first cell need not compile what it imports. It would say so if it cannot.
			t.Note("compiling what cells import")
			if err := t.exec(ctx, l.goCommand(ctx, "build", "./kernelext", "./kernelext/claims", "./plots", "./slm", "./slm/family"), nil); err != nil {
				fmt.Fprintln(t.log, err)
			}
			t.Note("downloaded and compiled")
			return ctx.Err()
		},
	}
}

// gonbStep builds the kernel and the two programs that it calls. Those come from a modfile of
// their own: beside GoMLX's newer x/tools this gopls does not build.
func gonbStep(l *lab) *step {
	return &step{
		name:    "Go kernel",
		inputs:  fmt.Sprint(l.moduleVersion("github.com/janpfeifer/gonb"), runtime.Version(), string(recipe("tools.mod"))),
		outputs: []string{l.path("bin", "gonb"), l.path("bin", "gopls"), l.path("bin", "goimports")},
		run: func(ctx context.Context, t *task) error {
			t.Note("building gonb")
			if err := l.goInstall(ctx, t, "gonb", "github.com/janpfeifer/gonb"); err != nil {
				return err
			}
			t.Note("building goimports")
			if err := l.goInstall(ctx, t, "goimports", "-modfile=tools.mod", "golang.org/x/tools/cmd/goimports"); err != nil {
				return err
			}
			t.Note("building gopls")
			if err := l.goInstall(ctx, t, "gopls", "-modfile=tools.mod", "golang.org/x/tools/gopls"); err != nil {
				return err
			}
			t.Note("gonb %s, gopls, goimports", l.moduleVersion("github.com/janpfeifer/gonb"))
			return nil
		},
	}
}

// hostStep builds the resident process. Its inputs are the sources themselves, so that a warm
// start need not ask the go command.
func hostStep(l *lab) *step {
	return &step{
		name:    "host",
		inputs:  l.hostSources() + runtime.Version() + fmt.Sprint(l.env()),
		outputs: l.hostOutputs(),
		run: func(ctx context.Context, t *task) error {
			if len(l.hostOutputs()) == 0 {
				t.Note("skipped: no Go files in kernelext/host")
				return nil
			}
			if err := needCompiler(); err != nil {
				return err
			}
			t.Note("building with cgo")
			if err := l.goInstall(ctx, t, "offshoot-host", "./kernelext/host"); err != nil {
				return err
			}
			t.Note("built")
			return nil
		},
	}
}

func (l *lab) hostOutputs() []string {
	if files, _ := filepath.Glob(l.source("kernelext", "host", "*.go")); len(files) == 0 {
		return nil
	}
	return []string{l.path("bin", "offshoot-host")}
}

// hostSources hashes every file that the host may be built from.
func (l *lab) hostSources() string {
	hash := sha256.New()
	add := func(path string) {
		text, _ := os.ReadFile(path)
		fmt.Fprintf(hash, "%s %d\n%s", path, len(text), text)
	}
	add(l.source("go.mod"))
	for _, dir := range []string{"slm", "datasets", "kernelext"} {
		filepath.WalkDir(l.source(dir), func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return nil
			case entry.IsDir() && (entry.Name() == "lab" || entry.Name() == "testdata"):
				return fs.SkipDir
			case entry.Type().IsRegular() && !strings.HasSuffix(path, "_test.go") && filepath.Ext(path) != ".md":
				add(path)
			}
			return nil
		})
	}
	return fmt.Sprintf("%x", hash.Sum(nil))
}

// goCommand is a go command at the top of the repository, in the lab's environment.
func (l *lab) goCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = l.repo, l.environ()
	if cmd.Err != nil {
		cmd.Err = &missingTool{"go"}
	}
	return cmd
}

// goInstall builds one program into bin, under another name first.
func (l *lab) goInstall(ctx context.Context, t *task, program string, args ...string) error {
	dir, err := l.tmp("go")
	if err != nil {
		return err
	}
	for i, arg := range args {
		if name, ok := strings.CutPrefix(arg, "-modfile="); ok {
			// A copy: the go command may want to write to it.
			file := filepath.Join(dir, name)
			sums := strings.TrimSuffix(name, ".mod") + ".sum"
			if err := os.WriteFile(file, recipe(name), 0o644); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, sums), recipe(sums), 0o644); err != nil {
				return err
			}
			args[i] = "-modfile=" + file
		}
	}
	built := filepath.Join(dir, program)
	if err := t.exec(ctx, l.goCommand(ctx, append([]string{"build", "-o", built}, args...)...), func(string) {}); err != nil {
		return err
	}
	if err := os.MkdirAll(l.path("bin"), 0o755); err != nil {
		return err
	}
	return os.Rename(built, l.path("bin", program))
}

// moduleVersion is the version of a module that go.mod asks for.
func (l *lab) moduleVersion(path string) string {
	text, _ := os.ReadFile(l.source("go.mod"))
	for line := range strings.SplitSeq(string(text), "\n") {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) >= 2 && fields[0] == path {
			return fields[1]
		}
	}
	return ""
}

// needCompiler finds the C compiler before a long build finds out that there is none.
func needCompiler() error {
	candidates := []string{"gcc", "clang", "cc"}
	if cc := os.Getenv("CC"); cc != "" {
		candidates = strings.Fields(cc)[:1]
	}
	for _, name := range candidates {
		if _, err := exec.LookPath(name); err == nil {
			return nil
		}
	}
	return &missingTool{"a C compiler"}
}
