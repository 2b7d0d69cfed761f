package checkpoint

import (
	"bufio"
	"errors"
	"fmt"
	"os"
)

// LoadSafetensors reads a safetensors file whole: float32, float16 and bfloat16 become float32. It returns the weights and
// the metadata of the header. Every offset is held against the file before anything is read: the tensors must lie one
// after the other, without gaps or overlaps, and fill the file.
func LoadSafetensors(path string) (Weights, map[string]string, error) {
	file, err := openSafetensors(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	w := make(Weights, len(file.tensors))
	for name, e := range file.tensors {
		if numberTypes[e.DType].decode == nil { // before it costs memory
			return nil, nil, fmt.Errorf("read %s: %w", path, undecodable(name, e.DType))
		}
		t := Tensor{Shape: e.Shape, Data: make([]float32, (e.Offsets[1]-e.Offsets[0])/numberTypes[e.DType].bytes)}
		if err := file.Read(name, t.Data); err != nil {
			return nil, nil, err
		}
		w[name] = t
	}
	return w, file.metadata, nil
}

// safetensorsFile is an open file whose header was read and checked; it is a [Source] of its tensors.
type safetensorsFile struct {
	path     string
	file     *os.File
	size     int64
	data     int64 // where the tensors begin
	tensors  map[string]tensorEntry
	metadata map[string]string
}

func openSafetensors(path string) (*safetensorsFile, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	s := &safetensorsFile{path: path, file: file}
	if err := s.readHeader(); err != nil {
		file.Close()
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return s, nil
}

func (s *safetensorsFile) readHeader() error {
	stat, err := s.file.Stat()
	if err != nil {
		return err
	}
	if !stat.Mode().IsRegular() {
		return errors.New("it is not a regular file")
	}
	s.size = stat.Size()
	entries, metadata, err := readHeader(bufio.NewReader(s.file), s.size)
	if err != nil {
		return err
	}
	s.metadata, s.tensors, s.data = metadata, make(map[string]tensorEntry, len(entries)), s.size
	for _, e := range entries {
		s.tensors[e.name] = e.tensorEntry
		s.data -= e.Offsets[1] - e.Offsets[0]
	}
	return nil
}

// Shape implements [Source].
func (s *safetensorsFile) Shape(name string) ([]int, bool) {
	e, ok := s.tensors[name]
	return e.Shape, ok
}

// Read implements [Source].
func (s *safetensorsFile) Read(name string, dst []float32) error {
	e, ok := s.tensors[name]
	kind := numberTypes[e.DType]
	switch {
	case !ok:
		return fmt.Errorf("read %s: tensor %q is missing", s.path, name)
	case kind.decode == nil:
		return fmt.Errorf("read %s: %w", s.path, undecodable(name, e.DType))
	case (e.Offsets[1]-e.Offsets[0])/kind.bytes != int64(len(dst)):
		return fmt.Errorf("read %s: tensor %q has shape %v, want %d values", s.path, name, e.Shape, len(dst))
	}
	if err := readPieces(s.file, s.data+e.Offsets[0], dst, 1, int(kind.bytes), kind.decode); err != nil {
		return fmt.Errorf("read %s: tensor %q: %w", s.path, name, err)
	}
	return nil
}

// Close ends reading.
func (s *safetensorsFile) Close() error { return s.file.Close() }
