package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/go-xla/installer"
)

// labEnv is env.json: the environment that the host, tests and cells run in.
type labEnv map[string]string

func (l *lab) env() labEnv {
	env := labEnv{}
	text, err := os.ReadFile(l.path("env.json"))
	if err == nil {
		json.Unmarshal(text, &env) // a broken file reads as an empty one, which is stale
	}
	return env
}

// environ is the process environment with the lab's on top.
func (l *lab) environ() []string {
	env := os.Environ()
	for name, value := range l.env() {
		if name == "CGO_LDFLAGS" && os.Getenv(name) != "" {
			value += " " + os.Getenv(name)
		}
		env = append(env, name+"="+value)
	}
	return append(env, "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -buildvcs=false"))
}

func (e labEnv) describeBackend() string {
	backend := e["GOMLX_BACKEND"]
	switch {
	case backend == "go" && e["GOEXPERIMENT"] == "simd":
		return "GoMLX's Go backend with SIMD"
	case backend == "go":
		return "GoMLX's Go backend"
	case strings.Contains(backend, "cuda"):
		return "XLA on CUDA"
	case strings.HasPrefix(backend, "xla"):
		return "XLA on the CPU"
	}
	return backend
}

// xlaStep chooses the backend that GoMLX computes with, and writes env.json. In order: what the
// user or the machine has, CUDA where there is an NVIDIA GPU, a pinned CPU plug-in, and GoMLX's
// own Go backend.
func xlaStep(l *lab) *step {
	env, _, _ := l.readEnvironment()
	chosen, has, gpu := os.Getenv("GOMLX_BACKEND"), installedPlugin(hasGPU()), hasGPU()
	cpu, cuda := env.variables["OFFSHOOT_XLA_CPU_WHEEL"], env.variables["OFFSHOOT_XLA_CUDA"]
	return &step{
		name:    "XLA plug-in",
		inputs:  fmt.Sprintln(chosen, has, gpu, cpu, cuda, platform(), l.home, "2"),
		outputs: []string{l.path("env.json")},
		current: func() error {
			plugin := strings.TrimPrefix(l.env()["GOMLX_BACKEND"], "xla:")
			if filepath.IsAbs(plugin) && !exists(plugin) {
				return fmt.Errorf("%s is gone", plugin)
			}
			return nil
		},
		run: func(ctx context.Context, t *task) error {
			backend, why, err := l.chooseBackend(ctx, t, chosen, has, gpu, cpu, cuda)
			if err != nil {
				return err
			}
			t.Note("%s", why)
			return l.writeEnv(backend)
		},
	}
}

// chooseBackend returns a value for GOMLX_BACKEND and where it came from.
func (l *lab) chooseBackend(ctx context.Context, t *task, chosen, has string, gpu bool, cpu, cuda string) (backend, why string, err error) {
	if chosen != "" {
		return chosen, "GOMLX_BACKEND=" + chosen + ", as set in the environment", nil
	}
	if has != "" {
		return "xla:" + has, "found " + has, nil
	}
	if gpu && platform() == "linux/amd64" && cuda != "" {
		plugin, err := l.installCUDA(ctx, t, cuda)
		if err == nil {
			return "xla:" + plugin, "XLA on CUDA, from " + cuda, nil
		}
		if ctx.Err() != nil {
			return "", "", err
		}
		fmt.Fprintf(t.log, "no CUDA plug-in: %v\n", err)
		t.Note("no CUDA plug-in (%v); taking the CPU one", err)
	}
	if platform() == "linux/amd64" {
		plugin := l.path("xla", strings.ReplaceAll(cpu, "==", "-"), "pjrt_c_api_cpu_plugin.so")
		if err := l.fetchFromWheel(ctx, t, cpu, "_plugin.so", plugin); err != nil {
			return "", "", err
		}
		return "xla:" + plugin, "XLA on the CPU, from " + cpu, nil
	}
	t.Note("asking go-xla's installer")
	err = installer.AutoInstall(l.path("xla"), false, installer.Quiet)
	if plugin := newest(plugins(l.path("xla", "go-xla", "pjrt_c_api_cpu_*"))); err == nil && plugin != "" {
		return "xla:" + plugin, "XLA on the CPU, by go-xla's installer", nil
	}
	fmt.Fprintf(t.log, "go-xla's installer: %v\n", err)
	return "go", "no XLA plug-in for " + platform() + ": GoMLX's Go backend, which is several times slower", nil
}

