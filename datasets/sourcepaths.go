package datasets

import (
	"cmp"
	"context"
	"iter"
	"path/filepath"
	"slices"

	"github.com/offshoot-ml/offshoot/slm"
)

// pathsSource gives the documents of files of one's own, in the order of their paths.
//
// Visible files of a folder count: those whose names say that they hold text, JSON Lines or Parquet must do so; of the
// others, those that [Text] would take are taken, and the rest, such as pictures, is left out. A document's ID begins with
// the file's path below the deepest folder that holds all paths.
type pathsSource struct {
	data  slm.Data
	root  string
	files []pathsFile
}

type pathsFile struct {
	sourceFile
	asked bool // by its name; others are left out when they are no text
}

// openPaths lists the files. The source's data has absolute paths, so that it is the same in every working directory.
func openPaths(data slm.Data) (*pathsSource, error) {
	root, err := commonFolder(data.Paths)
	if err != nil {
		return nil, err
	}
	s := &pathsSource{data: data, root: root}
	s.data.Column = cmp.Or(data.Column, textColumnName)
	s.data.Paths = nil
	for _, p := range data.Paths {
		absolute, err := filepath.Abs(p)
		if err != nil {
			return nil, err
		}
		s.data.Paths = append(s.data.Paths, absolute)
		if err := s.list(absolute); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(s.files, func(a, b pathsFile) int {
		if a.name == b.name && a.asked { // rather than as one of a folder
			return -1
		}
		return cmp.Compare(a.name, b.name)
	})
	s.files = slices.CompactFunc(s.files, func(a, b pathsFile) bool { return a.name == b.name })
	if len(s.files) == 0 {
		return nil, errNoText
	}
	return s, nil
}

// textColumnName is the column that holds the text where none is named.
const textColumnName = "text"

// list adds the files under a path.
func (s *pathsSource) list(absolute string) error {
	names, err := listVisible(s.root, absolute)
	if err != nil {
		return err
	}
	for _, name := range names {
		place := filepath.Join(s.root, filepath.FromSlash(name))
		format, packed, known := formatOf(name)
		s.files = append(s.files, pathsFile{sourceFile{path: place, name: name, id: name, format: format, packed: packed}, known || place == absolute})
	}
	return nil
}

func (s *pathsSource) Data() slm.Data { return s.data }

func (s *pathsSource) Documents(ctx context.Context) iter.Seq2[Document, error] {
	return documentsOf(ctx, s.data, func(yield func(sourceFile, error) bool) {
		for _, f := range s.files {
			if !f.asked {
				text, v := judge(s.root, f.name)
				if v.skipped != nil {
					continue
				}
				f.held = text
			}
			if !yield(f.sourceFile, nil) {
				return
			}
		}
	})
}
