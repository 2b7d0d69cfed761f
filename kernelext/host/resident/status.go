package resident

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/offshoot-ml/offshoot/kernelext"
)

// status tells what the host is and holds. It waits for the backend, which takes seconds at most.
func (h *Host) status(ctx context.Context) kernelext.Status {
	<-h.backend.ready
	s := kernelext.Status{Version: h.settings.Version, PID: os.Getpid(), Started: h.started, Home: h.settings.Home,
		Backend: h.backend.name, Device: h.backend.device, Devices: h.devices(ctx), Memory: residentBytes(), IdleAfter: h.settings.IdleAfter,
		TeacherFiles: h.teacherNames(), Labs: h.labNames(), Teachers: []kernelext.Held{}, Runs: []kernelext.Held{}, Jobs: []kernelext.Job{}}
	if h.backend.err != nil {
		s.BackendError = h.backend.err.Error()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, t := range h.teachers {
		if bytes := t.Bytes(); bytes > 0 {
			s.Teachers = append(s.Teachers, kernelext.Held{Name: name, Bytes: bytes})
		}
	}
	slices.SortFunc(s.Teachers, func(a, b kernelext.Held) int { return strings.Compare(a.Name, b.Name) })
	for _, r := range h.runs {
		s.Runs = append(s.Runs, kernelext.Held{Lab: r.lab, Name: r.name, Bytes: r.bytes, Steps: r.steps})
	}
	for _, j := range h.jobs {
		s.Jobs = append(s.Jobs, j.snapshot())
	}
	return s
}

// devices are those of a backend that has started.
func (h *Host) devices(ctx context.Context) []kernelext.Device {
	if h.backend.err != nil {
		return []kernelext.Device{}
	}
	return h.engine.Devices(ctx)
}

// Installed are the teachers in a lab's home, by name, with their paths: GGUF files, and folders as Hugging Face's models
// have them.
func Installed(home string) map[string]string {
	paths := map[string]string{}
	folders, _ := filepath.Glob(filepath.Join(home, "teachers", "*", "config.json"))
	for _, file := range folders {
		paths[filepath.Base(filepath.Dir(file))] = filepath.Dir(file)
	}
	files, _ := filepath.Glob(filepath.Join(home, "teachers", "*.gguf"))
	for _, file := range files {
		paths[strings.TrimSuffix(filepath.Base(file), ".gguf")] = file
	}
	return paths
}

// teacherNames lists the installed teachers.
func (h *Host) teacherNames() []string {
	return slices.Sorted(maps.Keys(Installed(h.settings.Home)))
}
