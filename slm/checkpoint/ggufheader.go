package checkpoint

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// gguf is the header of a GGUF file: values by their keys, and where the tensors lie.
type gguf struct {
	values  map[string]any // int64, float32, float64, bool, string, []string or ggufNumbers
	tensors []ggufTensor
	data    int64 // where the tensors' data begins
}

// ggufTensor is a tensor's entry in the header.
type ggufTensor struct {
	name   string
	shape  []int // outermost dimension first
	kind   uint32
	offset int64 // from the beginning of the data
}

// bytes are those that the tensor takes in the file.
func (t ggufTensor) bytes() int64 {
	n, _ := elements(t.shape)
	kind := ggmlTypes[t.kind]
	return n / int64(kind.values) * int64(kind.bytes)
}

// ggufNumbers is an array of numbers as it lies in the file.
type ggufNumbers struct {
	kind uint32
	raw  []byte
}

// int32s are the values of an array of that type or of its unsigned twin; nil for another.
func (n ggufNumbers) int32s() []int32 {
	if n.kind != ggufUint32 && n.kind != ggufInt32 {
		return nil
	}
	out := make([]int32, len(n.raw)/4)
	for i := range out {
		out[i] = int32(binary.LittleEndian.Uint32(n.raw[4*i:]))
	}
	return out
}

// The types of values that need to be told apart, by their numbers in files.
const (
	ggufUint32 = 4
	ggufInt32  = 5
	ggufString = 8
	ggufArray  = 9
)

// ggufSizes are the bytes of a value of each type; 0 for strings and arrays.
var ggufSizes = [...]int64{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8}

// mostGGUFHeader bounds a header. The largest vocabularies take a tenth of it.
const mostGGUFHeader = 256 << 20

// errShort is the end of the file inside the header.
var errShort = errors.New("the file ends inside its header")

// parseGGUF reads the header of a file of the given size. Every count is held against the bytes that are left before
// anything is allocated for it, so that a hostile or cut file costs an error and not memory.
func parseGGUF(in io.Reader, size int64) (*gguf, error) {
	r := &ggufReader{in: bufio.NewReaderSize(in, 1<<16), left: min(size, mostGGUFHeader)}
	whole := r.left
	if magic := r.small(4); r.err != nil || string(magic) != "GGUF" {
		return nil, fmt.Errorf("it is not a GGUF file (it begins with %q)", magic)
	}
	if version := r.uint32(); r.err == nil && version != 2 && version != 3 {
		return nil, fmt.Errorf("it is GGUF version %d; versions 2 and 3 are supported", version)
	}
	tensors, values := r.count("tensors", 8+4+4+8), r.count("header values", 8+4+1)
	g := &gguf{values: map[string]any{}}
	for ; values > 0 && r.err == nil; values-- {
		key := r.string()
		if _, twice := g.values[key]; twice {
			r.fail("its header has the value %q twice", key)
		}
		g.values[key] = r.value()
	}
	for ; tensors > 0 && r.err == nil; tensors-- {
		g.tensors = append(g.tensors, r.tensor())
	}
	if r.err != nil {
		return nil, r.err
	}
	align := int64(32)
	if v, ok := g.values["general.alignment"]; ok {
		if align, ok = v.(int64); !ok || align < 1 || align > 1<<20 || align&(align-1) != 0 {
			return nil, fmt.Errorf("its header asks for an alignment of %v bytes", v)
		}
	}
	g.data = (whole - r.left + align - 1) / align * align
	return g, nil
}

// ggufReader is a position in a header. After the first error it reads nothing more.
type ggufReader struct {
	in   *bufio.Reader
	left int64 // bytes of the file after the position
	err  error
}

func (r *ggufReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// peekable is how much small may be asked for.
const peekable = 1 << 12

// small reads n bytes, at most peekable; fewer at the end of the file. They are valid until the next read.
func (r *ggufReader) small(n int64) []byte {
	if !r.ask(n) {
		return nil
	}
	b, err := r.in.Peek(int(n))
	if err != nil {
		r.err = errShort
	}
	_, _ = r.in.Discard(len(b)) // they are in the buffer
	return b
}

// take reads n bytes into memory of their own.
func (r *ggufReader) take(n int64) []byte {
	if !r.ask(n) {
		return nil
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r.in, b); err != nil {
		r.err = errShort
	}
	return b
}

// ask moves the position on, and reports whether there is something to read before it.
func (r *ggufReader) ask(n int64) bool {
	if r.err == nil && (n < 0 || n > r.left) {
		r.err = errShort
	}
	if r.err == nil {
		r.left -= n
	}
	return r.err == nil
}

func (r *ggufReader) uint32() uint32 {
	if b := r.small(4); r.err == nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// count reads a number of things that take at least so many bytes each.
func (r *ggufReader) count(things string, bytesEach int64) int64 {
	b := r.small(8)
	if r.err != nil {
		return 0
	}
	n := binary.LittleEndian.Uint64(b)
	if n > uint64(r.left/bytesEach) {
		r.fail("its header claims %d %s, more than the %d bytes that follow can hold", n, things, r.left)
		return 0
	}
	return int64(n)
}

func (r *ggufReader) string() string {
	n := r.count("bytes of text", 1)
	if n <= peekable {
		return string(r.small(n))
	}
	return string(r.take(n))
}

func (r *ggufReader) value() any {
	kind := r.uint32()
	if kind == ggufArray {
		return r.array()
	}
	if kind == ggufString {
		return r.string()
	}
	b := r.small(r.size(kind))
	if r.err != nil {
		return nil
	}
	little := binary.LittleEndian
	switch kind {
	case 0:
		return int64(b[0])
	case 1:
		return int64(int8(b[0]))
	case 2:
		return int64(little.Uint16(b))
	case 3:
		return int64(int16(little.Uint16(b)))
	case ggufUint32:
		return int64(little.Uint32(b))
	case ggufInt32:
		return int64(int32(little.Uint32(b)))
	case 6:
		return math.Float32frombits(little.Uint32(b))
	case 7:
		return b[0] != 0
	case 12:
		return math.Float64frombits(little.Uint64(b))
	}
	return int64(little.Uint64(b)) // beyond the largest int64 it is negative, which no count may be
}

func (r *ggufReader) array() any {
	kind := r.uint32()
	if kind != ggufString {
		each := r.size(kind)
		return ggufNumbers{kind, r.take(each * r.count("array elements", max(1, each)))}
	}
	n := r.count("array elements", 8)
	texts := make([]string, 0, n)
	for ; n > 0 && r.err == nil; n-- {
		texts = append(texts, r.string())
	}
	return texts
}

func (r *ggufReader) size(kind uint32) int64 {
	if int(kind) >= len(ggufSizes) || ggufSizes[kind] == 0 {
		r.fail("its header has a value of type %d, which is not supported", kind)
		return 0
	}
	return ggufSizes[kind]
}

func (r *ggufReader) tensor() (t ggufTensor) {
	t.name = r.string()
	dims := r.uint32()
	if dims > 8 {
		r.fail("its header has a tensor of %d dimensions; at most 8 are supported", dims)
	}
	for range min(dims, 8) {
		b := r.small(8)
		if r.err != nil {
			return t
		}
		d := binary.LittleEndian.Uint64(b)
		if d == 0 || d > 1<<32 {
			r.fail("tensor %q has a dimension of %d", t.name, d)
		}
		t.shape = append([]int{int(d)}, t.shape...) // innermost first in the file
	}
	t.kind = r.uint32()
	if b := r.small(8); r.err == nil {
		t.offset = int64(binary.LittleEndian.Uint64(b))
	}
	return t
}
