package export

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes/bfloat16"
)

// DType is a number type that weights are stored in, by torch's name.
type DType string

// The number types.
const (
	Float32  DType = "float32"
	BFloat16 DType = "bfloat16" // float32's range with 8 significant bits
	Float16  DType = "float16"  // 11 significant bits, up to 65,504
)

// bytes is a number's size; 0 for a type that there is not.
func (d DType) bytes() int64 {
	switch d {
	case Float32:
		return 4
	case BFloat16, Float16:
		return 2
	}
	return 0
}

// write writes values in little-endian order. A value that float16 cannot hold is an error.
func (d DType) write(out io.Writer, values []float32) error {
	buffer := make([]byte, 0, 32<<10)
	for piece := range slices.Chunk(values, cap(buffer)/4) {
		var err error
		if buffer, err = d.append(buffer[:0], piece); err != nil {
			return err
		}
		if _, err := out.Write(buffer); err != nil {
			return err
		}
	}
	return nil
}

func (d DType) append(to []byte, values []float32) ([]byte, error) {
	switch d {
	case Float32:
		for _, v := range values {
			to = binary.LittleEndian.AppendUint32(to, math.Float32bits(v))
		}
	case BFloat16:
		for _, v := range values {
			to = binary.LittleEndian.AppendUint16(to, uint16(bfloat16.FromFloat32(v)))
		}
	case Float16:
		for _, v := range values {
			half := toFloat16(v)
			if half&0x7fff == 0x7c00 && !math.IsInf(float64(v), 0) {
				return to, fmt.Errorf("its value %g is beyond float16, whose largest is 65504: use bfloat16 or float32", v)
			}
			to = binary.LittleEndian.AppendUint16(to, half)
		}
	}
	return to, nil
}
