// Package atomicfile makes files appear as a whole or not at all, whatever ends their writer.
package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Write makes a file appear at path in the place of what was there: it is written beside its place under a temporary name, synced
// to the disk, and renamed. On an error the temporary file is removed and what was at path stays. mode is as in [os.WriteFile], and
// is that of the new file also where there was one.
func Write(path string, mode fs.FileMode, write func(io.Writer) error) error {
	removeAbandoned(path)
	partial := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%x.tmp", filepath.Base(path), rand.Uint64()))
	file, err := os.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if err = write(file); err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(partial, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(partial))
	}
	return SyncFolder(filepath.Dir(path))
}

// WriteBytes is [Write] of content that is known.
func WriteBytes(path string, content []byte, mode fs.FileMode) error {
	return Write(path, mode, func(out io.Writer) error {
		_, err := out.Write(content)
		return err
	})
}

// IsPartial tells by its name a file that is being written, or that a writer who was killed left behind.
func IsPartial(name string) bool {
	return strings.HasPrefix(name, ".") && strings.HasSuffix(name, ".tmp")
}

// removeAbandoned removes what writers of path left behind that were killed. A younger file may be another writer's.
func removeAbandoned(path string) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return // creating the file will say why
	}
	for _, e := range entries {
		if !IsPartial(e.Name()) || !strings.HasPrefix(e.Name(), "."+filepath.Base(path)+".") {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > 10*time.Minute {
			os.Remove(filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
}

// SyncFolder makes renames in a folder last. A file system that cannot sync folders is let off: the files themselves are on the disk.
func SyncFolder(folder string) error {
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

// IsDiskFull reports whether a write failed since the disk is full, or the writer's share of it.
func IsDiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
