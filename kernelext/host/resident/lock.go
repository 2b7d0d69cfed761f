package resident

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// lockHome makes this process the only host of a home. The operating system lets go of the lock when the process ends,
// however it ends. A host that is about to stop is waited for.
func lockHome(folder string, patience time.Duration) (*os.File, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return file, notePID(file)
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, fmt.Errorf("lock %s: %w", file.Name(), err)
		}
		if time.Now().After(deadline) {
			holder, _ := os.ReadFile(file.Name())
			file.Close()
			return nil, fmt.Errorf("another host (process %s) already serves %s; `go run ./kernelext/lab stop` stops it",
				strings.TrimSpace(string(holder)), filepath.Dir(folder))
		}
	}
}

// inPlace reports whether the lock still lies where it was made.
func inPlace(lock *os.File) bool {
	held, err := lock.Stat()
	if err != nil {
		return true // cannot tell
	}
	there, err := os.Stat(lock.Name())
	if err != nil {
		return !errors.Is(err, os.ErrNotExist)
	}
	return os.SameFile(held, there)
}

func notePID(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	return err
}
