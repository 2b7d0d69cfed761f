package checkpoint

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gomlx/go-huggingface/models/gguf"
)

// The GGUF reader of go-huggingface allocates what a header's counts ask for before it reads. surveyGGUF walks the
// header first and holds every count against the bytes that are left in the file, so that a hostile or cut file costs an
// error and not memory. It keeps nothing.

// errShort is the end of the file inside the header.
var errShort = errors.New("the file ends inside its header")

// survey is a position in a GGUF header and the bytes left after it.
type survey struct {
	r    *bufio.Reader
	left int64
}

// surveyGGUF checks that a file is a GGUF of version 2 or 3 and that its header's counts fit into size bytes.
func surveyGGUF(file io.Reader, size int64) error {
	s := &survey{r: bufio.NewReaderSize(file, 1<<16), left: size}
	magic, err := s.take(4)
	if err != nil || string(magic) != "GGUF" {
		return fmt.Errorf("it is not a GGUF file (it begins with %q)", magic)
	}
	version, err := s.uint32()
	if err != nil {
		return err
	}
	if version != 2 && version != 3 {
		return fmt.Errorf("it is GGUF version %d; versions 2 and 3 are supported", version)
	}
	tensors, err := s.count("tensors", 8+4+4+8)
	if err != nil {
		return err
	}
	values, err := s.count("header values", 8+4+1)
	if err != nil {
		return err
	}
	for range values {
		if err := s.keyValue(); err != nil {
			return err
		}
	}
	for range tensors {
		if err := s.tensor(); err != nil {
			return err
		}
	}
	return nil
}

// take reads n bytes, n at most 8; they are valid until the next read.
func (s *survey) take(n int) ([]byte, error) {
	b, err := s.r.Peek(n)
	if err != nil {
		return b, errShort
	}
	s.left -= int64(n)
	_, err = s.r.Discard(n)
	return b, err
}

func (s *survey) skip(n int64) error {
	if n < 0 || n > s.left {
		return errShort
	}
	s.left -= n
	for n > 0 {
		step := min(n, 1<<20)
		if _, err := s.r.Discard(int(step)); err != nil {
			return errShort
		}
		n -= step
	}
	return nil
}

func (s *survey) uint32() (uint32, error) {
	b, err := s.take(4)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b), nil
}

// count reads a 64-bit count of things that take at least so many bytes each.
func (s *survey) count(things string, bytesEach int64) (int64, error) {
	b, err := s.take(8)
	if err != nil {
		return 0, err
	}
	n := binary.LittleEndian.Uint64(b)
	if n > uint64(s.left/bytesEach) {
		return 0, fmt.Errorf("its header claims %d %s, more than the %d bytes that follow can hold", n, things, s.left)
	}
	return int64(n), nil
}

func (s *survey) string() error {
	n, err := s.count("bytes of text", 1)
	if err != nil {
		return err
	}
	return s.skip(n)
}

// valueBytes are the sizes of GGUF's value types by their number; 0 for strings (8) and arrays (9).
var valueBytes = [...]int64{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8}

const (
	ggufString = 8
	ggufArray  = 9
)

func (s *survey) keyValue() error {
	if err := s.string(); err != nil {
		return err
	}
	kind, err := s.uint32()
	if err != nil {
		return err
	}
	if kind == ggufArray {
		return s.array()
	}
	return s.values(kind, 1)
}

func (s *survey) array() error {
	kind, err := s.uint32()
	if err != nil {
		return err
	}
	each := int64(8)
	if int(kind) < len(valueBytes) && kind != ggufString {
		each = max(1, valueBytes[kind])
	}
	n, err := s.count("array elements", each)
	if err != nil {
		return err
	}
	return s.values(kind, n)
}

// values skips n values of one type.
func (s *survey) values(kind uint32, n int64) error {
	if int(kind) >= len(valueBytes) || kind == ggufArray {
		return fmt.Errorf("its header has a value of type %d, which is not supported", kind)
	}
	if kind != ggufString {
		return s.skip(n * valueBytes[kind])
	}
	for range n {
		if err := s.string(); err != nil {
			return err
		}
	}
	return nil
}

