package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

func logs(ctx context.Context, l *lab, args []string) error {
	set := flags("logs", l.stdout)
	follow := set.Bool("f", false, "go on showing what is added")
	n := set.Int("n", 50, "number of lines")
	if err := parseNone(set, args); err != nil {
		return err
	}
	path := l.path("host", "host.log")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no host has run yet (no %s); a cell with kernelext.Open starts one", path)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(l.stdout, tail(string(text), *n))
	if !*follow {
		return nil
	}
	return followFile(ctx, path, int64(len(text)), l.stdout)
}

// followFile copies what is added to a file until ctx ends. A file that shrank was begun anew.
func followFile(ctx context.Context, path string, offset int64, out io.Writer) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(200 * time.Millisecond):
		}
		file, err := os.Open(path)
		if err != nil {
			continue
		}
		if info, err := file.Stat(); err == nil && info.Size() < offset {
			offset = 0
		}
		file.Seek(offset, io.SeekStart)
		n, _ := io.Copy(out, file)
		offset += n
		file.Close()
	}
}
