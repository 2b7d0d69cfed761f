package checkpoint

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/gomlx/compute/dtypes/float16"
)

// LoadSafetensors reads a safetensors file: float32, float16 and bfloat16 become float32. It returns the weights and the
// metadata of the header. Every offset is held against the file before anything is read: the tensors must lie one after
// the other, without gaps or overlaps, and fill the file.
func LoadSafetensors(path string) (Weights, map[string]string, error) {
	w, metadata, err := loadSafetensors(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	return w, metadata, nil
}

func loadSafetensors(path string) (Weights, map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !stat.Mode().IsRegular() {
		return nil, nil, errors.New("it is not a regular file")
	}
	in := bufio.NewReaderSize(f, 1<<20)
	entries, metadata, err := readHeader(in, stat.Size())
	if err != nil {
		return nil, nil, err
	}
	w := make(Weights, len(entries))
	for _, e := range entries { // in the order of the file
		t := Tensor{Shape: e.Shape, Data: make([]float32, (e.Offsets[1]-e.Offsets[0])/dtypeBytes[e.DType])}
		if err := readFloats(in, e.DType, t.Data); err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", e.name, err)
		}
		w[e.name] = t
	}
	return w, metadata, nil
}

// dtypeBytes are the number types that can be read, and their sizes.
var dtypeBytes = map[string]int64{"F32": 4, "F16": 2, "BF16": 2}

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
		each, ok := dtypeBytes[e.DType]
		if !ok {
			return fmt.Errorf("tensor %q is stored as %q; F32, F16 and BF16 are supported", e.name, e.DType)
		}
		n, ok := elements(e.Shape)
		if !ok || e.Offsets[0] != end || e.Offsets[1]-e.Offsets[0] != n*each {
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

// readFloats fills out with the next values of in.
func readFloats(in io.Reader, dtype string, out []float32) error {
	each := int(dtypeBytes[dtype])
	var buffer [4096]byte
	for len(out) > 0 {
		n := min(len(out), len(buffer)/each)
		raw := buffer[:n*each]
		if _, err := io.ReadFull(in, raw); err != nil {
			return err
		}
		for i := range n {
			out[i] = decodeFloat(dtype, raw[i*each:])
		}
		out = out[n:]
	}
	return nil
}

func decodeFloat(dtype string, raw []byte) float32 {
	switch dtype {
	case "F16":
		return float16.FromBits(binary.LittleEndian.Uint16(raw)).Float32()
	case "BF16":
		return math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw)) << 16)
	}
	return math.Float32frombits(binary.LittleEndian.Uint32(raw))
}
