package tensorboard

import (
	"encoding/binary"
	"hash/crc32"
)

// A file of events is a sequence of TFRecord frames, as TensorFlow's record_writer.cc writes them: the length of the data (8 bytes,
// little-endian), its masked checksum, the data, and their masked checksum.
const (
	lengthBytes   = 8
	checksumBytes = 4
	headBytes     = lengthBytes + checksumBytes
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is a CRC-32C, rotated and shifted as in TensorFlow's crc32c.h, so that data with checksums in it have sound ones.
func masked(data []byte) uint32 {
	sum := crc32.Checksum(data, castagnoli)
	return (sum>>15 | sum<<17) + 0xa282ead8
}

// appendRecord appends a frame.
func appendRecord(b, data []byte) []byte {
	head := len(b)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(data)))
	b = binary.LittleEndian.AppendUint32(b, masked(b[head:]))
	b = append(b, data...)
	return binary.LittleEndian.AppendUint32(b, masked(data))
}

// cutRecord takes the first frame off b. ok is false at the end, and where a frame is cut off or damaged: what follows it is lost to
// every reader.
func cutRecord(b []byte) (data, rest []byte, ok bool) {
	if len(b) < headBytes+checksumBytes || masked(b[:lengthBytes]) != binary.LittleEndian.Uint32(b[lengthBytes:]) {
		return nil, nil, false
	}
	length := binary.LittleEndian.Uint64(b)
	b = b[headBytes:]
	if length > uint64(len(b)-checksumBytes) {
		return nil, nil, false
	}
	data, b = b[:length], b[length:]
	return data, b[checksumBytes:], masked(data) == binary.LittleEndian.Uint32(b)
}
