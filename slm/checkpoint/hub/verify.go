package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
)

// verify holds a file's content against the hash that the hub lists: the SHA-256 of large files, git's own of small ones.
func verify(ctx context.Context, part *os.File, f File) error {
	var sum hash.Hash = sha256.New()
	if f.SHA256 == "" {
		sum = sha1.New()
		fmt.Fprintf(sum, "blob %d\x00", f.Size)
	}
	if _, err := io.Copy(sum, &untilDone{ctx, io.NewSectionReader(part, 0, f.Size)}); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != f.blob {
		return fmt.Errorf("%w: its content has the hash %s, but the hub lists %s", ErrDamaged, got, f.blob)
	}
	return nil
}

// untilDone ends with the context.
type untilDone struct {
	ctx context.Context
	io.Reader
}

func (r *untilDone) Read(b []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.Read(b)
}
