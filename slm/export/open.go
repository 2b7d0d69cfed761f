package export

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// Open reads a student back from a folder that [Write] wrote, without its padding: the sub-network, its weights, its
// tokenizer and where it comes from. Weights that padding had scaled differ from what they were by a rounding; so do those
// that were stored in 16 bits.
func Open(dir string) (Student, Record, error) {
	r, err := ReadRecord(dir)
	if err != nil {
		return Student{}, r, err
	}
	if _, err := os.Stat(filepath.Join(dir, configFile)); err != nil {
		return Student{}, r, fmt.Errorf("student %s is not whole: %w; export it again", dir, err)
	}
	s := Student{Teacher: r.Teacher, Subnet: r.Subnet, Tokenizer: r.Tokenizer, Provenance: r.Provenance}
	stored, err := readWeights(dir, r.Files)
	if err != nil {
		return s, r, err
	}
	if err := s.checkRecorded(stored); err != nil {
		return s, r, fmt.Errorf("read %s: %w", filepath.Join(dir, recordFile), err)
	}
	if s.Weights, err = s.unpad(stored, r.Layers); err != nil {
		return s, r, fmt.Errorf("student %s: %w", dir, err)
	}
	s.Tokenizer.JSON, err = readIfThere(filepath.Join(dir, "tokenizer.json"))
	if err == nil {
		s.Tokenizer.Config, err = readIfThere(filepath.Join(dir, "tokenizer_config.json"))
	}
	return s, r, err
}

// largestHead bounds what a record may make this program compute before its sizes are held against the weights.
const largestHead = 1 << 14

// checkRecorded reports an architecture that is wrong, or out of proportion with the weights.
func (s Student) checkRecorded(stored checkpoint.Weights) error {
	if s.Teacher.HeadSize > largestHead {
		return fmt.Errorf("architecture %q: head_size is %d, want at most %d", s.Teacher.Name, s.Teacher.HeadSize, largestHead)
	}
	if err := s.checkArchitecture(); err != nil {
		return err
	}
	if layers := s.Subnet.Depth(s.Teacher); layers > len(stored) {
		return fmt.Errorf("a student of %d layers in %d tensors", layers, len(stored))
	}
	return nil
}

// readWeights reads all of a folder's safetensors files.
func readWeights(dir string, files []string) (checkpoint.Weights, error) {
	all := checkpoint.Weights{}
	for _, name := range files {
		if filepath.Ext(name) != ".safetensors" {
			continue
		}
		w, _, err := checkpoint.LoadSafetensors(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		maps.Copy(all, w)
	}
	return all, nil
}

// unpad takes the student's weights out of the stored ones.
func (s Student) unpad(stored checkpoint.Weights, layers Layers) (checkpoint.Weights, error) {
	if layers == Code {
		s.Weights = stored
		return stored, s.check()
	}
	o, err := newOrdinary(s.Teacher, s.Subnet)
	if err != nil {
		return nil, err
	}
	if err := stored.Check(o.config); err != nil {
		return nil, err
	}
	source, out := unpadded{o.weights(nil), stored}, checkpoint.Weights{}
	for name := range s.Subnet.Tensors(s.Teacher) {
		shape, _ := source.Shape(name)
		t := checkpoint.Tensor{Shape: shape, Data: make([]float32, product(shape))}
		if err := source.Read(name, t.Data); err != nil {
			return nil, err
		}
		out[name] = t
	}
	return out, nil
}

// readIfThere is a file's content; nil where there is no file.
func readIfThere(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}
