package hub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/offshoot-ml/offshoot/slm/atomicfile"
	"golang.org/x/sync/errgroup"
)

// atOnce is how many files are downloaded at the same time.
const atOnce = 4

// Fetch makes files of the snapshot available at their [Snapshot.Path]: it downloads what the cache lacks. An error or a
// cancelled context keeps what was downloaded; the next Fetch goes on from there.
func (s *Snapshot) Fetch(ctx context.Context, names ...string) error {
	files := make([]File, len(names))
	for i, name := range names {
		var ok bool
		if files[i], ok = s.Find(name); ok {
			continue
		}
		if s.offline != nil {
			return s.notCached(name)
		}
		return fmt.Errorf("%w: %s has no %s at commit %.8s", ErrNoFile, s.repo.ID, name, s.Commit)
	}
	meter := newMeter(s.client.settings.Progress, files)
	group, inside := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, f := range files {
		group.Go(func() error {
			if err := s.fetch(inside, f, meter); err != nil {
				return fmt.Errorf("%s of %s: %w", f.Name, s.repo.ID, s.explain(f, err))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	// A cache that cannot be written to still serves what it has.
	if err := errors.Join(s.keepListing(), s.remember()); err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EROFS) {
		return err
	}
	return nil
}

// fetch makes one file available.
func (s *Snapshot) fetch(ctx context.Context, f File, m *meter) error {
	if s.has(f) {
		m.have(f, max(0, f.Size))
		return nil
	}
	if s.offline != nil {
		return s.notCached(f.Name)
	}
	if !validHash.MatchString(f.blob) || f.Size < 0 {
		return fmt.Errorf("the hub does not say which content it has (hash %q, %d bytes)", f.blob, f.Size)
	}
	unlock, err := s.lock(ctx, f)
	if err != nil {
		return err
	}
	defer unlock()
	if err := os.MkdirAll(filepath.Dir(s.blobPath(f)), 0o755); err != nil {
		return err
	}
	if s.has(f) { // another process had the lock
		m.have(f, f.Size)
		return nil
	}
	if stat, err := os.Stat(s.blobPath(f)); err == nil && stat.Size() == f.Size {
		m.have(f, f.Size)
	} else if err := s.download(ctx, f, m); err != nil {
		return err
	}
	return s.link(f)
}

// explain says what to do about a full disk.
func (s *Snapshot) explain(f File, err error) error {
	if atomicfile.IsDiskFull(err) {
		return fmt.Errorf("the disk of %s is full; the file has %.1f MB: free that much, or set HF_HOME to a folder on another disk: %w",
			s.client.settings.Cache, float64(f.Size)/1e6, err)
	}
	return err
}
