package checkpoint

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// tensorEntry is a tensor's line in a safetensors header; offsets count from the end of the header.
type tensorEntry struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// metadataKey is the header's entry that is no tensor.
const metadataKey = "__metadata__"

// SaveSafetensors writes weights as a safetensors file in float32, with metadata for its header. Equal weights make
// equal bytes. The file appears at path as a whole or not at all; on an error what was there stays.
func SaveSafetensors(path string, w Weights, metadata map[string]string) error {
	names := slices.Sorted(maps.Keys(w))
	header, err := encodeHeader(names, w, metadata)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return WriteAtomic(path, int64(len(header))+w.Bytes(), func(file io.Writer) error {
		out := bufio.NewWriterSize(file, 1<<20)
		if _, err := out.Write(header); err != nil {
			return err
		}
		for _, name := range names {
			if err := writeFloats(out, w[name].Data); err != nil {
				return err
			}
		}
		return out.Flush()
	})
}

// encodeHeader is the length, then JSON in the order of the names, padded with spaces so that the data is aligned to 8.
func encodeHeader(names []string, w Weights, metadata map[string]string) ([]byte, error) {
	var text strings.Builder
	text.WriteByte('{')
	if len(metadata) > 0 {
		line, err := json.Marshal(metadata)
		if err != nil {
			return nil, err
		}
		text.WriteString(strconv.Quote(metadataKey) + ":" + string(line))
	}
	offset := int64(0)
	for _, name := range names {
		t := w[name]
		if n, ok := elements(t.Shape); !ok || n != int64(len(t.Data)) || name == metadataKey {
			return nil, fmt.Errorf("tensor %q of shape %v holds %d values", name, t.Shape, len(t.Data))
		}
		end := offset + 4*int64(len(t.Data))
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		line, err := json.Marshal(tensorEntry{"F32", append([]int{}, t.Shape...), [2]int64{offset, end}})
		if err != nil {
			return nil, err
		}
		if text.Len() > 1 {
			text.WriteByte(',')
		}
		text.WriteString(string(key) + ":" + string(line))
		offset = end
	}
	text.WriteByte('}')
	for text.Len()%8 != 0 {
		text.WriteByte(' ')
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(text.Len())), text.String()...), nil
}

func writeFloats(out io.Writer, values []float32) error {
	var buffer [4096]byte
	for len(values) > 0 {
		n := min(len(values), len(buffer)/4)
		for i, v := range values[:n] {
			binary.LittleEndian.PutUint32(buffer[4*i:], math.Float32bits(v))
		}
		if _, err := out.Write(buffer[:4*n]); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}
