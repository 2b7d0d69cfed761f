package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// download gets a file's content and puts it into its place. What an earlier attempt, of this or another process, left
// beside it is gone on from. The caller holds the file's lock.
func (s *Snapshot) download(ctx context.Context, f File, m *meter) error {
	part, err := os.OpenFile(s.blobPath(f)+".incomplete", os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer part.Close()
	d := &transfer{Snapshot: s, file: f, part: part, meter: m}
	if err := d.begin(); err != nil {
		return err
	}
	if err := s.client.retry(ctx, func() (bool, error) { return d.attempt(ctx) }); err != nil {
		return err
	}
	if err := part.Sync(); err != nil {
		return err
	}
	return os.Rename(part.Name(), s.blobPath(f))
}

// transfer is a file that is being downloaded.
type transfer struct {
	*Snapshot
	file    File
	part    *os.File
	have    int64 // bytes in part, which the position is behind
	spoiled bool  // the content was wrong once
	meter   *meter
}

// begin goes on behind what is there.
func (d *transfer) begin() error {
	end, err := d.part.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if d.have = end; d.have > d.file.Size {
		d.have = 0
		err = d.restart()
	}
	d.meter.have(d.file, d.have)
	return err
}

// restart throws away what is there.
func (d *transfer) restart() error {
	d.meter.have(d.file, -d.have)
	d.have = 0
	if err := d.part.Truncate(0); err != nil {
		return err
	}
	_, err := d.part.Seek(0, io.SeekStart)
	return err
}

// attempt gets the rest of the file, checks the whole, and reports whether it got further.
func (d *transfer) attempt(ctx context.Context) (further bool, err error) {
	before := d.have
	if d.have < d.file.Size {
		if err := d.request(ctx); err != nil {
			return d.have > before, err
		}
	}
	err = verify(ctx, d.part, d.file)
	if !errors.Is(err, ErrDamaged) {
		return true, err
	}
	// Perhaps only the part that was there before: once, all of it again.
	if e := d.restart(); e != nil {
		return false, e
	}
	if !d.spoiled {
		d.spoiled, err = true, passing(err)
	}
	return false, err
}

// request asks for what is missing, and copies it.
func (d *transfer) request(ctx context.Context) error {
	ctx, cut := context.WithCancelCause(ctx)
	defer cut(nil)
	watchdog := time.AfterFunc(d.client.stall, func() { cut(errStalled) })
	defer watchdog.Stop()
	response, err := d.get(ctx, d.address(d.file.Name), d.have)
	if errors.Is(context.Cause(ctx), errStalled) {
		err = passing(errStalled)
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if err := d.agree(response); err != nil {
		return err
	}
	return d.copy(ctx, response.Body, watchdog)
}

var errStalled = errors.New("the connection stalled")

// agree makes the position fit what the server is about to send.
func (d *transfer) agree(response *http.Response) error {
	switch response.StatusCode {
	case http.StatusRequestedRangeNotSatisfiable: // it has another idea of the file
		if err := d.restart(); err != nil {
			return err
		}
		return passing(fmt.Errorf("the hub answers %s", response.Status))
	case http.StatusOK: // all of it, also when only the rest was asked for
		if d.have > 0 {
			if err := d.restart(); err != nil {
				return err
			}
		}
	case http.StatusPartialContent:
		var from int64
		if _, err := fmt.Sscanf(response.Header.Get("Content-Range"), "bytes %d-", &from); err != nil || from != d.have {
			return fmt.Errorf("the hub sends the range %q, asked for from byte %d", response.Header.Get("Content-Range"), d.have)
		}
	}
	if n := response.ContentLength; n >= 0 && d.have+n != d.file.Size {
		return fmt.Errorf("%w: the hub sends %d bytes, but lists %d", ErrDamaged, d.have+n, d.file.Size)
	}
	return nil
}

// copy appends the body to the part. A body that ends early is a fault that passes.
func (d *transfer) copy(ctx context.Context, body io.Reader, watchdog *time.Timer) error {
	buffer := make([]byte, 256<<10)
	for {
		n, err := body.Read(buffer)
		watchdog.Reset(d.client.stall)
		if d.have+int64(n) > d.file.Size {
			return fmt.Errorf("%w: the hub sends more than the %d bytes that it lists", ErrDamaged, d.file.Size)
		}
		if n > 0 {
			if _, err := d.part.Write(buffer[:n]); err != nil {
				return err
			}
			d.have += int64(n)
			d.meter.got(d.file, int64(n))
		}
		switch {
		case err == io.EOF && d.have == d.file.Size:
			return nil
		case errors.Is(context.Cause(ctx), errStalled):
			return passing(errStalled)
		case err != nil:
			return passing(fmt.Errorf("the connection was cut after %d of %d bytes: %w", d.have, d.file.Size, err))
		}
	}
}
