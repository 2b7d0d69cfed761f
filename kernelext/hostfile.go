package kernelext

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/offshoot-ml/offshoot/slm/atomicfile"
)

// HostFile is how a client finds the host: a file that only its owner may read, since the token opens the host.
type HostFile struct {
	URL     string    `json:"url"`
	Token   string    `json:"token"`
	PID     int       `json:"pid"`
	Version string    `json:"version"`
	Started time.Time `json:"started"`
}

// ReadHostFile reads the host file of a home. A missing one is an [os.ErrNotExist].
func ReadHostFile(home string) (HostFile, error) {
	path := hostFilePath(home)
	text, err := os.ReadFile(path)
	if err != nil {
		return HostFile{}, err
	}
	var f HostFile
	if err := json.Unmarshal(text, &f); err != nil {
		return HostFile{}, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// WriteHostFile replaces the host file of a home in one go, with mode 0600.
func WriteHostFile(home string, f HostFile) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(hostFolder(home), 0o700); err != nil {
		return err
	}
	return atomicfile.WriteBytes(hostFilePath(home), append(text, '\n'), 0o600)
}

// RemoveHostFile removes the host file of a home if it is that of the process pid.
func RemoveHostFile(home string, pid int) error {
	f, err := ReadHostFile(home)
	if err != nil || f.PID != pid {
		return nil
	}
	return os.Remove(filepath.Clean(hostFilePath(home)))
}
