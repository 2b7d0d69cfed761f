package kernelext

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const modulePath = "github.com/offshoot-ml/offshoot"

// Home is the folder of everything that the lab makes: OFFSHOOT_HOME, or .offshoot at the top of the repository that
// holds the working directory.
func Home() (string, error) {
	if home := os.Getenv("OFFSHOOT_HOME"); home != "" {
		return filepath.Abs(home)
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for top := dir; ; top = filepath.Dir(top) {
		text, err := os.ReadFile(filepath.Join(top, "go.mod"))
		if err == nil && strings.Contains(string(text), "module "+modulePath+"\n") {
			return filepath.Join(top, ".offshoot"), nil
		}
		if top == filepath.Dir(top) {
			return "", fmt.Errorf("OFFSHOOT_HOME is not set and %s is not inside the offshoot repository: "+
				"start the notebook with `go run ./kernelext/lab` in your clone of it", dir)
		}
	}
}

// The places in a home.
func hostFolder(home string) string   { return filepath.Join(home, "host") }
func hostFilePath(home string) string { return filepath.Join(hostFolder(home), "host.json") }
func hostLogPath(home string) string  { return filepath.Join(hostFolder(home), "host.log") }
func hostBinary(home string) string   { return filepath.Join(home, "bin", "offshoot-host") }

// HostLogPath is where the host logs; empty when there is no home.
func HostLogPath() string {
	home, err := Home()
	if err != nil {
		return ""
	}
	return hostLogPath(home)
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$`)

// A teacher may also be a Hugging Face repository, "owner/name" or "owner/name@revision".
var repositoryPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,95}/[A-Za-z0-9_][A-Za-z0-9._-]{0,95}(@[A-Za-z0-9._/-]{1,128})?$`)

// CheckTeacher reports what cannot name a teacher: it is an installed or published name, a Hugging Face repository, or the
// absolute path of a file or folder.
func CheckTeacher(name string) error {
	if namePattern.MatchString(name) || repositoryPattern.MatchString(name) || (filepath.IsAbs(name) && len(name) < 1024) {
		return nil
	}
	return Errorf(Invalid, "%q cannot name a teacher: want a name such as \"smollm2-135m\", a Hugging Face repository such as "+
		"\"EleutherAI/pythia-70m\", or the path of a GGUF file or a folder with safetensors", name)
}

// teacherName makes a path absolute, since the host works in another folder than the cell.
func teacherName(name string) string {
	isPath := strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".gguf") || strings.HasSuffix(name, ".safetensors")
	if path, err := filepath.Abs(name); isPath && err == nil {
		return path
	}
	return name
}

// CheckName reports a name that a lab, a search or a run cannot have: names become folders.
func CheckName(what, name string) error {
	if !namePattern.MatchString(name) {
		return Errorf(Invalid, "%q cannot name a %s: use up to 64 letters, digits, and . _ - after the first, such as \"from-30M\"", name, what)
	}
	return nil
}
