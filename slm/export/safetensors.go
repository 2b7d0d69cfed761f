package export

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// safetensorsNames are the format's names of number types.
var safetensorsNames = map[DType]string{Float32: "F32", BFloat16: "BF16", Float16: "F16"}

// shard is a safetensors file of some of a model's tensors.
type shard struct {
	name    string // of the file
	tensors []string
	bytes   int64 // of the tensors
}

// shards deals tensors to files of at most the given size, in order; a larger tensor has a file of its own. A single file
// is called model.safetensors.
func shards(names []string, weights checkpoint.Source, dtype DType, limit int64) []shard {
	var all []shard
	for _, name := range names {
		size := dtype.bytes() * sizeOf(weights, name)
		if n := len(all); n == 0 || all[n-1].bytes+size > limit {
			all = append(all, shard{})
		}
		last := &all[len(all)-1]
		last.tensors, last.bytes = append(last.tensors, name), last.bytes+size
	}
	for i := range all {
		all[i].name = fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, len(all))
	}
	if len(all) == 1 {
		all[0].name = "model.safetensors"
	}
	return all
}

// sizeOf is the number of a tensor's values.
func sizeOf(weights checkpoint.Source, name string) int64 {
	shape, _ := weights.Shape(name)
	return int64(product(shape))
}

// indexJSON says which file holds which tensor.
func indexJSON(all []shard) object {
	places, total := map[string]string{}, int64(0)
	for _, s := range all {
		total += s.bytes
		for _, name := range s.tensors {
			places[name] = s.name
		}
	}
	return object{"metadata": object{"total_size": total}, "weight_map": places}
}

// tensorEntry is a tensor's line in a safetensors header; offsets count from the end of the header.
type tensorEntry struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// header is the length of the shard's header, and the header: JSON, padded with spaces so that the data is aligned to 8.
func (s shard) header(weights checkpoint.Source, dtype DType) ([]byte, error) {
	var text strings.Builder
	text.WriteString(`{"__metadata__":{"format":"pt"}`)
	offset := int64(0)
	for _, name := range s.tensors {
		shape, _ := weights.Shape(name)
		end := offset + dtype.bytes()*sizeOf(weights, name)
		line, err := json.Marshal(tensorEntry{safetensorsNames[dtype], shape, [2]int64{offset, end}})
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&text, ",%q:%s", name, line)
		offset = end
	}
	text.WriteByte('}')
	for text.Len()%8 != 0 {
		text.WriteByte(' ')
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(text.Len())), text.String()...), nil
}

// write writes a shard, one tensor after the other. wrote is told how many bytes of each are written.
func (s shard) write(out io.Writer, weights checkpoint.Source, dtype DType, wrote func(bytes int64) error) error {
	header, err := s.header(weights, dtype)
	if err != nil {
		return err
	}
	if _, err := out.Write(header); err != nil {
		return err
	}
	for _, name := range s.tensors {
		values := make([]float32, sizeOf(weights, name))
		if err := weights.Read(name, values); err != nil {
			return err
		}
		if err := dtype.write(out, values); err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		if err := wrote(dtype.bytes() * int64(len(values))); err != nil {
			return err
		}
	}
	return nil
}
