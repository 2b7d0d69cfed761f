package checkpoint

import (
	"encoding/binary"
	"io"
	"math"
	"sync"
)

// Decoders turn little-endian values of a file into float32; src holds exactly the values of dst.

func decodeFloat32(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
}

func decodeBFloat16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
	}
}

func decodeFloat16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = half(binary.LittleEndian.Uint16(src[2*i:]))
	}
}

// half widens IEEE 754's half precision: exponent and fraction are moved to their places, and a multiplication corrects
// the exponent's bias, of subnormal numbers too.
func half(bits uint16) float32 {
	magnitude := uint32(bits&0x7fff) << 13
	wide := math.Float32bits(math.Float32frombits(magnitude) * 0x1p112)
	if magnitude >= 0x7c00<<13 { // infinite, or not a number
		wide = magnitude | 0x7f800000
	}
	return math.Float32frombits(wide | uint32(bits&0x8000)<<16)
}

// buffers are lent to readers: with pieces of this size, loading needs hardly any memory beside the model. Mapping the
// file instead saves the copy into the buffer, 15% of the time that a core takes to decode bfloat16 (3.9 and 4.6 GB/s of
// float32 were measured), but its pages count as resident memory until they are dropped, and a file that another process
// cuts short then kills this one.
var buffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// readPieces reads values of a file from an offset in pieces, and decodes each into its part of dst: per values take
// bytes bytes, and a piece has a whole number of those.
func readPieces(file io.ReaderAt, offset int64, dst []float32, per, bytes int, decode func(dst []float32, src []byte)) error {
	buffer := buffers.Get().(*[64 << 10]byte)
	defer buffers.Put(buffer)
	for len(dst) > 0 {
		n := min(len(dst), len(buffer)/bytes*per)
		raw := buffer[:n/per*bytes]
		if _, err := file.ReadAt(raw, offset); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		decode(dst[:n], raw)
		dst, offset = dst[n:], offset+int64(len(raw))
	}
	return nil
}
