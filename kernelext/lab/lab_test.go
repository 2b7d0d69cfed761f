package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/slm/paper"
)

// emptyLab is a lab with nothing set up, in the real repository.
func emptyLab(t *testing.T) (*lab, *strings.Builder) {
	t.Helper()
	t.Setenv("OFFSHOOT_HOME", t.TempDir())
	out := &strings.Builder{}
	l, err := findLab(out, out)
	if err != nil {
		t.Fatal(err)
	}
	return l, out
}

// readyLab is the lab that is set up, or the test is skipped.
func readyLab(t *testing.T) *lab {
	t.Helper()
	l, err := findLab(io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{l.python("python"), l.path("bin", "gonb")} {
		if !exists(path) {
			t.Skip("the lab is not set up: go run ./kernelext/lab setup")
		}
	}
	return l
}

func TestParseEnvironment(t *testing.T) {
	full := environment{
		conda: []string{"python>=3.10", "pip"}, pip: []string{"jupyterlab==4.6.6", `a==1; python_version < "3.11"`},
		channels: []string{"conda-forge"}, variables: map[string]string{"A_WHEEL": "x[y]==2"},
	}
	for _, test := range []struct {
		name, text, fails string
		want              environment
	}{
		{name: "full", want: full, text: `
# a comment
name: offshoot
channels:
  - conda-forge
dependencies:
  - python>=3.10   # why
  - pip:
      - jupyterlab==4.6.6
      - 'a==1; python_version < "3.11"'
  - pip
variables:
  A_WHEEL: x[y]==2
`},
		{name: "lists at the margin", text: "dependencies:\n- pip:\n  - a==1\n", want: environment{pip: []string{"a==1"}, variables: map[string]string{}}},
		{name: "no pip", text: "dependencies:\n  - python\n", fails: "no pip requirements"},
		{name: "empty", text: "", fails: "no pip requirements"},
		{name: "a word", text: "dependencies:\n  python\n", fails: "environment.yml:2"},
		{name: "a variable without value", text: "variables:\n  A\n", fails: "environment.yml:2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseEnvironment(test.text)
			if test.fails != "" {
				if err == nil || !strings.Contains(err.Error(), test.fails) {
					t.Fatalf("error %v, want %q", err, test.fails)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Fatalf("got %+v, %v\nwant %+v", got, err, test.want)
			}
		})
	}
}

// The real file must be readable, and every pip requirement pinned.
func TestRepositoryEnvironment(t *testing.T) {
	l, _ := emptyLab(t)
	env, _, err := l.readEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	for _, requirement := range env.pip {
		if !strings.Contains(requirement, "==") {
			t.Errorf("%s is not pinned", requirement)
		}
	}
	for _, name := range []string{"OFFSHOOT_TEACHER_WHEEL", "OFFSHOOT_XLA_CPU_WHEEL", "OFFSHOOT_XLA_CUDA"} {
		if !strings.Contains(env.variables[name], "==") {
			t.Errorf("%s = %q is not pinned", name, env.variables[name])
		}
	}
}

// counted is a step that makes one file and counts its runs.
func counted(l *lab, inputs string, runs *int, run func(context.Context, *task) error) func(*lab) []*step {
	return func(*lab) []*step {
		return []*step{{
			name: "a step", inputs: inputs, outputs: []string{l.path("made")},
			run: func(ctx context.Context, t *task) error {
				*runs++
				if run != nil {
					if err := run(ctx, t); err != nil {
						return err
					}
				}
				return writeFile(l.path("made"), []byte("made"), 0o644)
			},
		}}
	}
}

func TestStepRunsOnceAndAgainWhenItMust(t *testing.T) {
	l, out := emptyLab(t)
	ctx, runs := t.Context(), 0
	run := func(inputs string, want int) {
		t.Helper()
		if err := l.runSteps(ctx, counted(l, inputs, &runs, nil)); err != nil {
			t.Fatal(err)
		}
		if runs != want {
			t.Fatalf("ran %d times, want %d", runs, want)
		}
	}
	run("v1", 1)
	shown := out.String()
	run("v1", 1) // done
	if out.String() != shown {
		t.Errorf("a step that was done shows %q", out.String()[len(shown):])
	}
	run("v2", 2) // other inputs
	if err := os.Remove(l.path("made")); err != nil {
		t.Fatal(err)
	}
	run("v2", 3) // its output is gone
}

func TestInterruptedStepIsDoneAgain(t *testing.T) {
	l, _ := emptyLab(t)
	ctx, cancel := context.WithCancel(t.Context())
	runs := 0
	sleep := func(ctx context.Context, t *task) error {
		time.AfterFunc(50*time.Millisecond, cancel)
		return t.exec(ctx, exec.Command("sleep", "60"), nil)
	}
	start := time.Now()
	if err := l.runSteps(ctx, counted(l, "v", &runs, sleep)); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want canceled", err)
	}
	if time.Since(start) > 8*time.Second {
		t.Error("the program did not end with the step")
	}
	if err := l.runSteps(t.Context(), counted(l, "v", &runs, nil)); err != nil || runs != 2 {
		t.Fatalf("ran %d times, %v", runs, err)
	}
}