func (s *survey) tensor() error {
	if err := s.string(); err != nil {
		return err
	}
	dims, err := s.uint32()
	if err != nil {
		return err
	}
	if dims > 8 {
		return fmt.Errorf("its header has a tensor of %d dimensions; at most 8 are supported", dims)
	}
	return s.skip(8*int64(dims) + 4 + 8)
}

// shapeOf is a tensor's shape, outermost dimension first, and its bytes in the file; an error for a type that cannot be
// dequantized or dimensions out of all proportion.
func shapeOf(info gguf.TensorInfo) (shape []int, bytes int64, err error) {
	for i := len(info.Shape) - 1; i >= 0; i-- {
		if info.Shape[i] == 0 || info.Shape[i] > 1<<32 {
			return nil, 0, fmt.Errorf("tensor %q has a dimension of %d", info.Name, info.Shape[i])
		}
		shape = append(shape, int(info.Shape[i]))
	}
	n, ok := elements(shape)
	if !ok {
		return nil, 0, fmt.Errorf("tensor %q has shape %v, out of all proportion", info.Name, shape)
	}
	if !dequantizable(info.Type) {
		return nil, 0, fmt.Errorf("tensor %q is stored as %s, which cannot be read", info.Name, info.Type)
	}
	if n%int64(info.Type.BlockSize()) != 0 {
		return nil, 0, fmt.Errorf("tensor %q has %d values, not a whole number of %s blocks", info.Name, n, info.Type)
	}
	return shape, info.NumBytes(), nil
}

// dequantizable reports whether a type can be turned into float32.
func dequantizable(t gguf.TensorType) bool {
	switch t {
	case gguf.TensorTypeF32, gguf.TensorTypeF16, gguf.TensorTypeBF16,
		gguf.TensorTypeQ4_0, gguf.TensorTypeQ4_1, gguf.TensorTypeQ5_0, gguf.TensorTypeQ5_1, gguf.TensorTypeQ8_0,
		gguf.TensorTypeQ2_K, gguf.TensorTypeQ3_K, gguf.TensorTypeQ4_K, gguf.TensorTypeQ5_K, gguf.TensorTypeQ6_K:
		return true
	}
	return false
}

// checkExtent reports a file that is shorter than its header promises, and tensors that overlap: hostile files name the
// same bytes many times.
func checkExtent(file *gguf.File, size int64) error {
	if a := file.Alignment; a > 1<<20 || a&(a-1) != 0 {
		return fmt.Errorf("its header asks for an alignment of %d bytes", a)
	}
	end, total := file.DataOffset(), int64(0)
	for _, info := range file.TensorInfos { // in order of offsets
		_, bytes, err := shapeOf(info)
		if err != nil {
			return err
		}
		if info.Offset > 1<<50 {
			return fmt.Errorf("tensor %q begins at byte %d of the data", info.Name, info.Offset)
		}
		start := file.DataOffset() + int64(info.Offset)
		if start < end {
			return fmt.Errorf("tensor %q overlaps the one before it", info.Name)
		}
		end = start + bytes
		total += bytes
	}
	if end > size {
		return &truncatedError{have: size, want: end}
	}
	return nil
}

// truncatedError is a file that ends before its header says; want is 0 when the header itself is cut.
type truncatedError struct{ have, want int64 }

func (e *truncatedError) Error() string {
	return fmt.Sprintf("it has %d bytes and should have %d", e.have, e.want)
}

// openChecked opens a GGUF whose counts and extents are known to fit the file.
func openChecked(path string) (*gguf.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	if !stat.Mode().IsRegular() {
		return nil, 0, errors.New("it is not a regular file")
	}
	if err := surveyGGUF(f, stat.Size()); err != nil {
		return nil, 0, err
	}
	file, err := gguf.Open(path)
	if err != nil {
		return nil, 0, err
	}
	return file, stat.Size(), checkExtent(file, stat.Size())
}
