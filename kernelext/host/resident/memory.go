package resident

import (
	"bytes"
	"os"
	"os/exec"
	"runtime"
	"strconv"
)

// residentBytes is the memory that this process holds, as the operating system counts it; 0 when it cannot tell.
func residentBytes() int64 {
	if runtime.GOOS != "linux" {
		out, err := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(os.Getpid())).Output()
		if err != nil {
			return 0
		}
		kilobytes, _ := strconv.ParseInt(string(bytes.TrimSpace(out)), 10, 64)
		return kilobytes << 10
	}
	statm, err := os.ReadFile("/proc/self/statm") // in pages: size, resident, …
	if err != nil {
		return 0
	}
	parts := bytes.Fields(statm)
	if len(parts) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(parts[1]), 10, 64)
	return pages * int64(os.Getpagesize())
}
