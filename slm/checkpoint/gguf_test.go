package checkpoint

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/go-huggingface/models/gguf"
)

func TestOpenGGUF(t *testing.T) {
	file, want := tinyFile()
	content := file.bytes()
	path := place(t, "Tiny.gguf", content)
	var calls, last, total int64
	teacher, err := OpenGGUF(t.Context(), path, func(done, all int64) {
		if done < last {
			t.Errorf("progress went back from %d to %d", last, done)
		}
		calls, last, total = calls+1, done, all
	})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(teacher.Config, tiny) {
		t.Errorf("architecture\n%+v, want\n%+v", teacher.Config, tiny)
	}
	if !reflect.DeepEqual(teacher.Weights, want) {
		t.Error("the weights differ from those written")
	}
	if n := int64(len(want)); calls != n || last != total || total == 0 {
		t.Errorf("progress: %d calls to %d of %d, want %d calls to the end", calls, last, total, n)
	}
	if sum := sha256.Sum256(content); teacher.SHA256 != hex.EncodeToString(sum[:]) || teacher.Bytes != int64(len(content)) || teacher.Path != path {
		t.Errorf("file: %s, %d bytes, %s", teacher.SHA256, teacher.Bytes, teacher.Path)
	}
	v := Vocabulary{Model: "gpt2", PreTokenizer: "smollm", Tokens: []string{"<|endoftext|>", "a", "b", "c", "ab", "abc"},
		Types: []int32{3, 1, 1, 1, 1, 1}, Merges: []string{"a b", "ab c"}, BOS: -1, EOS: 0, Unknown: -1, AddBOS: true}
	if !reflect.DeepEqual(teacher.Vocabulary, v) {
		t.Errorf("vocabulary %+v, want %+v", teacher.Vocabulary, v)
	}
}

func TestOpenGGUFUntied(t *testing.T) {
	file, want := tinyFile()
	head := *file.tensor("token_embd.weight")
	head.name = "output.weight"
	file.tensors = append(file.tensors, head)
	teacher, err := OpenGGUF(t.Context(), place(t, "untied.gguf", file.bytes()), nil)
	if err != nil {
		t.Fatal(err)
	}
	if teacher.Config.Tied || !reflect.DeepEqual(teacher.Weights["lm_head.weight"], want["model.embed_tokens.weight"]) {
		t.Errorf("tied %v, head %v", teacher.Config.Tied, teacher.Weights["lm_head.weight"].Shape)
	}
}

