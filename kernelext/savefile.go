package kernelext

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
)

// saveFile makes a file's new content appear as a whole or not at all, with the permissions of any file that this process
// makes.
func saveFile(path string, content []byte) error {
	partial := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%x.tmp", filepath.Base(path), rand.Uint64()))
	file, err := os.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return unsaved(path, err)
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(partial, path)
	}
	if err != nil {
		return unsaved(path, errors.Join(err, os.Remove(partial)))
	}
	return nil
}

// unsaved explains why a file could not be written, and what to do.
func unsaved(path string, err error) error {
	reason, advice := err.Error(), "save it under another path"
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		reason, advice = "the disk is full", "free some space, and save it again"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		reason, advice = "no permission", "make its folder writable, or save it in another"
	case errors.Is(err, fs.ErrNotExist):
		reason, advice = "its folder does not exist", "make the folder, or save it in another"
	}
	return Errorf(Unwritable, "%s cannot be written: %s; %s", path, reason, advice)
}