// installCUDA installs the CUDA plug-in and NVIDIA's libraries side by side, where the plug-in's
// run path looks for them.
func (l *lab) installCUDA(ctx context.Context, t *task, requirement string) (string, error) {
	dir := l.path("xla", "cuda")
	plugin := filepath.Join(dir, "jax_plugins", "xla_cuda13", "xla_cuda_plugin.so")
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	t.Note("downloading CUDA (about 3 GB)")
	pip := l.pip("install", "--progress-bar=off", "--target", dir, requirement)
	if err := t.exec(ctx, pip, pipNote(t)); err != nil {
		return "", err
	}
	if !exists(plugin) {
		return "", fmt.Errorf("%s holds no %s", requirement, filepath.Base(plugin))
	}
	return plugin, nil
}

func (l *lab) writeEnv(backend string) error {
	library := "-L" + l.path("lib")
	if strings.ContainsAny(library, " \t") {
		library = "'" + library + "'"
	}
	env := labEnv{
		"GOMLX_BACKEND":         backend,
		"GOMLX_NO_AUTO_INSTALL": "1",
		"CGO_ENABLED":           "1",
		"CGO_LDFLAGS":           library,
	}
	if backend == "go" && strings.HasSuffix(platform(), "/amd64") {
		env["GOEXPERIMENT"] = "simd"
	}
	if strings.Contains(backend, l.path("xla", "cuda")) {
		env["XLA_FLAGS"] = "--xla_gpu_cuda_data_dir=" + l.path("xla", "cuda", "nvidia", "cu13")
	}
	return l.writeEnvFrom(env)
}

// writeEnvFrom writes env.json for this state folder.
func (l *lab) writeEnvFrom(env labEnv) error {
	env["OFFSHOOT_HOME"] = l.home
	text, err := json.MarshalIndent(env, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(l.path("env.json"), append(text, '\n'), 0o644)
}

func hasGPU() bool {
	if exists("/dev/nvidia0") {
		return true
	}
	_, err := exec.LookPath("nvidia-smi")
	return err == nil && exec.Command("nvidia-smi", "-L").Run() == nil
}

// installedPlugin finds a plug-in where go-xla looks for one. On a machine with a GPU only a
// CUDA plug-in will do.
func installedPlugin(gpu bool) string {
	kind := "cpu"
	if gpu {
		kind = "cuda"
	}
	for _, dir := range pluginFolders() {
		if plugin := newest(plugins(filepath.Join(dir, "pjrt_c_api_"+kind+"_*plugin.*"))); plugin != "" {
			return plugin
		}
	}
	return ""
}

func pluginFolders() []string {
	if list, ok := os.LookupEnv("PJRT_PLUGIN_LIBRARY_PATH"); ok {
		return filepath.SplitList(list)
	}
	folders := []string{"/usr/local/lib/go-xla", "/usr/local/lib/go-xla/nvidia"}
	if user, err := os.UserHomeDir(); err == nil {
		own := []string{filepath.Join(user, ".local", "lib"), filepath.Join(user, "Library", "Application Support")}
		for _, lib := range own {
			folders = append(folders, filepath.Join(lib, "go-xla"), filepath.Join(lib, "go-xla", "nvidia"))
		}
	}
	return folders
}

// plugins are the shared libraries that match: an installer that failed leaves lock files and
// empty ones behind.
func plugins(pattern string) []string {
	files, _ := filepath.Glob(pattern)
	return slices.DeleteFunc(files, func(file string) bool {
		info, err := os.Stat(file)
		extension := filepath.Ext(file)
		return err != nil || info.Size() < 1<<20 || extension != ".so" && extension != ".dylib"
	})
}

// newest is the last file by name: names carry versions. It is "" when there is none.
func newest(files []string) string {
	slices.Sort(files)
	if len(files) == 0 {
		return ""
	}
	return files[len(files)-1]
}
