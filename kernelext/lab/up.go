package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func up(ctx context.Context, l *lab, args []string) error {
	set := flags("up", l.stdout)
	port := set.Int("port", 8888, "port to listen on; if it is in use, the next free one")
	noBrowser := set.Bool("no-browser", false, "print the URL only")
	if err := parseNone(set, args); err != nil {
		return err
	}
	if err := l.prepare(ctx); err != nil {
		return err
	}
	root := l.source("notebooks")
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	root, err := filepath.EvalSymlinks(root) // as Jupyter names it
	if err != nil {
		return err
	}
	if server := l.findServer(ctx, root); server != nil {
		fmt.Fprintf(l.stdout, "JupyterLab is running already:\n%s\n", server.labURL())
		return nil
	}
	jupyter, err := l.startJupyter(ctx, root, *port)
	if err != nil {
		return err
	}
	fmt.Fprintf(l.stdout, "JupyterLab is up on %s (Ctrl-C stops it):\n%s\n", root, jupyter.server.labURL())
	if !*noBrowser {
		openBrowser(filepath.Join(l.path("run", "jupyter"), fmt.Sprintf("jpserver-%d-open.html", jupyter.server.Pid)))
	}
	return jupyter.wait()
}

// server is what a running Jupyter server says of itself in its 0600 runtime file.
type server struct {
	URL   string `json:"url"`
	Token string `json:"token"`
	Pid   int    `json:"pid"`
	Root  string `json:"root_dir"`
}

func (s *server) labURL() string { return s.URL + "lab?token=" + s.Token }

// answers asks the server itself, since a runtime file can outlive its process.
func (s *server) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"api/status", nil)
	if err != nil {
		return false
	}
	request.Header.Set("Authorization", "token "+s.Token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// findServer returns the running server on root, and removes runtime files of dead ones.
func (l *lab) findServer(ctx context.Context, root string) *server {
	files, _ := filepath.Glob(l.path("run", "jupyter", "jpserver-*.json"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		var s server
		if json.Unmarshal(text, &s) != nil || !alive(s.Pid) {
			os.Remove(file)
			os.Remove(strings.TrimSuffix(file, ".json") + "-open.html")
			continue
		}
		if s.Root == root && s.answers(ctx) {
			return &s
		}
	}
	return nil
}

func alive(pid int) bool {
	return pid > 0 && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}

// jupyter is a JupyterLab that this process started.
type jupyter struct {
	server *server
	log    string
	ended  chan error
	ctx    context.Context
}

// jupyterPatience is how long JupyterLab may take to answer: seconds, but on a machine that just made its files, or is busy, a minute.
const jupyterPatience = 3 * time.Minute

// startJupyter starts JupyterLab on root and returns when it answers.
func (l *lab) startJupyter(ctx context.Context, root string, port int) (*jupyter, error) {
	j := &jupyter{log: l.path("logs", "jupyter.log"), ended: make(chan error, 1), ctx: ctx}
	log, err := os.OpenFile(j.log, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600) // the URL in it holds the token
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(l.python("jupyter"), "lab", "--no-browser",
		"--ServerApp.ip=127.0.0.1",
		"--ServerApp.port="+strconv.Itoa(port),
		"--ServerApp.port_retries=50",
		"--ServerApp.root_dir="+root,
		"--ServerApp.extra_static_paths="+l.path("js", "node_modules", "echarts", "dist"),
		"--LabApp.news_url=None",
		"--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
	)
	if os.Geteuid() == 0 {
		cmd.Args = append(cmd.Args, "--allow-root")
	}
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = root, l.jupyterEnv(), log, log
	go func() { j.ended <- superviseWith(ctx, cmd, syscall.SIGTERM, 20*time.Second) }()

	deadline := time.After(jupyterPatience)
	for {
		if j.server = l.findServer(ctx, root); j.server != nil {
			return j, nil
		}
		select {
		case err := <-j.ended:
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, j.failed(fmt.Sprintf("ended (%v)", err))
		case <-deadline:
			return nil, j.failed(fmt.Sprintf("did not answer within %v", jupyterPatience))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (j *jupyter) failed(what string) error {
	text, _ := os.ReadFile(j.log)
	return &stepError{step: "JupyterLab", err: errors.New(what), tail: tail(string(text), 12), log: j.log,
		advice: "read the log; if it speaks of ports, give another one with --port"}
}

// wait returns when JupyterLab has ended, which a Ctrl-C asks it to do.
func (j *jupyter) wait() error {
	err := <-j.ended
	if j.ctx.Err() != nil {
		return nil
	}
	return err
}

// openBrowser opens a page where there is a screen to open it on: Jupyter's own file that leads to the URL and that only
// its owner may read, since a command line, and a token in it, is for everyone to see.
func openBrowser(page string) {
	opener := ""
	switch {
	case runtime.GOOS == "darwin" && os.Getenv("SSH_CONNECTION") == "":
		opener = "open"
	case os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != "":
		opener = "xdg-open"
	}
	if opener != "" {
		exec.Command(opener, page).Start()
	}
}
