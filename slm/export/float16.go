package export

import "math"

// toFloat16 is the float16 nearest to a value, as its bits; of two that are equally near, the even one. Beyond the largest it
// is infinite. (FromFloat32 of gomlx/compute 0.1.3 takes values below 2^-14, which are spaced evenly, for zero.)
func toFloat16(v float32) uint16 {
	bits := math.Float32bits(v)
	sign, size := uint16(bits>>16)&0x8000, bits&0x7fffffff
	switch {
	case size > 0x7f800000:
		return sign | 0x7e00 // not a number
	case size < 113<<23: // below 2^-14: multiples of 2^-24
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(size))*(1<<24)))
	}
	size -= 112 << 23          // the exponent counts from -15 instead of -127
	size += 0xfff + size>>13&1 // rounds the 13 bits that are dropped
	return sign | uint16(min(size>>13, 0x7c00))
}