// TestNumberTypes stores the embedding's first row (32 values) in each type by hand.
func TestNumberTypes(t *testing.T) {
	half := func(v uint16) []byte { return binary.LittleEndian.AppendUint16(nil, v) }
	const one, two, quarter = 0x3c00, 0x4000, 0x3400 // float16
	repeat := func(each []byte, n int) []byte { return []byte(strings.Repeat(string(each), n)) }
	for _, test := range []struct {
		kind  gguf.TensorType
		block []byte
		want  func(i int) float32
	}{
		{gguf.TensorTypeF16, repeat(half(quarter), 32), func(int) float32 { return 0.25 }},
		{gguf.TensorTypeBF16, repeat(half(0xc0a0), 32), func(int) float32 { return -5 }},
		{gguf.TensorTypeQ8_0, append(half(quarter), repeat([]byte{0xff, 4}, 16)...), func(i int) float32 {
			return []float32{-0.25, 1}[i%2]
		}},
		{gguf.TensorTypeQ4_0, append(half(two), repeat([]byte{0x9f}, 16)...), func(i int) float32 {
			return []float32{14, 2}[i/16]
		}},
		{gguf.TensorTypeQ4_1, append(append(half(two), half(one)...), repeat([]byte{0x3f}, 16)...), func(i int) float32 {
			return []float32{31, 7}[i/16]
		}},
	} {
		t.Run(test.kind.String(), func(t *testing.T) {
			file, _ := tinyFile()
			embedding := file.tensor("token_embd.weight")
			embedding.kind, embedding.data = test.kind, repeat(test.block, tiny.Vocab)
			teacher, err := OpenGGUF(t.Context(), place(t, "types.gguf", file.bytes()), nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, got := range teacher.Weights["model.embed_tokens.weight"].Data {
				if want := test.want(i % 32); got != want {
					t.Fatalf("value %d is %g, want %g", i, got, want)
				}
			}
		})
	}
}

func TestOpenGGUFRefuses(t *testing.T) {
	for _, test := range []struct {
		name string
		harm func(f *testFile)
		want []string
	}{
		{"another format", func(f *testFile) { f.magic = "GGML" }, []string{"not a GGUF file", `"GGML"`}},
		{"a future version", func(f *testFile) { f.version = 4 }, []string{"version 4"}},
		{"another family", func(f *testFile) { f.set("general.architecture", "gpt2") }, []string{`"gpt2"`, "supported: llama"}},
		{"no family", func(f *testFile) { f.set("general.architecture", nil) }, []string{`family ""`}},
		{"no layers", func(f *testFile) { f.set("llama.block_count", nil) }, []string{"llama.block_count"}},
		{"two values missing", func(f *testFile) {
			f.set("llama.block_count", nil)
			f.set("llama.embedding_length", nil)
		}, []string{"llama.block_count", "llama.embedding_length"}},
		{"a value of another type", func(f *testFile) { f.set("llama.block_count", "two") }, []string{"llama.block_count", "two"}},
		{"more layers than tensors", func(f *testFile) { f.set("llama.block_count", uint32(1<<24)) }, []string{"16777216 layers"}},
		{"heads that do not divide", func(f *testFile) { f.set("llama.attention.head_count_kv", uint32(3)) }, []string{"query groups"}},
		{"partial rotation", func(f *testFile) { f.set("llama.rope.dimension_count", uint32(8)) }, []string{"rotates 8 of 16"}},
		{"scaled rotation", func(f *testFile) { f.set("llama.rope.scaling.type", "linear") }, []string{"linear"}},
		{"no epsilon", func(f *testFile) { f.set("llama.attention.layer_norm_rms_epsilon", nil) }, []string{"norm_eps"}},
		{"too few tokens", func(f *testFile) {
			f.set("llama.vocab_size", uint32(6))
			f.set("tokenizer.ggml.tokens", []string{"a"})
		}, []string{"1 tokens", "6 rows"}},
		{"token types of another length", func(f *testFile) { f.set("tokenizer.ggml.token_type", []int32{1}) }, []string{"1 token types"}},
		{"an end token outside", func(f *testFile) { f.set("tokenizer.ggml.eos_token_id", uint32(6)) }, []string{"eos_token_id", "below 6"}},
		{"a missing tensor", func(f *testFile) { f.tensor("blk.1.ffn_up.weight").name = "blk.1.ffn_upp.weight" },
			[]string{`"model.layers.1.mlp.up_proj.weight" is missing`, `"blk.1.ffn_upp.weight" is not part`}},
		{"a tensor twice", func(f *testFile) { f.tensor("blk.1.ffn_up.weight").name = "blk.1.ffn_gate.weight" }, []string{"twice"}},
		{"a wrong shape", func(f *testFile) { f.tensor("blk.0.attn_q.weight").shape = []uint64{64, 16} },
			[]string{`"model.layers.0.self_attn.q_proj.weight" has shape [16 64], want [32 32]`}},
		{"an empty dimension", func(f *testFile) { f.tensor("blk.0.attn_q.weight").shape = []uint64{0, 32} }, []string{"dimension of 0"}},
		{"a huge dimension", func(f *testFile) { f.tensor("blk.0.attn_q.weight").shape = []uint64{1 << 63, 32} }, []string{"blk.0.attn_q"}},
		{"huge dimensions", func(f *testFile) { f.tensor("blk.0.attn_q.weight").shape = []uint64{1 << 31, 1 << 31, 1 << 31} }, []string{"out of all proportion"}},
		{"a type that cannot be read", func(f *testFile) { f.tensor("token_embd.weight").kind = gguf.TensorTypeIQ2_S }, []string{"IQ2_S"}},
		{"an unknown type", func(f *testFile) { f.tensor("token_embd.weight").kind = 77 }, []string{"unknown(77)"}},
		{"part of a block", func(f *testFile) {
			f.tensor("output_norm.weight").shape, f.tensor("output_norm.weight").kind = []uint64{31}, gguf.TensorTypeQ8_0
		}, []string{"whole number of Q8_0 blocks"}},
		{"an odd alignment", func(f *testFile) { f.set("general.alignment", uint32(48)) }, []string{"alignment of 48"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			file, _ := tinyFile()
			test.harm(file)
			path := place(t, "bad.gguf", file.bytes())
			_, err := OpenGGUF(t.Context(), path, nil)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range append(test.want, path) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
		})
	}
}

func TestOpenGGUFCutShort(t *testing.T) {
	file, _ := tinyFile()
	content := file.bytes()
	// Padding after the last tensor is not missed.
	needed := len(content) - (32-len(file.tensors[len(file.tensors)-1].data)%32)%32
	path := filepath.Join(t.TempDir(), "cut.gguf")
	for n := 4; n < needed; n += 97 {
		if err := os.WriteFile(path, content[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := OpenGGUF(t.Context(), path, nil)
		if err == nil {
			t.Fatalf("%d of %d bytes: no error", n, len(content))
		}
		if len(content)-n < 1000 {
			for _, want := range []string{path, fmt.Sprint(n), fmt.Sprint(needed), "go run ./kernelext/lab setup"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%d bytes: error %q lacks %q", n, err, want)
				}
			}
		}
	}
}

func TestOpenGGUFMissing(t *testing.T) {
	_, err := OpenGGUF(t.Context(), filepath.Join(t.TempDir(), "none.gguf"), nil)
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "lab setup") {
		t.Errorf("error %v", err)
	}
	if _, err := OpenGGUF(t.Context(), t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: error %v", err)
	}
}

func TestOpenGGUFCancelled(t *testing.T) {
	file, _ := tinyFile()
	path := place(t, "tiny.gguf", file.bytes())
	ctx, cancel := context.WithCancel(t.Context())
	teacher, err := OpenGGUF(ctx, path, func(done, total int64) { cancel() })
	if !errors.Is(err, context.Canceled) || teacher != nil {
		t.Errorf("cancelled at the first tensor: %v, %v", teacher, err)
	}
	if _, err := OpenGGUF(ctx, path, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
}

// TestOverlap points two tensors at the same bytes, as a file would that wants memory many times its size.
func TestOverlap(t *testing.T) {
	file, _ := tinyFile()
	content := file.bytes()
	name := []byte(file.tensors[1].name)
	at := strings.Index(string(content), string(name)) + len(name) + 4 + 8*len(file.tensors[1].shape) + 4
	binary.LittleEndian.PutUint64(content[at:], 0)
	_, err := OpenGGUF(t.Context(), place(t, "overlap.gguf", content), nil)
	if err == nil || !strings.Contains(err.Error(), "overlaps") {
		t.Errorf("error %v", err)
	}
}

// FuzzOpenGGUF holds that no file panics, and that none makes the reader allocate out of proportion to its size.
func FuzzOpenGGUF(f *testing.F) {
	file, _ := tinyFile()
	whole := file.bytes()
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(whole[:100])
	hungry := slices.Clone(whole)
	binary.LittleEndian.PutUint64(hungry[8:], 1<<19) // tensors
	f.Add(hungry)
	array := &testFile{magic: "GGUF", version: 3, values: []testValue{{"k", []int32{1}}}}
	greedy := array.bytes()
	binary.LittleEndian.PutUint64(greedy[24+8+1+4+4:], 1<<24) // array elements
	f.Add(greedy)
	f.Fuzz(func(t *testing.T, content []byte) {
		path := place(t, "fuzz.gguf", content)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		teacher, err := OpenGGUF(t.Context(), path, nil)
		runtime.ReadMemStats(&after)
		if spent := after.TotalAlloc - before.TotalAlloc; spent > uint64(8<<20+64*len(content)) {
			t.Errorf("%d bytes of file cost %d bytes of memory", len(content), spent)
		}
		if err == nil {
			if err := errors.Join(teacher.Config.Validate(), teacher.Weights.Check(teacher.Config)); err != nil {
				t.Errorf("an invalid teacher came without an error: %v", err)
			}
		}
	})
}

func TestUnpermuteInvertsLlamaCpp(t *testing.T) {
	for _, test := range []struct{ heads, headSize, width int }{{1, 2, 1}, {3, 8, 5}, {9, 64, 4}} {
		rows := make([]float32, test.heads*test.headSize*test.width)
		for i := range rows {
			rows[i] = float32(i)
		}
		stored := llamaCppOrder(rows, test.heads, test.width)
		if test.headSize > 2 && slices.Equal(stored, rows) {
			t.Fatalf("%+v: llama.cpp's order is no other order", test)
		}
		got := make([]float32, len(rows))
		unpermute(got, stored, test.headSize, test.width)
		if !slices.Equal(got, rows) {
			t.Errorf("%+v: rows are not back in place", test)
		}
	}
}

func TestCompareShapesCountsTheRest(t *testing.T) {
	err := compareShapes(nil, Layout(tiny))
	if err == nil || !strings.Contains(err.Error(), "and 12 more") {
		t.Errorf("20 missing tensors: %v", err)
	}
	have := maps.Clone(Layout(tiny))
	if err := compareShapes(have, Layout(tiny)); err != nil {
		t.Error(err)
	}
}

func TestWeightsCheck(t *testing.T) {
	_, w := tinyFile()
	if err := w.Check(tiny); err != nil {
		t.Fatal(err)
	}
	if got, want := w.Parameters(), int64(6*32+32+2*(2*32+2*32*32+2*16*32+3*32*64)); got != want {
		t.Errorf("%d parameters, want %d", got, want)
	}
	norm := w["model.norm.weight"]
	norm.Data = norm.Data[1:]
	w["model.norm.weight"] = norm
	if err := w.Check(tiny); err == nil || !strings.Contains(err.Error(), "holds 31 values") {
		t.Errorf("a short tensor: %v", err)
	}
}

func TestElements(t *testing.T) {
	for _, test := range []struct {
		shape []int
		want  int64
		ok    bool
	}{{nil, 1, true}, {[]int{3, 4}, 12, true}, {[]int{3, 0}, 0, true}, {[]int{-1}, 0, false},
		{[]int{math.MaxInt}, 0, false}, {[]int{1 << 30, 1 << 30}, 0, false}, {[]int{0, math.MaxInt}, 0, false}} {
		if n, ok := elements(test.shape); n != test.want || ok != test.ok {
			t.Errorf("elements(%v) = %d, %v, want %d, %v", test.shape, n, ok, test.want, test.ok)
		}
	}
}
