package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/offshoot-ml/offshoot/slm/atomicfile"
)

// The cache has a folder for each repository:
//
//	models--owner--name/
//	  blobs/<hash>                      contents, by the SHA-256 of large files and git's hash of small ones
//	  snapshots/<commit>/<file>         links to blobs
//	  refs/<revision>                   the commit that a branch or tag last named
//	.locks/models--owner--name/<hash>.lock

// folder is the repository's folder in the cache.
func (s *Snapshot) folder() string {
	return filepath.Join(s.client.settings.Cache, s.folderName())
}

func (s *Snapshot) folderName() string {
	return string(s.repo.Kind) + "--" + strings.ReplaceAll(s.repo.ID, "/", "--")
}

// Folder has the snapshot's files, those that were fetched, under their names.
func (s *Snapshot) Folder() string { return filepath.Join(s.folder(), "snapshots", s.Commit) }

// Path is where a file is once it was fetched.
func (s *Snapshot) Path(name string) string {
	return filepath.Join(s.Folder(), filepath.FromSlash(name))
}

func (s *Snapshot) blobPath(f File) string { return filepath.Join(s.folder(), "blobs", f.blob) }

func (s *Snapshot) refPath() string {
	return filepath.Join(s.folder(), "refs", filepath.FromSlash(s.repo.Revision))
}

// fromCache finds the commit that the cache last saw for the revision, and the files that it has of it.
func (s *Snapshot) fromCache() error {
	s.Commit = s.repo.Revision
	if !validCommit.MatchString(s.Commit) {
		text, err := os.ReadFile(s.refPath())
		if s.Commit = strings.TrimSpace(string(text)); err != nil || !validCommit.MatchString(s.Commit) {
			return s.notCached("revision " + s.repo.Revision)
		}
	}
	if s.keptListing() {
		return nil
	}
	s.Files, s.Partial = nil, true
	err := fs.WalkDir(os.DirFS(s.Folder()), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		f, err := s.cached(name)
		if err == nil {
			s.Files = append(s.Files, f)
		}
		return nil // a link to nothing is a file that is not there
	})
	if err != nil {
		return s.notCached("revision " + s.repo.Revision)
	}
	return nil
}

// cached is a file of which the cache has the content.
func (s *Snapshot) cached(name string) (File, error) {
	stat, err := os.Stat(s.Path(name))
	if err != nil {
		return File{}, err
	}
	f := File{Name: name, Size: stat.Size()}
	if target, err := os.Readlink(s.Path(name)); err == nil && validHash.MatchString(filepath.Base(target)) {
		if f.blob = filepath.Base(target); len(f.blob) == 64 {
			f.SHA256 = f.blob
		}
	}
	return f, nil
}

func (s *Snapshot) notCached(what string) error {
	return fmt.Errorf("%w: %s of %s is not in %s, and %w", ErrNotCached, what, s.repo.ID, s.client.settings.Cache, s.offline)
}

// has reports whether the snapshot's file is there, in its size.
func (s *Snapshot) has(f File) bool {
	stat, err := os.Stat(s.Path(f.Name))
	return err == nil && stat.Mode().IsRegular() && (f.Size < 0 || stat.Size() == f.Size)
}

// link makes the content of a blob appear as the snapshot's file.
func (s *Snapshot) link(f File) error {
	place := s.Path(f.Name)
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		return err
	}
	target, err := filepath.Rel(filepath.Dir(place), s.blobPath(f))
	if err != nil {
		return err
	}
	if err := os.Remove(place); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err = os.Symlink(target, place)
	if errors.Is(err, fs.ErrExist) && s.has(f) {
		return nil // another process was quicker
	}
	if err != nil { // a file system without links: the content itself, as huggingface_hub does
		return os.Rename(s.blobPath(f), place)
	}
	return nil
}

// remember notes which commit the revision names, for working offline.
func (s *Snapshot) remember() error {
	if s.repo.Revision == s.Commit {
		return nil
	}
	ref := s.refPath()
	if text, err := os.ReadFile(ref); err == nil && string(text) == s.Commit {
		return nil
	}
	return writeWhole(ref, []byte(s.Commit))
}

// writeWhole writes a file so that others see all of it or nothing.
func writeWhole(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, text, 0o644)
}
