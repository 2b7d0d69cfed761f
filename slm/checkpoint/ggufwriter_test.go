package checkpoint

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// A writer of small GGUF files, so that the tests need no download and can break every part of one.

// tiny is the architecture of the test files: rows of 32 fit the blocks of the quantized types.
var tiny = slm.Config{Name: "tiny", Family: slm.Llama, Layers: 2, Embd: 32, Heads: 2, QueryGroups: 1, HeadSize: 16,
	FFN: 64, Vocab: 6, Context: 128, NormEps: 1e-5, RopeTheta: 10000, Tied: true}

type testValue struct {
	key   string
	value any // uint32, float32, bool, string, []string or []int32
}

type testTensor struct {
	name  string
	shape []uint64 // innermost first, as GGUF has it
	kind  uint32
	data  []byte
}

type testFile struct {
	magic   string
	version uint32
	values  []testValue
	tensors []testTensor
}

func (f *testFile) set(key string, value any) {
	f.values = slices.DeleteFunc(f.values, func(v testValue) bool { return v.key == key })
	if value != nil {
		f.values = append(f.values, testValue{key, value})
	}
}

func (f *testFile) tensor(name string) *testTensor {
	for i := range f.tensors {
		if f.tensors[i].name == name {
			return &f.tensors[i]
		}
	}
	panic("no tensor " + name)
}

// bytes lays the file out: header, tensor list, data aligned to 32 bytes.
func (f *testFile) bytes() []byte {
	var b bytes.Buffer
	put := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) }
	text := func(s string) { put(uint64(len(s))); b.WriteString(s) }
	b.WriteString(f.magic)
	put(f.version)
	put(uint64(len(f.tensors)))
	put(uint64(len(f.values)))
	for _, v := range f.values {
		text(v.key)
		switch x := v.value.(type) {
		case uint32:
			put(uint32(4))
			put(x)
		case float32:
			put(uint32(6))
			put(x)
		case bool:
			put(uint32(7))
			put(x)
		case string:
			put(uint32(8))
			text(x)
		case []string:
			put(uint32(9))
			put(uint32(8))
			put(uint64(len(x)))
			for _, s := range x {
				text(s)
			}
		case []int32:
			put(uint32(9))
			put(uint32(5))
			put(uint64(len(x)))
			put(x)
		default:
			panic(fmt.Sprintf("value of type %T", x))
		}
	}
	var data bytes.Buffer
	for _, t := range f.tensors {
		text(t.name)
		put(uint32(len(t.shape)))
		put(t.shape)
		put(uint32(t.kind))
		put(uint64(data.Len()))
		data.Write(t.data)
		for data.Len()%32 != 0 {
			data.WriteByte(0)
		}
	}
	for b.Len()%32 != 0 {
		b.WriteByte(0)
	}
	b.Write(data.Bytes())
	return b.Bytes()
}

