package checkpoint

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// numberType is how values of a type lie in a file. A type that cannot be decoded is known for its size alone.
type numberType struct {
	bytes  int64
	decode func(dst []float32, src []byte)
}

var numberTypes = map[string]numberType{
	"F32": {4, decodeFloat32}, "F16": {2, decodeFloat16}, "BF16": {2, decodeBFloat16}, "F64": {bytes: 8},
	"F8_E4M3": {bytes: 1}, "F8_E5M2": {bytes: 1}, "BOOL": {bytes: 1}, "U8": {bytes: 1}, "I8": {bytes: 1},
	"U16": {bytes: 2}, "I16": {bytes: 2}, "U32": {bytes: 4}, "I32": {bytes: 4}, "U64": {bytes: 8}, "I64": {bytes: 8},
}

type namedEntry struct {
	name string
	tensorEntry
}

// maxHeader is the limit of the safetensors format.
const maxHeader = 100_000_000

// readHeader reads and checks the header of a file of the given size. The entries come in the order of the data.
func readHeader(in io.Reader, size int64) ([]namedEntry, map[string]string, error) {
	var prefix [8]byte
	if _, err := io.ReadFull(in, prefix[:]); err != nil {
		return nil, nil, fmt.Errorf("it has %d bytes, too few for a safetensors file", size)
	}
	length := binary.LittleEndian.Uint64(prefix[:])
	if length > uint64(size-8) || length > maxHeader {
		return nil, nil, fmt.Errorf("it is no safetensors file or cut short: its header should have %d bytes, the file has %d", length, size)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(in, text); err != nil {
		return nil, nil, err
	}
	var lines map[string]json.RawMessage
	if err := json.Unmarshal(text, &lines); err != nil {
		return nil, nil, fmt.Errorf("its header is not valid JSON: %w", err)
	}
	var metadata map[string]string
	if line, ok := lines[metadataKey]; ok {
		if err := json.Unmarshal(line, &metadata); err != nil {
			return nil, nil, fmt.Errorf("the metadata in its header: %w", err)
		}
		delete(lines, metadataKey)
	}
	entries := make([]namedEntry, 0, len(lines))
	for name, line := range lines {
		e := namedEntry{name: name}
		if err := json.Unmarshal(line, &e.tensorEntry); err != nil {
			return nil, nil, fmt.Errorf("tensor %q in its header: %w", name, err)
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b namedEntry) int {
		return cmp.Or(cmp.Compare(a.Offsets[0], b.Offsets[0]), cmp.Compare(a.Offsets[1], b.Offsets[1]), cmp.Compare(a.name, b.name))
	})
	return entries, metadata, checkOffsets(entries, size-8-int64(length))
}

// checkOffsets reports a tensor whose type, shape and place do not agree, and data that the file has too much or too
// little of. bytes is the length of the data.
func checkOffsets(entries []namedEntry, bytes int64) error {
	end := int64(0)
	for _, e := range entries {
		kind, ok := numberTypes[e.DType]
		if !ok {
			return undecodable(e.name, e.DType)
		}
		n, ok := elements(e.Shape)
		if !ok || e.Offsets[0] != end || e.Offsets[1]-e.Offsets[0] != n*kind.bytes {
			return fmt.Errorf("tensor %q of shape %v (%s) lies at bytes %d to %d, want %d values from byte %d",
				e.name, e.Shape, e.DType, e.Offsets[0], e.Offsets[1], n, end)
		}
		end = e.Offsets[1]
	}
	if end != bytes {
		return fmt.Errorf("its tensors need %d bytes after the header, the file has %d: it is cut short or was changed", end, bytes)
	}
	return nil
}

func undecodable(name, dtype string) error {
	return fmt.Errorf("tensor %q is stored as %q; F32, F16 and BF16 are supported", name, dtype)
}
