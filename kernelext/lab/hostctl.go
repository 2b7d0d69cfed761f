package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
)

// hostFile is host/host.json, which a running host leaves so that clients find it.
type hostFile struct {
	URL     string    `json:"url"`
	Token   string    `json:"token"`
	Pid     int       `json:"pid"`
	Version string    `json:"version"`
	Started time.Time `json:"started"`
}

// errNoHost says that no host runs, which is no failure: a cell starts one.
var errNoHost = errors.New("no host is running; the first kernelext.Open in a cell starts one")

func (l *lab) readHostFile() (*hostFile, error) {
	path := l.path("host", "host.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoHost
	}
	if err != nil {
		return nil, err
	}
	var host hostFile
	if err := json.Unmarshal(text, &host); err != nil {
		return nil, fmt.Errorf("%s is broken (%w); remove it, and stop any offshoot-host process", path, err)
	}
	if !isHost(host.Pid) {
		return nil, fmt.Errorf("%w (a host with pid %d has died; see: lab logs)", errNoHost, host.Pid)
	}
	return &host, nil
}

// isHost tells our host from a process that was given its number later.
func isHost(pid int) bool {
	if !alive(pid) {
		return false
	}
	out, err := exec.Command("ps", "-p", strconv.Itoa(pid), "-o", "args=").Output()
	if err != nil {
		// A small image may have no ps.
		out, err = os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	}
	return err == nil && strings.Contains(string(out), "offshoot-host")
}

// ask sends one request to the host.
func (h *hostFile) ask(ctx context.Context, subject string) (map[string]any, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := nats.Connect(h.URL, nats.Token(h.Token), nats.Name("lab"), nats.MaxReconnects(0), nats.Timeout(2*time.Second))
	if err != nil {
		return nil, fmt.Errorf("the host (pid %d) does not answer on %s: %w", h.Pid, h.URL, err)
	}
	defer conn.Close()
	reply, err := conn.RequestWithContext(ctx, subject, []byte("{}"))
	if err != nil {
		return nil, fmt.Errorf("the host (pid %d) does not answer %s: %w", h.Pid, subject, err)
	}
	var answer map[string]any
	if err := json.Unmarshal(reply.Data, &answer); err != nil {
		return nil, fmt.Errorf("the host answered %s with %q: %w", subject, reply.Data, err)
	}
	return answer, nil
}

func status(ctx context.Context, l *lab, args []string) error {
	if err := parseNone(flags("status", l.stdout), args); err != nil {
		return err
	}
	if server := l.findServer(ctx, l.source("notebooks")); server != nil {
		fmt.Fprintf(l.stdout, "JupyterLab: %s\n", server.labURL())
	}
	host, err := l.readHostFile()
	if errors.Is(err, errNoHost) {
		fmt.Fprintln(l.stdout, err)
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(l.stdout, "host: pid %d, version %s, up %s\n", host.Pid, host.Version, time.Since(host.Started).Round(time.Second))
	answer, err := host.ask(ctx, "offshoot.v1.status")
	if err != nil {
		return err
	}
	printTree(l, answer, "  ")
	return nil
}

// printTree prints an answer without knowing its fields, so that the host can add some.
func printTree(l *lab, tree map[string]any, indent string) {
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		switch value := tree[name].(type) {
		case map[string]any:
			fmt.Fprintf(l.stdout, "%s%s:\n", indent, name)
			printTree(l, value, indent+"  ")
		case []any:
			fmt.Fprintf(l.stdout, "%s%s:\n", indent, name)
			for _, item := range value {
				if fields, ok := item.(map[string]any); ok {
					fmt.Fprintf(l.stdout, "%s  -\n", indent)
					printTree(l, fields, indent+"    ")
				} else {
					fmt.Fprintf(l.stdout, "%s  - %v\n", indent, item)
				}
			}
		case float64:
			fmt.Fprintf(l.stdout, "%s%s: %s\n", indent, name, strconv.FormatFloat(value, 'f', -1, 64))
		default:
			fmt.Fprintf(l.stdout, "%s%s: %v\n", indent, name, value)
		}
	}
}

func stop(ctx context.Context, l *lab, args []string) error {
	if err := parseNone(flags("stop", l.stdout), args); err != nil {
		return err
	}
	said, err := l.stopHost(ctx)
	if said != "" {
		fmt.Fprintln(l.stdout, said)
	}
	return err
}

// stopHost asks the host to end after it has saved its work. One that does not answer is sent
// SIGTERM, which it treats the same way.
func (l *lab) stopHost(ctx context.Context) (said string, err error) {
	host, err := l.readHostFile()
	if errors.Is(err, errNoHost) {
		return err.Error(), nil
	}
	if err != nil {
		return "", err
	}
	if _, err := host.ask(ctx, "offshoot.v1.stop"); err != nil {
		if err := syscall.Kill(host.Pid, syscall.SIGTERM); err != nil {
			return "", fmt.Errorf("stopping the host (pid %d): %w", host.Pid, err)
		}
	}
	for deadline := time.Now().Add(30 * time.Second); isHost(host.Pid); {
		if time.Now().After(deadline) {
			return "", fmt.Errorf("the host (pid %d) is still saving after 30 s; see: lab logs", host.Pid)
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Sprintf("the host (pid %d) has stopped", host.Pid), nil
}
