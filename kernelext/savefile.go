package kernelext

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/offshoot-ml/offshoot/slm/atomicfile"
)

// saveFile makes a file's new content appear as a whole or not at all, with the permissions of any file that this process
// makes.
func saveFile(path string, content []byte) error {
	if err := atomicfile.WriteBytes(path, content, 0o666); err != nil {
		return unsaved(path, err)
	}
	return nil
}

// unsaved explains why a file could not be written, and what to do.
func unsaved(path string, err error) error {
	reason, advice := err.Error(), "save it under another path"
	switch {
	case atomicfile.IsDiskFull(err):
		reason, advice = "the disk is full", "free some space, and save it again"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		reason, advice = "no permission", "make its folder writable, or save it in another"
	case errors.Is(err, fs.ErrNotExist):
		reason, advice = "its folder does not exist", "make the folder, or save it in another"
	}
	return Errorf(Unwritable, "%s cannot be written: %s; %s", path, reason, advice)
}
