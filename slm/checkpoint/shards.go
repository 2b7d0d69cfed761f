package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// shards are a model's safetensors files, one or several; a [Source] of all their tensors.
type shards struct {
	files []*safetensorsFile
	of    map[string]*safetensorsFile // by tensor
}

// openShards opens a model's files. index says which of them, by their names without a folder, holds which tensor; it may
// be nil for a single file.
func openShards(folder string, names []string, index map[string]string) (*shards, error) {
	s := &shards{of: map[string]*safetensorsFile{}}
	for _, name := range names {
		file, err := openSafetensors(filepath.Join(folder, name))
		if errors.Is(err, os.ErrNotExist) && index != nil {
			err = fmt.Errorf("the file %s, which the index names, is missing: %w", name, err)
		}
		if err == nil {
			s.files = append(s.files, file)
			err = s.add(file)
		}
		if err != nil {
			s.Close()
			return nil, err
		}
	}
	if err := s.checkIndex(index); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *shards) add(file *safetensorsFile) error {
	for name := range file.tensors {
		if other, twice := s.of[name]; twice {
			return fmt.Errorf("tensor %q is in %s and in %s", name, filepath.Base(other.path), filepath.Base(file.path))
		}
		s.of[name] = file
	}
	return nil
}

// checkIndex compares an index with what the files hold.
func (s *shards) checkIndex(index map[string]string) error {
	if index == nil {
		return nil
	}
	var wrong []error
	for _, name := range slices.Sorted(maps.Keys(index)) {
		if file := s.of[name]; file == nil || filepath.Base(file.path) != index[name] {
			wrong = append(wrong, fmt.Errorf("the index has tensor %q in %s, which does not hold it", name, index[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.of)) {
		if _, ok := index[name]; !ok {
			wrong = append(wrong, fmt.Errorf("tensor %q of %s is not in the index", name, filepath.Base(s.of[name].path)))
		}
	}
	return joinFew(wrong)
}

// shapes are those of all tensors, by name.
func (s *shards) shapes() map[string][]int {
	shapes := make(map[string][]int, len(s.of))
	for name, file := range s.of {
		shapes[name] = file.tensors[name].Shape
	}
	return shapes
}

// checkTypes reports the first of the architecture's tensors that cannot be decoded.
func (s *shards) checkTypes(names map[string][]int) error {
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if dtype := s.of[name].tensors[name].DType; numberTypes[dtype].decode == nil {
			return undecodable(name, dtype)
		}
	}
	return nil
}

// Shape implements [Source].
func (s *shards) Shape(name string) ([]int, bool) {
	file, ok := s.of[name]
	if !ok {
		return nil, false
	}
	return file.Shape(name)
}

// Read implements [Source].
func (s *shards) Read(name string, dst []float32) error {
	file, ok := s.of[name]
	if !ok {
		return fmt.Errorf("tensor %q is missing", name)
	}
	return file.Read(name, dst)
}

// Close ends reading.
func (s *shards) Close() error {
	var err error
	for _, file := range s.files {
		err = errors.Join(err, file.Close())
	}
	return err
}

// parseIndex reads which file holds which tensor, and the files in order, from the text of a model.safetensors.index.json.
// Every file must be one of the index's own folder.
func parseIndex(text []byte) (index map[string]string, files []string, err error) {
	var content struct {
		Map map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(text, &content); err != nil {
		return nil, nil, err
	}
	if len(content.Map) == 0 {
		return nil, nil, errors.New("its weight_map is empty")
	}
	files = slices.Compact(slices.Sorted(maps.Values(content.Map)))
	for _, name := range files {
		if !filepath.IsLocal(name) || strings.ContainsAny(name, "/\\") || !strings.HasSuffix(name, ".safetensors") {
			return nil, nil, fmt.Errorf("its weight_map names %q, want a safetensors file in the same folder", name)
		}
	}
	return content.Map, files, nil
}
