package export

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
)

// A GGUF file is a header of typed values, a list of tensors, and their data, each aligned
// (github.com/ggml-org/ggml/blob/master/docs/gguf.md, version 3).

// ggufAlignment is the format's default.
const ggufAlignment = 32

// ggufValue is a value of the header: uint32, float32, bool, string, []string, []int32 or []float32.
type ggufValue struct {
	key   string
	value any
}

// ggufTensor is a tensor to be written.
type ggufTensor struct {
	name  string
	shape []int // outermost dimension first
	dtype DType
	read  func() ([]float32, error) // its values, row-major
}

func (t ggufTensor) bytes() int64 { return t.dtype.bytes() * int64(product(t.shape)) }

// ggufTypes are the format's numbers of number types.
var ggufTypes = map[DType]uint32{Float32: 0, Float16: 1, BFloat16: 30}

// writeGGUF writes a file. wrote is told how many bytes of each tensor are written.
func writeGGUF(out io.Writer, values []ggufValue, tensors []ggufTensor, wrote func(bytes int64) error) error {
	header, err := ggufHeader(values, tensors)
	if err != nil {
		return err
	}
	if _, err := out.Write(header); err != nil {
		return err
	}
	for _, t := range tensors {
		values, err := t.read()
		if err == nil {
			err = t.dtype.write(out, values)
		}
		if err == nil {
			_, err = out.Write(make([]byte, padTo(t.bytes())))
		}
		if err != nil {
			return fmt.Errorf("tensor %q: %w", t.name, err)
		}
		if err := wrote(t.bytes()); err != nil {
			return err
		}
	}
	return nil
}

// padTo is how many bytes bring a length to the alignment.
func padTo(length int64) int64 { return (ggufAlignment - length%ggufAlignment) % ggufAlignment }

// ggufHeader is everything before the data.
func ggufHeader(values []ggufValue, tensors []ggufTensor) ([]byte, error) {
	b := &ggufBuffer{}
	b.WriteString("GGUF")
	b.uint32(3)
	b.uint64(uint64(len(tensors)))
	b.uint64(uint64(len(values)))
	for _, v := range values {
		b.text(v.key)
		if err := b.value(v.value); err != nil {
			return nil, fmt.Errorf("header value %q: %w", v.key, err)
		}
	}
	offset := int64(0)
	for _, t := range tensors {
		b.text(t.name)
		b.uint32(uint32(len(t.shape)))
		for _, d := range slices.Backward(t.shape) { // innermost first
			b.uint64(uint64(d))
		}
		b.uint32(ggufTypes[t.dtype])
		b.uint64(uint64(offset))
		offset += t.bytes() + padTo(t.bytes())
	}
	b.Write(make([]byte, padTo(int64(b.Len()))))
	return b.Bytes(), nil
}

// ggufBuffer writes the format's numbers and texts, little-endian.
type ggufBuffer struct{ bytes.Buffer }

func (b *ggufBuffer) uint32(n uint32) { b.Write(binary.LittleEndian.AppendUint32(nil, n)) }
func (b *ggufBuffer) uint64(n uint64) { b.Write(binary.LittleEndian.AppendUint64(nil, n)) }

func (b *ggufBuffer) text(s string) {
	b.uint64(uint64(len(s)))
	b.WriteString(s)
}

// The format's numbers of value types.
const (
	ggufUint32  = 4
	ggufInt32   = 5
	ggufFloat32 = 6
	ggufBool    = 7
	ggufString  = 8
	ggufArray   = 9
)

// value writes a value's type, and the value.
func (b *ggufBuffer) value(value any) error {
	switch v := value.(type) {
	case uint32:
		b.uint32(ggufUint32)
		b.uint32(v)
	case float32:
		b.uint32(ggufFloat32)
		b.uint32(math.Float32bits(v))
	case bool:
		b.uint32(ggufBool)
		if v {
			b.WriteByte(1)
		} else {
			b.WriteByte(0)
		}
	case string:
		b.uint32(ggufString)
		b.text(v)
	case []string:
		b.array(ggufString, len(v))
		for _, s := range v {
			b.text(s)
		}
	case []int32:
		b.array(ggufInt32, len(v))
		for _, n := range v {
			b.uint32(uint32(n))
		}
	case []float32:
		b.array(ggufFloat32, len(v))
		for _, f := range v {
			b.uint32(math.Float32bits(f))
		}
	default:
		return fmt.Errorf("values of type %T cannot be written", value)
	}
	return nil
}

func (b *ggufBuffer) array(kind uint32, length int) {
	b.uint32(ggufArray)
	b.uint32(kind)
	b.uint64(uint64(length))
}
