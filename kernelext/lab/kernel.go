package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// kernelStep describes the GoNB kernel to Jupyter, and sets JupyterLab up to ask nothing of
// the network. It is done here, and not by `gonb --install`, which writes to the user's home.
func kernelStep(l *lab) *step {
	spec, err := l.kernelSpec()
	return &step{
		name:    "kernelspec",
		inputs:  string(spec) + overrides,
		outputs: []string{l.path("share", "jupyter", "kernels", "gonb", "kernel.json")},
		run: func(ctx context.Context, t *task) error {
			if err != nil {
				return err
			}
			if err := l.writeKernelSpec(spec); err != nil {
				return err
			}
			t.Note("Go (gonb) for this repository")
			settings := l.path("etc", "jupyter", "labconfig", "default_setting_overrides.json")
			return writeFile(settings, []byte(overrides), 0o644)
		},
	}
}

func (l *lab) writeKernelSpec(spec []byte) error {
	return writeFile(l.path("share", "jupyter", "kernels", "gonb", "kernel.json"), spec, 0o644)
}

// overrides are JupyterLab's settings: no news, no update checks. Cells out of sight stay on the
// page, so that a figure is drawn once and not each time it is scrolled to. The Go kernel may take
// more than a second to complete a symbol, after which JupyterLab would show nothing.
const overrides = `{
  "@jupyterlab/apputils-extension:notification": {
    "fetchNews": "false",
    "checkForUpdates": false
  },
  "@jupyterlab/completer-extension:manager": {
    "providerTimeout": 10000
  },
  "@jupyterlab/notebook-extension:tracker": {
    "windowingMode": "none"
  }
}
`

// kernelSpec is kernel.json. Its environment is what makes a cell compile: the go command and
// gonb's helpers on PATH, this repository as the workspace that cells import from, and no
// look-ups on a network, which also takes a third off each cell's time.
func (l *lab) kernelSpec() ([]byte, error) {
	goDir, err := goBin()
	if err != nil {
		return nil, err
	}
	env := map[string]string{}
	for name, value := range l.env() {
		env[name] = value
	}
	env["PATH"] = strings.Join([]string{l.path("bin"), goDir, l.path("venv", "bin"), "${PATH}"}, ":")
	env["GOPROXY"] = "off"
	env["GOSUMDB"] = "off"
	env["GOTOOLCHAIN"] = "local"
	// A user's -mod=mod or GOWORK=off would break the workspace that gonb makes.
	env["GOFLAGS"] = "-buildvcs=false -ldflags=-w" // without debug information a cell links in half the time
	env["GOWORK"] = ""
	spec := map[string]any{
		"argv":           []string{l.path("bin", "gonb"), "--kernel", "{connection_file}", "-go_work=" + l.repo},
		"display_name":   "Go (gonb)",
		"language":       "go",
		"interrupt_mode": "message",
		"env":            env,
	}
	text, err := json.MarshalIndent(spec, "", "  ")
	return append(text, '\n'), err
}

// jupyterEnv makes Jupyter find the lab's kernel, and keep its own files in the state folder.
func (l *lab) jupyterEnv() []string {
	env := l.environ()
	for name, value := range map[string]string{
		"JUPYTER_PATH":              l.path("share", "jupyter"),
		"JUPYTER_DATA_DIR":          l.path("share", "jupyter"),
		"JUPYTER_CONFIG_DIR":        l.path("etc", "jupyter"),
		"JUPYTER_RUNTIME_DIR":       l.path("run", "jupyter"),
		"JUPYTERLAB_SETTINGS_DIR":   l.path("etc", "jupyter", "user-settings"),
		"JUPYTERLAB_WORKSPACES_DIR": l.path("etc", "jupyter", "workspaces"),
		"IPYTHONDIR":                l.path("etc", "ipython"),
		"PATH":                      l.path("venv", "bin") + string(filepath.ListSeparator) + os.Getenv("PATH"),
	} {
		env = append(env, name+"="+value)
	}
	return append(env, l.cells...)
}
