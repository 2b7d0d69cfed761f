package checkpoint

import (
	"fmt"
	"io"

	"github.com/offshoot-ml/offshoot/slm/atomicfile"
)

// WriteAtomic makes a file appear at path as a whole or not at all; on an error what was at path stays. size is what the file needs, for
// the message of a full disk.
func WriteAtomic(path string, size int64, write func(io.Writer) error) error {
	switch err := atomicfile.Write(path, 0o644, write); {
	case atomicfile.IsDiskFull(err):
		return fmt.Errorf("write %s: the disk is full; the file needs %.1f MB there, free that much and try again: %w", path, float64(size)/1e6, err)
	case err != nil:
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
