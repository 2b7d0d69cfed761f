package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// WriteAtomic makes a file appear at path as a whole or not at all: it is written beside its place under a temporary
// name, synced to the disk, and renamed. On an error the temporary file is removed and what was at path stays.
// size is what the file needs, for the message of a full disk.
func WriteAtomic(path string, size int64, write func(io.Writer) error) (err error) {
	folder := filepath.Dir(path)
	removeAbandoned(path)
	f, err := os.CreateTemp(folder, "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = explainWrite(path, size, err)
		}
	}()
	if err = write(f); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(folder)
}

// removeAbandoned removes what writers of path left behind that were killed. A younger file may be another writer's.
func removeAbandoned(path string) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return // creating the file will say why
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "."+filepath.Base(path)+".") || !strings.HasSuffix(e.Name(), ".tmp") {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > 10*time.Minute {
			os.Remove(filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
}

func explainWrite(path string, size int64, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("write %s: the disk is full; the file needs %.1f MB there, free that much and try again: %w", path, float64(size)/1e6, err)
	}
	return fmt.Errorf("write %s: %w", path, err)
}

// syncFolder makes a rename last. A file system that cannot sync folders is let off: the file itself is on the disk.
func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}
