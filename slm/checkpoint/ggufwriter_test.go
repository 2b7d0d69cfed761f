package checkpoint

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gomlx/go-huggingface/models/gguf"
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
	kind  gguf.TensorType
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

// tinyFile is a whole GGUF of random float32 weights, and those weights as transformers has them.
func tinyFile() (*testFile, Weights) {
	f := &testFile{magic: "GGUF", version: 3, values: []testValue{
		{"general.architecture", "llama"}, {"llama.block_count", uint32(tiny.Layers)},
		{"llama.context_length", uint32(tiny.Context)}, {"llama.embedding_length", uint32(tiny.Embd)},
		{"llama.feed_forward_length", uint32(tiny.FFN)}, {"llama.attention.head_count", uint32(tiny.Heads)},
		{"llama.attention.head_count_kv", uint32(tiny.QueryGroups)}, {"llama.attention.layer_norm_rms_epsilon", float32(1e-5)},
		{"tokenizer.ggml.model", "gpt2"}, {"tokenizer.ggml.pre", "smollm"},
		{"tokenizer.ggml.tokens", []string{"<|endoftext|>", "a", "b", "c", "ab", "abc"}},
		{"tokenizer.ggml.token_type", []int32{3, 1, 1, 1, 1, 1}}, {"tokenizer.ggml.merges", []string{"a b", "ab c"}},
		{"tokenizer.ggml.eos_token_id", uint32(0)}, {"tokenizer.ggml.add_bos_token", true},
	}}
	random := rand.New(rand.NewPCG(1, 2))
	want := Weights{}
	backward := map[string]string{"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}
	for layer := range tiny.Layers {
		for ours, theirs := range parts {
			backward[fmt.Sprintf("model.layers.%d.%s.weight", layer, theirs)] = fmt.Sprintf("blk.%d.%s.weight", layer, ours)
		}
	}
	shapes := Layout(tiny)
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		n, _ := elements(shapes[name])
		t := Tensor{Shape: shapes[name], Data: make([]float32, n)}
		for i := range t.Data {
			t.Data[i] = float32(random.NormFloat64())
		}
		want[name] = t
		stored := t.Data
		switch {
		case bytes.HasSuffix([]byte(name), []byte("q_proj.weight")):
			stored = llamaCppOrder(t.Data, tiny.Heads, tiny.Embd)
		case bytes.HasSuffix([]byte(name), []byte("k_proj.weight")):
			stored = llamaCppOrder(t.Data, tiny.QueryGroups, tiny.Embd)
		}
		inner := make([]uint64, 0, 2)
		for _, d := range slices.Backward(t.Shape) {
			inner = append(inner, uint64(d))
		}
		f.tensors = append(f.tensors, testTensor{backward[name], inner, gguf.TensorTypeF32, float32Bytes(stored)})
	}
	return f, want
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
