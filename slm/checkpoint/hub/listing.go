package hub

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// A model's files name each other, but only the listing says how many files a data set has: it is kept in the cache, so
// that offline a file that was never fetched is missed, not overlooked.

// keptFile is a file of a listing in the cache.
type keptFile struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
	Blob string `json:"blob"`
}

func (s *Snapshot) listingPath() string {
	return filepath.Join(s.folder(), "listings", s.Commit+".json")
}

// keepListing writes the list of a data set's files into the cache.
func (s *Snapshot) keepListing() error {
	if s.repo.Kind != Datasets || s.offline != nil {
		return nil
	}
	if _, err := os.Stat(s.listingPath()); err == nil {
		return nil // a commit's files do not change
	}
	kept := make([]keptFile, len(s.Files))
	for i, f := range s.Files {
		kept[i] = keptFile{f.Name, f.Size, f.blob}
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	return writeWhole(s.listingPath(), text)
}

// keptListing reads it. A cache that huggingface_hub filled has none.
func (s *Snapshot) keptListing() bool {
	text, err := os.ReadFile(s.listingPath())
	var kept []keptFile
	if s.repo.Kind != Datasets || err != nil || json.Unmarshal(text, &kept) != nil {
		return false
	}
	s.Files = nil
	for _, k := range kept {
		f := File{Name: k.Name, Size: k.Size, blob: k.Blob}
		if !isInside(f.Name) {
			return false
		}
		if len(f.blob) == 64 {
			f.SHA256 = f.blob
		}
		s.Files = append(s.Files, f)
	}
	return true
}
