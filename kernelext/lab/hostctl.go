package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
)

const noHost = "no host is running; the first kernelext.Open in a cell starts one"

func status(ctx context.Context, l *lab, args []string) error {
	if err := parseNone(flags("status", l.stdout), args); err != nil {
		return err
	}
	if server := l.findServer(ctx, l.source("notebooks")); server != nil {
		fmt.Fprintf(l.stdout, "JupyterLab  %s\n", server.labURL())
	}
	defer l.useHome()()
	host, err := kernelext.HostStatus(ctx)
	if errors.Is(err, kernelext.ErrNoHost) {
		fmt.Fprintln(l.stdout, noHost)
		return nil
	}
	if err != nil {
		return err
	}
	printStatus(l, host)
	return nil
}

func printStatus(l *lab, host kernelext.Status) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(l.stdout, "%-11s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("host", "pid %d, version %s, up %s, stops after %s without a request", host.PID, host.Version, host.Uptime(), host.IdleAfter)
	line("backend", "%s on %s", host.Backend, host.Device)
	if host.BackendError != "" {
		line("", "%s", host.BackendError)
	}
	line("memory", "%s", mebibytes(host.Memory))
	for _, device := range host.Devices {
		line("device", "%s", device)
	}
	for _, held := range host.Teachers {
		line("teacher", "%s, %s", held.Name, mebibytes(held.Bytes))
	}
	for _, held := range host.Runs {
		line("student", "%s of lab %s, %d steps, %s", held.Name, held.Lab, held.Steps, mebibytes(held.Bytes))
	}
	for _, job := range host.Jobs {
		state := "waiting"
		if job.Running {
			state = "running"
		}
		line("job", "%s, %s since %s, %d of %d %s", job, state, time.Since(job.Since).Round(time.Second), job.Done, job.Total, job.Unit)
	}
	line("labs", "%s", strings.Join(host.Labs, ", "))
}

func mebibytes(n int64) string { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) }

func stop(ctx context.Context, l *lab, args []string) error {
	if err := parseNone(flags("stop", l.stdout), args); err != nil {
		return err
	}
	stopped, err := l.stopHost(ctx)
	if err != nil {
		return err
	}
	if !stopped {
		fmt.Fprintln(l.stdout, noHost)
		return nil
	}
	fmt.Fprintln(l.stdout, "the host has stopped; its work is saved")
	return nil
}

// stopHost asks the host to end. One that does not answer is sent SIGTERM, which it treats the
// same way.
func (l *lab) stopHost(ctx context.Context) (stopped bool, err error) {
	defer l.useHome()()
	err = kernelext.StopHost(ctx)
	if err == nil || errors.Is(err, kernelext.ErrNoHost) {
		return err == nil, nil
	}
	file, readErr := kernelext.ReadHostFile(l.home)
	if readErr != nil || !isHost(file.PID) {
		return false, err
	}
	if err := syscall.Kill(file.PID, syscall.SIGTERM); err != nil {
		return false, fmt.Errorf("stopping the host (pid %d): %w", file.PID, err)
	}
	for deadline := time.Now().Add(30 * time.Second); isHost(file.PID); {
		if time.Now().After(deadline) {
			return false, fmt.Errorf("the host (pid %d) does not stop; see: lab logs", file.PID)
		}
		time.Sleep(50 * time.Millisecond)
	}
	return true, nil
}

// useHome points the client at this lab's home, until the returned function is called.
func (l *lab) useHome() (restore func()) {
	old, set := os.LookupEnv("OFFSHOOT_HOME")
	os.Setenv("OFFSHOOT_HOME", l.home)
	return func() {
		if os.Unsetenv("OFFSHOOT_HOME"); set {
			os.Setenv("OFFSHOOT_HOME", old)
		}
	}
}

// isHost tells our host from a process that was given its number later.
func isHost(pid int) bool {
	if !alive(pid) {
		return false
	}
	out, err := exec.Command("ps", "-p", strconv.Itoa(pid), "-o", "args=").Output()
	if err != nil { // a small image may have no ps
		out, err = os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	}
	return err == nil && strings.Contains(string(out), "offshoot-host")
}
