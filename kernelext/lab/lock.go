package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// lock lets one set-up at a time into the state folder. It waits for another one, since what
// that one makes is what this one wants. The lock goes with its process, however that ends, and
// with the tools that the process started: one that outlives a kill is still at work.
func (l *lab) lock(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(l.home, 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(l.path("setup.lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	for told := false; ; {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			file.Close()
			return nil, fmt.Errorf("locking %s: %w", file.Name(), err)
		}
		if !told {
			fmt.Fprintf(l.stdout, "another set-up is running%s; waiting for it\n", lockOwner(file.Name()))
			told = true
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
	file.Truncate(0)
	file.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
	l.locked = file
	return func() {
		l.locked = nil
		syscall.Flock(int(file.Fd()), syscall.LOCK_UN)
		file.Close()
	}, nil
}

func lockOwner(path string) string {
	text, _ := os.ReadFile(path)
	if pid := strings.TrimSpace(string(text)); pid != "" {
		return " (pid " + pid + ")"
	}
	return ""
}
