package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/offshoot-ml/offshoot/slm/atomicfile"
)

// modulePath tells this repository from any other folder with a go.mod.
const modulePath = "github.com/offshoot-ml/offshoot"

// lab is what every verb works on: the repository, and the folder that holds its state.
type lab struct {
	repo   string // the top of the repository
	home   string // the state folder: <repo>/.offshoot, or OFFSHOOT_HOME
	stdout io.Writer
	stderr io.Writer
	locked *os.File // the set-up's lock, while it is held
	cells  []string // what cells have in their environment beside the lab's own
}

// findLab walks up from the working folder to the top of the repository.
func findLab(stdout, stderr io.Writer) (*lab, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for top := dir; ; top = filepath.Dir(top) {
		text, err := os.ReadFile(filepath.Join(top, "go.mod"))
		if err == nil && strings.Contains(string(text), "module "+modulePath+"\n") {
			return newLab(top, stdout, stderr)
		}
		if top == filepath.Dir(top) {
			return nil, fmt.Errorf("%s is not inside the offshoot repository; change to your clone of it and try again", dir)
		}
	}
}

func newLab(repo string, stdout, stderr io.Writer) (*lab, error) {
	home := os.Getenv("OFFSHOOT_HOME")
	if home == "" {
		home = filepath.Join(repo, ".offshoot")
	}
	home, err := filepath.Abs(home)
	if err != nil {
		return nil, err
	}
	return &lab{repo: repo, home: home, stdout: stdout, stderr: stderr}, nil
}

// path returns a path inside the state folder.
func (l *lab) path(elem ...string) string {
	return filepath.Join(append([]string{l.home}, elem...)...)
}

// source returns a path inside the repository.
func (l *lab) source(elem ...string) string {
	return filepath.Join(append([]string{l.repo}, elem...)...)
}

// python returns a program of the Python environment: python, pip, jupyter, node, npm.
func (l *lab) python(program string) string { return l.path("venv", "bin", program) }

// tmp makes a fresh folder inside the state folder, so that a rename out of it is atomic.
func (l *lab) tmp(name string) (string, error) {
	dir := l.path("tmp", name)
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o755)
}

// writeFile replaces a file in one go, and leaves it alone when nothing changes.
func writeFile(path string, content []byte, mode os.FileMode) error {
	if old, err := os.ReadFile(path); err == nil && string(old) == string(content) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, content, mode)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// goBin returns the folder of the go command that runs this.
func goBin() (string, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return "", &missingTool{"go"}
	}
	return filepath.Dir(path), nil
}

// platform names the machine as wheels and plug-ins do.
func platform() string { return runtime.GOOS + "/" + runtime.GOARCH }