// A step that ran before and fails now must not count as done.
func TestFailedStepSaysWhatAndWhere(t *testing.T) {
	l, _ := emptyLab(t)
	runs := 0
	if err := l.runSteps(t.Context(), counted(l, "v1", &runs, nil)); err != nil {
		t.Fatal(err)
	}
	fail := func(ctx context.Context, t *task) error {
		return t.exec(ctx, exec.Command("sh", "-c", "echo one; echo 'write: No space left on device'; exit 1"), nil)
	}
	err := l.runSteps(t.Context(), counted(l, "v2", &runs, fail))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"a step failed", "exit status 1", "No space left", l.path("logs"), "the disk is full"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
	if l.pending(counted(l, "v1", &runs, nil)(l)[0]) == nil {
		t.Error("the old stamp is still there")
	}
}

func TestMissingToolsAreNamed(t *testing.T) {
	l, _ := emptyLab(t)
	t.Setenv("PATH", t.TempDir())
	t.Setenv("CC", "")
	for _, test := range []struct {
		step func(*lab) *step
		want string
	}{
		{pythonStep, "apt-get install python3"},
		{tokenizersStep, "rustup"},
		{modulesStep, "go.dev/dl"},
		{gonbStep, "go.dev/dl"},
		{kernelStep, "go.dev/dl"},
	} {
		s := test.step(l)
		t.Run(s.name, func(t *testing.T) {
			err := l.runSteps(t.Context(), func(*lab) []*step { return []*step{s} })
			var failed *stepError
			if !errors.As(err, &failed) || !strings.Contains(failed.advice, test.want) {
				t.Fatalf("got %v, want advice with %q", err, test.want)
			}
		})
	}
	if err := needCompiler(); err == nil || !strings.Contains(advise(err, ""), "build-essential") {
		t.Errorf("no C compiler: %v", err)
	}
}

// With conda on PATH the environment is conda's, and a conda that fails leaves it to venv.
func TestCondaComesFirst(t *testing.T) {
	env := environment{conda: []string{"python>=3.10", "pip"}, channels: []string{"conda-forge"}}
	for name, script := range map[string]string{
		"conda works": `echo "conda $@"; exit 0`,
		"conda fails": `echo "conda $@"; exit 1`,
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := emptyLab(t)
			bin := t.TempDir()
			t.Setenv("PATH", bin)
			for program, text := range map[string]string{"conda": script, "python3": `echo "python3 $@"`} {
				if err := os.WriteFile(filepath.Join(bin, program), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			make := func(ctx context.Context, t *task) error { return l.makePython(ctx, t, env) }
			s := &step{name: "python", run: make}
			if err := l.runSteps(t.Context(), func(*lab) []*step { return []*step{s} }); err != nil {
				t.Fatal(err)
			}
			log, _ := os.ReadFile(l.logPath(s))
			want := "conda create --yes --quiet --prefix " + l.path("venv") + " --channel conda-forge python>=3.10 pip"
			if !strings.Contains(string(log), want) {
				t.Errorf("no %q in:\n%s", want, log)
			}
			if venv := strings.Contains(string(log), "python3 -m venv"); venv != strings.Contains(name, "fails") {
				t.Errorf("venv was used: %t, in:\n%s", venv, log)
			}
		})
	}
}

