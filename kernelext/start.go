package kernelext

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// startPatience is how long a started host may take until it answers.
const startPatience = 60 * time.Second

// maxLog is the size at which a new host begins a new log and keeps the old one as host.log.1.
const maxLog = 8 << 20

// lockStart lets one client at a time start or replace a host; the others wait and find the host that it started.
func lockStart(ctx context.Context, home string) (unlock func(), err error) {
	if err := os.MkdirAll(hostFolder(home), 0o700); err != nil {
		return nil, fmt.Errorf("the lab's folder cannot be written: %w; set OFFSHOOT_HOME to a folder that can", err)
	}
	file, err := os.OpenFile(filepath.Join(hostFolder(home), "start.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			file.Close()
			return nil, fmt.Errorf("lock %s: %w", file.Name(), err)
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			file.Close()
			return nil, err
		}
	}
}

// startHost starts a host that outlives this process, and returns a connection to it once it answers.
func startHost(ctx context.Context, home string) (*attachment, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	binary := hostBinary(home)
	if _, err := os.Stat(binary); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the lab is not set up: there is no %s; run `go run ./kernelext/lab setup`", binary)
	}
	log, err := openLog(home)
	if err != nil {
		return nil, fmt.Errorf("the host's log cannot be written: %w", err)
	}
	defer log.Close()
	begins, _ := log.Seek(0, 2)
	command := exec.Command(binary)
	command.Env, err = HostEnvironment(home)
	if err != nil {
		return nil, err
	}
	command.Dir = home
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // survives the cell, the kernel and the terminal
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("the host does not start: %w; run `go run ./kernelext/lab doctor`", err)
	}
	exited := make(chan error, 1)
	go func() { exited <- command.Wait() }()
	return awaitHost(ctx, home, command.Process.Pid, exited, begins)
}

// awaitHost waits until the host answers, its process ends, or patience does. A host that nobody waits for any more is told
// to end.
func awaitHost(ctx context.Context, home string, pid int, exited <-chan error, begins int64) (*attachment, error) {
	deadline := time.Now().Add(startPatience)
	for time.Now().Before(deadline) {
		if f, err := ReadHostFile(home); err == nil && f.PID == pid {
			if a, err := dial(home, f); err == nil {
				return a, nil
			}
		}
		select {
		case err := <-exited:
			return nil, fmt.Errorf("the host stopped while it started (%v); its log says:\n%s\nrun `go run ./kernelext/lab doctor`", err, logTail(home, begins))
		case <-ctx.Done():
			_ = syscall.Kill(pid, syscall.SIGTERM) // it may have ended by itself
			return nil, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil, fmt.Errorf("the host (process %d) did not answer within %s; its log says:\n%s\nrun `go run ./kernelext/lab doctor`",
		pid, startPatience, logTail(home, begins))
}

func openLog(home string) (*os.File, error) {
	path := hostLogPath(home)
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
}

// logTail is the last lines of the log from an offset on.
func logTail(home string, from int64) string {
	text, err := os.ReadFile(hostLogPath(home))
	if err != nil || int64(len(text)) <= from {
		return "  (nothing)"
	}
	lines := strings.Split(strings.TrimSpace(string(text[from:])), "\n")
	return "  " + strings.Join(lines[max(0, len(lines)-8):], "\n  ")
}

// mallocSettings are of glibc's malloc, read once when a process begins; other systems pass over them, and a GPU has memory of its own.
// A setting of the user's own stays.
func mallocSettings(backend string) map[string]string {
	if strings.Contains(backend, "cuda") {
		return nil
	}
	return map[string]string{
		// XLA allocates the buffers of each step anew, half a gigabyte for a small student. By default malloc gives back to the system
		// what is large, and touching fresh memory takes a fifth of a step's time. So up to a gigabyte is kept, in huge pages
		// (MADV_HUGEPAGE, since glibc 2.35).
		"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=1073741824",
		// Only the first arena keeps what is that large. Threads that compile wait for each other in it: a program takes a third longer.
		"MALLOC_ARENA_MAX": "1",
	}
}

// HostEnvironment is what the host's binary runs in, also when it does one verb and ends: this process's environment without what
// belongs to a cell, with the set-up's env.json on top.
func HostEnvironment(home string) ([]string, error) {
	settings := map[string]string{}
	path := filepath.Join(home, "env.json")
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &settings)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w; run `go run ./kernelext/lab setup`", path, err)
	}
	settings["OFFSHOOT_HOME"] = home
	for key, value := range mallocSettings(cmp.Or(settings["GOMLX_BACKEND"], os.Getenv("GOMLX_BACKEND"))) {
		if _, chosen := settings[key]; !chosen && os.Getenv(key) == "" {
			settings[key] = value
		}
	}
	var env []string
	for _, pair := range os.Environ() {
		key, _, _ := strings.Cut(pair, "=")
		if _, set := settings[key]; !set && !strings.HasPrefix(key, "GONB_") {
			env = append(env, pair)
		}
	}
	for key, value := range settings {
		env = append(env, key+"="+value)
	}
	return env, nil
}

// sleep waits, or returns the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