func float32Bytes(values []float32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// llamaCppOrder is convert_hf_to_gguf.py's permute of a matrix with the given number of heads and row width:
// reshape(heads, 2, size/2, width).swapaxes(1, 2).reshape(heads*size, width).
func llamaCppOrder(rows []float32, heads, width int) []float32 {
	size := len(rows) / width / heads
	var out []float32
	for h := range heads {
		for i := range size / 2 {
			for half := range 2 {
				row := h*size + half*size/2 + i
				out = append(out, rows[row*width:(row+1)*width]...)
			}
		}
	}
	return out
}

// queriesKeysValues is the converter's order of GPT-NeoX's fused projection: reshape(heads, 3, size, width), then all
// queries, all keys and all values one after the other.
func queriesKeysValues(rows []float32, heads, size, width int) []float32 {
	var out []float32
	for part := range 3 {
		for h := range heads {
			from := (h*3 + part) * size * width
			out = append(out, rows[from:from+size*width]...)
		}
	}
	return out
}

// tinyFile is a whole GGUF of random float32 weights, and those weights as transformers has them.
func tinyFile() (*testFile, Weights) { return fileOf(tiny) }

// tinyOf are architectures of every family in the size of the test files.
func tinyOf(f slm.Family) slm.Config {
	c := tiny
	c.Family = f
	switch f {
	case slm.GPTNeoX:
		c.QueryGroups, c.RotaryFraction, c.ParallelResidual, c.Tied = c.Heads, 0.25, true, false
	case slm.Qwen3:
		c.HeadSize, c.Tied = 32, false
	}
	return c
}

// fileOf is a whole GGUF of random weights, as llama.cpp's converter writes it, and those weights as transformers has them.
func fileOf(c slm.Config) (*testFile, Weights) {
	arch := map[slm.Family]string{slm.GPTNeoX: "gptneox", slm.Llama: "llama", slm.Qwen3: "qwen3"}[c.Family]
	f := &testFile{magic: "GGUF", version: 3, values: []testValue{
		{"general.architecture", arch}, {arch + ".block_count", uint32(c.Layers)},
		{arch + ".context_length", uint32(c.Context)}, {arch + ".embedding_length", uint32(c.Embd)},
		{arch + ".feed_forward_length", uint32(c.FFN)}, {arch + ".attention.head_count", uint32(c.Heads)},
		{"tokenizer.ggml.model", "gpt2"}, {"tokenizer.ggml.pre", "smollm"},
		{"tokenizer.ggml.tokens", []string{"<|endoftext|>", "a", "b", "c", "ab", "abc"}},
		{"tokenizer.ggml.token_type", []int32{3, 1, 1, 1, 1, 1}}, {"tokenizer.ggml.merges", []string{"a b", "ab c"}},
		{"tokenizer.ggml.eos_token_id", uint32(0)}, {"tokenizer.ggml.add_bos_token", true},
	}}
	switch c.Family {
	case slm.GPTNeoX:
		f.set("gptneox.attention.layer_norm_epsilon", float32(1e-5))
		f.set("gptneox.rope.dimension_count", uint32(c.RotaryFraction*float64(c.HeadSize)))
		f.set("gptneox.use_parallel_residual", c.ParallelResidual)
	default:
		f.set(arch+".attention.layer_norm_rms_epsilon", float32(1e-5))
		f.set(arch+".attention.head_count_kv", uint32(c.QueryGroups))
		f.set(arch+".attention.key_length", uint32(c.HeadSize))
		f.set(arch+".attention.value_length", uint32(c.HeadSize))
	}
	random, want := rand.New(rand.NewPCG(1, 2)), Weights{}
	for ggufName, w := range ggufWeights(c) {
		shape := Layout(c)[w.name]
		n, _ := elements(shape)
		t := Tensor{Shape: shape, Data: make([]float32, n)}
		for i := range t.Data {
			t.Data[i] = float32(random.NormFloat64())
		}
		want[w.name] = t
		f.tensors = append(f.tensors, testTensor{ggufName, innermostFirst(shape), 0, float32Bytes(convert(c, w.name, t.Data))})
	}
	return f, want
}

// convert puts rows into the order in which the converter stores them.
func convert(c slm.Config, name string, rows []float32) []float32 {
	switch {
	case strings.Contains(name, "query_key_value"):
		return queriesKeysValues(rows, c.Heads, c.HeadSize, len(rows)/(3*c.Heads*c.HeadSize))
	case c.Family == slm.Llama && strings.HasSuffix(name, "q_proj.weight"):
		return llamaCppOrder(rows, c.Heads, c.Embd)
	case c.Family == slm.Llama && strings.HasSuffix(name, "k_proj.weight"):
		return llamaCppOrder(rows, c.QueryGroups, c.Embd)
	}
	return rows
}

func innermostFirst(shape []int) (dims []uint64) {
	for _, d := range slices.Backward(shape) {
		dims = append(dims, uint64(d))
	}
	return dims
}

// place writes a file of the given name into a folder of the test.
func place(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