// fakePython puts a script in place of the lab's Python, whose "-m venv DIR" puts it into that environment, too.
func fakePython(t *testing.T, l *lab, script string) {
	t.Helper()
	text := "#!/bin/sh\n" + `if [ "$2" = venv ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; fi` + "\n" + script + "\n"
	if err := writeFile(l.python("python"), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestReferencesAreInstalledOnDemand(t *testing.T) {
	l, out := emptyLab(t)
	t.Setenv(referencesVariable, "")
	only := func(l *lab) []*step { return []*step{referencesStep(l)} }
	if err := l.prepareReferences(t.Context()); err != nil || exists(l.path("references")) || out.Len() > 0 {
		t.Fatalf("nobody asked for them: %v, %s", err, out)
	}
	if env := l.referencesEnv(); env != nil {
		t.Errorf("tests are told of %v", env)
	}
	if p := l.referencesPart(); p.state != "optional" || !strings.Contains(p.fix, "setup --references") {
		t.Errorf("doctor: %+v", p)
	}

	fakePython(t, l, `echo "python $@"`)
	if err := l.runSteps(t.Context(), only); err != nil {
		t.Fatal(err)
	}
	log, _ := os.ReadFile(l.logPath(referencesStep(l)))
	for _, want := range []string{"-m venv " + l.path("references"), "transformers==", "lm-eval==", "-c import torch"} {
		if !strings.Contains(string(log), want) {
			t.Errorf("no %q in:\n%s", want, log)
		}
	}
	if env := l.referencesEnv(); len(env) != 1 || env[0] != "OFFSHOOT_REFERENCES="+l.references() {
		t.Errorf("tests are told of %v", env)
	}
	if p := l.referencesPart(); p.state != "ok" || !strings.Contains(p.version, "lm-eval 0") {
		t.Errorf("doctor: %+v", p)
	}

	t.Setenv(referencesVariable, "/usr/bin/python3")
	if env := l.referencesEnv(); env != nil {
		t.Errorf("a person's choice is overridden with %v", env)
	}
	t.Setenv(referencesVariable, "")
	if err := writeFile(l.stamp(referencesStep(l)), []byte("other versions"), 0o644); err != nil {
		t.Fatal(err)
	}
	if p, env := l.referencesPart(), l.referencesEnv(); p.state != "stale" || env != nil {
		t.Errorf("other versions: doctor %+v, tests are told of %v", p, env)
	}
}

// Without a network there are no references, and nothing that a later command would try to complete.
func TestReferencesThatDoNotInstall(t *testing.T) {
	l, _ := emptyLab(t)
	fakePython(t, l, `case "$*" in *install*) echo "connection refused"; exit 1;; esac`)
	err := l.runSteps(t.Context(), func(l *lab) []*step { return []*step{referencesStep(l)} })
	var failed *stepError
	if !errors.As(err, &failed) || failed.step != "Python references" || !strings.Contains(failed.advice, "check the network") {
		t.Fatalf("error %v", err)
	}
	if exists(l.path("references")) {
		t.Error("a half-built environment is left")
	}
}

func TestReferencesArePinned(t *testing.T) {
	for _, requirement := range referencesRequirements() {
		if !strings.Contains(requirement, "==") {
			t.Errorf("%s is not pinned", requirement)
		}
	}
}

func TestAdvice(t *testing.T) {
	failed := errors.New("exit status 1")
	for _, test := range []struct {
		err       error
		log, want string
	}{
		{fmt.Errorf("writing: %w", syscall.ENOSPC), "", "disk is full"},
		{failed, "OSError: [Errno 28] No space left on device", "disk is full"},
		{failed, "The virtual environment was not created successfully because ensurepip is not available.", "python3-venv"},
		{failed, "dial tcp: lookup host: no such host", "check the network"},
		{failed, "npm error code ENOTFOUND", "check the network"},
		{failed, "error: linker `cc` not found", "build-essential"},
		{failed, `cgo: C compiler "gcc" not found: exec: "gcc": executable file not found in $PATH`, "build-essential"},
		{failed, "ERROR: No matching distribution found for jupyterlab==4.6.6", "Python 3.10"},
		{failed, "mkdir: permission denied", "OFFSHOOT_HOME"},
		{failed, "something new", "read the log"},
	} {
		if got := advise(test.err, test.log); !strings.Contains(got, test.want) {
			t.Errorf("advise(%v, %q) = %q, want %q in it", test.err, test.log, got, test.want)
		}
	}
}

func TestLockLetsOneIn(t *testing.T) {
	l, out := emptyLab(t)
	unlock, err := l.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := l.lock(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("second lock: %v", err)
	}
	if want := fmt.Sprintf("(pid %d)", os.Getpid()); !strings.Contains(out.String(), want) {
		t.Errorf("%q does not name its owner", out)
	}
	unlock()
	unlock, err = l.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

// The same choice of backend must come out on every machine of a kind.
func TestInstalledPlugin(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", dir)
	library := make([]byte, 2<<20)
	for name, content := range map[string][]byte{
		"pjrt_c_api_cpu_v0.9.0_plugin.so":       library,
		"pjrt_c_api_cpu_v0.9.1_plugin.so":       library,
		"pjrt_c_api_cpu_v0.9.2_plugin.so":       nil, // a download that failed
		"pjrt_c_api_cpu_v0.9.3_plugin.so.lock":  nil,
		"pjrt_c_api_cuda_v0.9.1_plugin.so.part": library,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := filepath.Base(installedPlugin(false)); got != "pjrt_c_api_cpu_v0.9.1_plugin.so" {
		t.Errorf("CPU: %s", got)
	}
	if got := installedPlugin(true); got != "" {
		t.Errorf("CUDA: %s", got)
	}
}

func TestBackendOfTheUserWins(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "go")
	l, _ := emptyLab(t)
	if err := l.runSteps(t.Context(), func(l *lab) []*step { return []*step{xlaStep(l)} }); err != nil {
		t.Fatal(err)
	}
	env := l.env()
	if env["GOMLX_BACKEND"] != "go" || env["OFFSHOOT_HOME"] != l.home || env["CGO_LDFLAGS"] != "-L"+l.path("lib") {
		t.Errorf("env.json: %v", env)
	}
	if simd := env["GOEXPERIMENT"] == "simd"; simd != strings.HasSuffix(platform(), "/amd64") {
		t.Errorf("GOEXPERIMENT=%q on %s", env["GOEXPERIMENT"], platform())
	}
}

func TestKernelSpecKeepsCellsOffTheNetwork(t *testing.T) {
	l, _ := emptyLab(t)
	text, err := l.kernelSpec()
	if err != nil {
		t.Fatal(err)
	}
	var spec struct {
		Argv []string
		Env  map[string]string
	}
	if err := json.Unmarshal(text, &spec); err != nil {
		t.Fatal(err)
	}
	if spec.Env["GOPROXY"] != "off" || !strings.HasPrefix(spec.Env["PATH"], l.path("bin")+":") {
		t.Errorf("environment: %v", spec.Env)
	}
	if last := spec.Argv[len(spec.Argv)-1]; last != "-go_work="+l.repo {
		t.Errorf("argv: %v", spec.Argv)
	}
}

func TestDoctor(t *testing.T) {
	l, out := emptyLab(t)
	if err := doctor(t.Context(), l, nil); err == nil {
		t.Error("an empty lab is well")
	}
	for _, s := range setupSteps(l) {
		if !strings.Contains(out.String(), s.name) {
			t.Errorf("no line for %s in:\n%s", s.name, out)
		}
	}
	if !strings.Contains(out.String(), "missing") || !strings.Contains(out.String(), "lab setup") {
		t.Errorf("no fix in:\n%s", out)
	}
	s := setupSteps(l)[1]
	if err := writeFile(l.stamp(s), []byte("other inputs"), 0o644); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(l.pending(s), errStale) {
		t.Errorf("%s is %v, want stale", s.name, l.pending(s))
	}
}

// A host file that a crash or another program's pid made stale is no running host.
func TestStaleHostFile(t *testing.T) {
	self := fmt.Sprintf(`{"url":"nats://127.0.0.1:1","token":"t","pid":%d}`, os.Getpid())
	for name, text := range map[string]string{"another program has its pid": self, "dead": `{"url":"nats://127.0.0.1:1","pid":999999999}`} {
		t.Run(name, func(t *testing.T) {
			l, out := emptyLab(t)
			if err := writeFile(l.path("host", "host.json"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if isHost(os.Getpid()) {
				t.Error("this test is no host")
			}
			if stopped, err := l.stopHost(t.Context()); stopped {
				t.Errorf("stopped something: %v, %s", err, out)
			}
		})
	}
}

func TestTallyOfGoTests(t *testing.T) {
	l, out := emptyLab(t)
	c := &checks{lab: l, ctx: t.Context(), verbose: true}
	tally := &tally{checks: c, output: map[string]string{}}
	const p = `"Package":"github.com/offshoot-ml/offshoot/slm"`
	for _, line := range []string{
		`{"Action":"run",` + p + `,"Test":"TestA"}`,
		`{"Action":"output",` + p + `,"Test":"TestA","Output":"    a_test.go:5: 7 MB\n"}`,
		`{"Action":"pass",` + p + `,"Test":"TestA"}`,
		`{"Action":"output",` + p + `,"Test":"TestB","Output":"    b_test.go:7: no GPU here\n"}`,
		`{"Action":"skip",` + p + `,"Test":"TestB"}`,
		`{"Action":"output",` + p + `,"Test":"TestC","Output":"    c_test.go:9: got 1, want 2\n"}`,
		`{"Action":"fail",` + p + `,"Test":"TestC"}`,
		`{"Action":"fail",` + p + `}`,
		`{"Action":"build-output","ImportPath":"x","Output":"a.go:1:1: undefined: y\n"}`,
		`{"Action":"fail","Package":"github.com/offshoot-ml/offshoot/plots"}`,
	} {
		tally.line(line)
	}
	if err := c.summary(); err == nil {
		t.Error("the summary of a failure is no error")
	}
	for _, want := range []string{
		"a_test.go:5: 7 MB\n", "got 1, want 2", "undefined: y", "failed: slm TestC\nfailed: plots\n",
		"FAIL: 1 passed, 2 failed, 1 skipped (slm TestB: no GPU here)\n1 passed, 2 failed, 1 skipped\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
}

func TestVerbs(t *testing.T) {
	for _, test := range []struct {
		args   string
		status int
		want   string
	}{
		{"-h", 0, "usage:"},
		{"help", 0, "usage:"},
		{"run -h", 0, "NOTEBOOK"},
		{"fly", 2, `no verb "fly"`},
		{"run", 1, "name a notebook"},
		{"run nowhere.ipynb", 1, "no notebook nowhere.ipynb"},
		{"doctor me", 1, `no argument "me"`},
		{"status", 0, "no host is running"},
		{"stop", 0, "no host is running"},
		{"logs", 1, "no host has run yet"},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Setenv("OFFSHOOT_HOME", t.TempDir())
			var out strings.Builder
			status := Main(t.Context(), strings.Fields(test.args), &out, &out)
			if status != test.status || !strings.Contains(out.String(), test.want) {
				t.Errorf("status %d, %q; want %d, %q", status, out.String(), test.status, test.want)
			}
		})
	}
}

// A notebook that fails keeps what ran, and the terminal shows why.
func TestFailingNotebook(t *testing.T) {
	l := readyLab(t)
	var out strings.Builder
	l.stdout, l.stderr = &out, &out
	dir := t.TempDir()
	err := l.execute(t.Context(), filepath.Join("testdata", "failing.ipynb"), dir)
	var exit exitError
	if !errors.As(err, &exit) || exit != 1 {
		t.Fatalf("error %v\n%s", err, &out)
	}
	for _, want := range []string{"[1/3] Before", "this output stays", "[2/3] The failure", "exit status 3", "cell 2 of 3 failed"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, &out)
		}
	}
	saved, err := os.ReadFile(filepath.Join(dir, "failing.ipynb"))
	if err != nil || !strings.Contains(string(saved), "this output stays") || strings.Contains(string(saved), `"execution":`) {
		t.Errorf("%v\n%s", err, saved)
	}
}

// A claim that the run does not support and a figure without data stay for the reader, and fail a checked run; what was not asked is
// only told.
func TestDoubtfulNotebook(t *testing.T) {
	for _, test := range []struct {
		scale string
		check bool
		want  string
	}{
		{"short", false, "all cells ran"},
		{"short", true, "unsupported claim: ✗ This is not run at the short scale. (this run does not support it)"},
		{"laptop", true, "figure without data: Loss"},
	} {
		l := readyLab(t)
		var out strings.Builder
		l.stdout, l.stderr, l.cells = &out, &out, []string{paper.Variable + "=" + test.scale}
		var options []string
		if test.check {
			options = append(options, "--check")
		}
		dir := t.TempDir()
		err := l.execute(t.Context(), filepath.Join("testdata", "doubtful.ipynb"), dir, options...)
		if (err != nil) != test.check || !strings.Contains(out.String(), test.want) {
			t.Errorf("%+v: %v\n%s", test, err, &out)
		}
		if said, err := unchecked(filepath.Join(dir, "doubtful.ipynb")); err != nil || !slices.Equal(said, []string{"What is not installed is not asked."}) {
			t.Errorf("%+v: not asked: %q, %v", test, said, err)
		}
	}
}

// An interrupt reaches the cell, and what it did is saved.
func TestInterruptedNotebook(t *testing.T) {
	l := readyLab(t)
	out := &watcher{word: "waiting\n", seen: make(chan struct{})}
	l.stdout, l.stderr = out, io.Discard
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-out.seen; cancel() }()
	dir := t.TempDir()
	err := l.execute(ctx, filepath.Join("testdata", "waiting.ipynb"), dir)
	var exit exitError
	if !errors.As(err, &exit) || exit != 130 {
		t.Fatalf("error %v\n%s", err, out.text.String())
	}
	if saved, err := os.ReadFile(filepath.Join(dir, "waiting.ipynb")); err != nil || !strings.Contains(string(saved), "kept what was done") {
		t.Errorf("%v\n%s", err, saved)
	}
}

// watcher closes seen when a word is on a line of its own.
type watcher struct {
	word string
	seen chan struct{}
	text strings.Builder
}

func (w *watcher) Write(p []byte) (int, error) {
	before := strings.Contains(w.text.String(), " "+w.word)
	w.text.Write(p)
	if !before && strings.Contains(w.text.String(), " "+w.word) {
		close(w.seen)
	}
	return len(p), nil
}

func TestBenchReportsMedians(t *testing.T) {
	took := func(first, later float64, steps int) string {
		text, _ := json.Marshal(cellSteps{First: 1001400000, Seconds: append([]float64{first}, slices.Repeat([]float64{later}, steps-1)...)})
		return string(text)
	}
	var cells []cellTime
	for _, source := range benchSources() {
		cell := cellTime{Began: 1000, Seconds: 0.5}
		switch cell.Seconds = 0.5; source[:strings.LastIndex(source, "_ =")] {
		case openCell:
			cell.Text = "1.25\n"
		case fmt.Sprint(plainSteps, steadySteps, ")\n"), fmt.Sprint(distilledSteps, steadySteps, ")\n"):
			cell.Text = took(3, 0.5, steadySteps)
		case fmt.Sprint(plainSteps, shortSteps, ")\n"):
			cell.Text = took(0.55, 0.51, shortSteps)
		case fmt.Sprint(distilledSteps, shortSteps, ")\n"):
			cell.Text = took(0.5, 0.5, shortSteps)
		case memoryCell:
			cell.Text = "2147483648\n"
		case trivialCell:
			cell.Seconds = 0.6
		}
		cells = append(cells, cell)
	}
	cells[0].Seconds = 9 // one slow cell does not move a median
	var out strings.Builder
	l := &lab{stdout: &out}
	if err := report(l, cells); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"empty GoNB cell", "0.50 s", "1.25 s", "0.60 s", "1.40 s", "took 3.0 s", "+2.0%", "each +10.0%", "+0.0%", "2.00 GiB"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
	if err := report(l, cells[1:]); err == nil {
		t.Error("a missing cell went unnoticed")
	}
}
