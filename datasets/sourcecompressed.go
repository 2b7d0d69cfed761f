package datasets

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// unpacked is a file's content without its compression. Its errors say what is wrong with the file.
type unpacked struct {
	io.Reader
	packed compression
	close  func() error
}

// openUnpacked opens a file and takes off its compression while it is read.
func openUnpacked(path string, packed compression) (*unpacked, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	u := &unpacked{Reader: file, packed: packed, close: file.Close}
	switch packed {
	case "gzip":
		var r *gzip.Reader
		if r, err = gzip.NewReader(file); err == nil {
			u.Reader = r
		} else if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
	case "zstd":
		var r *zstd.Decoder
		if r, err = zstd.NewReader(file); err == nil {
			u.Reader, u.close = r, func() error { r.Close(); return file.Close() }
		}
	}
	if err != nil {
		return nil, errors.Join(u.explain(err), file.Close())
	}
	return u, nil
}

func (u *unpacked) Read(b []byte) (int, error) {
	n, err := u.Reader.Read(b)
	return n, u.explain(err)
}

func (u *unpacked) Close() error { return u.close() }

// explain says what an error of a compressed file means.
func (u *unpacked) explain(err error) error {
	switch {
	case err == nil || err == io.EOF || u.packed == "":
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the %s data is cut short; get the file again: %w", u.packed, err)
	}
	return fmt.Errorf("the %s data is damaged, or is none; get the file again: %w", u.packed, err)
}
