package kernelext

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestSaveFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "table.csv")
	old := syscall.Umask(0o027)
	defer syscall.Umask(old)
	for _, content := range []string{"the first", "the second"} {
		if err := saveFile(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != content {
			t.Errorf("%q (%v), want %q", got, err, content)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o640 {
		t.Errorf("mode %v (%v), want what the umask leaves", info.Mode(), err)
	}
	if err := os.Mkdir(filepath.Join(folder, "taken.csv"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"none/table.csv":      "its folder does not exist; make the folder",
		"table.csv/table.csv": "not a directory; save it under another path",
		"taken.csv":           "save it under another path",
	} {
		err := saveFile(filepath.Join(folder, name), []byte("x"))
		if coded := (*Error)(nil); !errors.As(err, &coded) || coded.Code != Unwritable || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 2 {
		t.Errorf("%d entries in the folder (%v), want the table and the folder that took a name", len(entries), err)
	}
}

func TestUnsaved(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, "x.csv cannot be written: the disk is full; free some space"},
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.EDQUOT}, "the disk is full"},
		{&fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES}, "no permission; make its folder writable"},
		{&fs.PathError{Op: "open", Path: "x", Err: syscall.EROFS}, "no permission"},
	} {
		if err := unsaved("x.csv", c.err); !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.err, err, c.want)
		}
	}
}
