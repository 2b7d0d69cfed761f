package checkpoint

import (
	"encoding/binary"
	"fmt"
)

// ggmlType is a number type of GGUF files. Values lie in blocks, which share scales; an unquantized type has blocks of one.
type ggmlType struct {
	name   string
	values int // in a block
	bytes  int // of a block
	decode func(dst []float32, src []byte)
}

// ggmlTypes are the types that can be decoded, by their numbers. The layouts are those of ggml-quants.h of llama.cpp.
var ggmlTypes = map[uint32]ggmlType{
	0:  {"F32", 1, 4, decodeFloat32},
	1:  {"F16", 1, 2, decodeFloat16},
	2:  quantized("Q4_0", 32, 18, dequantizeQ40),
	3:  quantized("Q4_1", 32, 20, dequantizeQ41),
	6:  quantized("Q5_0", 32, 22, dequantizeQ50),
	7:  quantized("Q5_1", 32, 24, dequantizeQ51),
	8:  quantized("Q8_0", 32, 34, dequantizeQ80),
	10: quantized("Q2_K", 256, 84, dequantizeQ2K),
	11: quantized("Q3_K", 256, 110, dequantizeQ3K),
	12: quantized("Q4_K", 256, 144, dequantizeQ4K),
	13: quantized("Q5_K", 256, 176, dequantizeQ5K),
	14: quantized("Q6_K", 256, 210, dequantizeQ6K),
	30: {"BF16", 1, 2, decodeBFloat16},
}

// otherTypes are names for messages.
var otherTypes = map[uint32]string{9: "Q8_1", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL",
	21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M", 34: "TQ1_0",
	35: "TQ2_0", 39: "MXFP4"}

func typeName(kind uint32) string {
	if t, ok := ggmlTypes[kind]; ok {
		return t.name
	}
	if name, ok := otherTypes[kind]; ok {
		return name
	}
	return fmt.Sprintf("the unknown type %d", kind)
}

// quantized makes a type from what decodes one of its blocks.
func quantized(name string, values, bytes int, one func(dst []float32, src []byte)) ggmlType {
	return ggmlType{name, values, bytes, func(dst []float32, src []byte) {
		for ; len(dst) > 0; dst, src = dst[values:], src[bytes:] {
			one(dst[:values:values], src[:bytes:bytes])
		}
	}}
}

// scale is the float16 at the beginning of src.
func scale(src []byte) float32 { return half(binary.LittleEndian.Uint16(src)) }

// The types with blocks of 32 have a scale, in the types _1 also a least value, and in those of 5 bits the fifth bits
// together, before the low four bits of value i and of value i+16 in a byte.

func dequantizeQ40(dst []float32, src []byte) {
	d := scale(src)
	for i, q := range src[2:18] {
		dst[i], dst[i+16] = d*float32(int(q&15)-8), d*float32(int(q>>4)-8)
	}
}

func dequantizeQ41(dst []float32, src []byte) {
	d, least := scale(src), scale(src[2:])
	for i, q := range src[4:20] {
		dst[i], dst[i+16] = d*float32(q&15)+least, d*float32(q>>4)+least
	}
}

func dequantizeQ50(dst []float32, src []byte) {
	d, fifth := scale(src), binary.LittleEndian.Uint32(src[2:])
	for i, q := range src[6:22] {
		dst[i] = d * float32(int(q&15)|int(fifth>>i&1)<<4-16)
		dst[i+16] = d * float32(int(q>>4)|int(fifth>>(i+16)&1)<<4-16)
	}
}

func dequantizeQ51(dst []float32, src []byte) {
	d, least, fifth := scale(src), scale(src[2:]), binary.LittleEndian.Uint32(src[4:])
	for i, q := range src[8:24] {
		dst[i] = d*float32(int(q&15)|int(fifth>>i&1)<<4) + least
		dst[i+16] = d*float32(int(q>>4)|int(fifth>>(i+16)&1)<<4) + least
	}
}

func dequantizeQ80(dst []float32, src []byte) {
	d := scale(src)
	for i, q := range src[2:34] {
		dst[i] = d * float32(int8(q))
	}
}

// The types with blocks of 256 divide them into 16 parts of 16 values or 8 of 32, each with a small whole number that
// multiplies the block's scale. Bits of several parts share a byte: value l of a part is in byte l of the part's bytes.

func dequantizeQ2K(dst []float32, src []byte) {
	d, least := scale(src[80:]), scale(src[82:])
	for part, s := range src[:16] {
		low, step := least*float32(s>>4), d*float32(s&15)
		for l, q := range src[16+part/8*32+part%2*16:][:16] {
			dst[16*part+l] = step*float32(q>>(part%8/2*2)&3) - low
		}
	}
}

func dequantizeQ3K(dst []float32, src []byte) {
	d, third, scales := scale(src[108:]), src[:32], src[96:108]
	for part := range 16 {
		s := scales[part%8]>>(part/8*4)&15 | scales[8+part%4]>>(part/4*2)&3<<4
		step := d * float32(int(s)-32)
		high := third[part%2*16:][:16]
		for l, q := range src[32+part/8*32+part%2*16:][:16] {
			dst[16*part+l] = step * float32(int(q>>(part%8/2*2)&3)|int(high[l]>>(part/2)&1)<<2-4)
		}
	}
}

// scaleAndMin are the numbers of six bits of a part of a Q4_K or Q5_K block: the first four parts have theirs whole, the
// others the low four bits in the last bytes and the upper two above those of the first.
func scaleAndMin(packed []byte, part int) (s, least byte) {
	if part < 4 {
		return packed[part] & 63, packed[part+4] & 63
	}
	return packed[part+4]&15 | packed[part-4]>>6<<4, packed[part+4]>>4 | packed[part]>>6<<4
}

func dequantizeQ4K(dst []float32, src []byte) {
	d, least := scale(src), scale(src[2:])
	for part := range 8 {
		s, m := scaleAndMin(src[4:16], part)
		low, step := least*float32(m), d*float32(s)
		for l, q := range src[16+part/2*32:][:32] {
			dst[32*part+l] = step*float32(q>>(part%2*4)&15) - low
		}
	}
}

func dequantizeQ5K(dst []float32, src []byte) {
	d, least := scale(src), scale(src[2:])
	fifth := src[16:48]
	for part := range 8 {
		s, m := scaleAndMin(src[4:16], part)
		low, step := least*float32(m), d*float32(s)
		for l, q := range src[48+part/2*32:][:32] {
			dst[32*part+l] = step*float32(q>>(part%2*4)&15|fifth[l]>>part&1<<4) - low
		}
	}
}

func dequantizeQ6K(dst []float32, src []byte) {
	d, scales := scale(src[208:]), src[192:208]
	for part := range 8 {
		upper := src[128+part/4*32:][:32]
		for l, q := range src[part/4*64+part%2*32:][:32] {
			step := d * float32(int8(scales[2*part+l/16]))
			dst[32*part+l] = step * float32(int(q>>(part%4/2*4)&15)|int(upper[l]>>(part%4*2)&3)<<4-32)
		}
	}
}
