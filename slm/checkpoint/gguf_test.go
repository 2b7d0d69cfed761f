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

	"github.com/offshoot-ml/offshoot/slm"
)

// openAll opens a teacher and reads all of it.
func openAll(t testing.TB, path string) (*Teacher, Weights) {
	t.Helper()
	teacher, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer teacher.Close()
	w, err := ReadAll(t.Context(), teacher.Source, teacher.Config)
	if err != nil {
		t.Fatal(err)
	}
	return teacher, w
}

func TestOpenGGUF(t *testing.T) {
	for _, family := range slm.Families {
		for _, tied := range []bool{true, false} {
			config := tinyOf(family)
			config.Tied = tied
			file, want := fileOf(config)
			content := file.bytes()
			path := place(t, "Tiny.gguf", content)
			teacher, got := openAll(t, path)
			if !reflect.DeepEqual(teacher.Config, config) {
				t.Errorf("%s: architecture\n%+v, want\n%+v", family, teacher.Config, config)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: the weights differ from those written", family)
			}
			sum := sha256.Sum256(content)
			hash, err := teacher.Hash(t.Context())
			if err != nil || hash != hex.EncodeToString(sum[:]) || teacher.Bytes != int64(len(content)) {
				t.Errorf("%s: hash %s, %v, %d bytes", family, hash, err, teacher.Bytes)
			}
			origin := Origin{Path: path, Files: []OriginFile{{Name: "Tiny.gguf", Bytes: int64(len(content)), SHA256: hash, path: path}}}
			if !reflect.DeepEqual(teacher.Origin, origin) {
				t.Errorf("%s: origin %+v", family, teacher.Origin)
			}
			v := Vocabulary{Model: "gpt2", PreTokenizer: "smollm", Tokens: []string{"<|endoftext|>", "a", "b", "c", "ab", "abc"},
				Types: []int32{3, 1, 1, 1, 1, 1}, Merges: []string{"a b", "ab c"}, BOS: -1, EOS: 0, Unknown: -1, AddBOS: true}
			if !reflect.DeepEqual(teacher.Vocabulary, v) || teacher.EOS != 0 {
				t.Errorf("%s: vocabulary %+v, end %d, want %+v", family, teacher.Vocabulary, teacher.EOS, v)
			}
		}
	}
}

// TestSourceRefuses asks a file for what it has not.
func TestSourceRefuses(t *testing.T) {
	file, _ := tinyFile()
	teacher, err := Open(t.Context(), place(t, "tiny.gguf", file.bytes()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if shape, ok := teacher.Source.Shape("model.norm.weight"); !ok || !slices.Equal(shape, []int{32}) {
		t.Errorf("shape %v, %v", shape, ok)
	}
	if _, ok := teacher.Source.Shape("output_norm.weight"); ok {
		t.Error("a tensor is there under llama.cpp's name")
	}
	for name, n := range map[string]int{"lm_head.weight": 1, "model.norm.weight": 31} {
		if err := teacher.Source.Read(name, make([]float32, n)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	teacher.Close()
	if err := teacher.Source.Read("model.norm.weight", make([]float32, 32)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestRotaryFactors reads scaled rotary positions: by a number, by a tensor, and by both.
func TestRotaryFactors(t *testing.T) {
	factors := []float32{1, 1, 1.5, 2, 8, 8, 8, 8}
	for name, test := range map[string]struct {
		values map[string]any
		tensor []float32
		want   slm.RopeScaling
	}{
		"none":            {map[string]any{"llama.rope.scaling.type": "none", "llama.rope.scaling.factor": float32(4)}, nil, slm.RopeScaling{}},
		"linear":          {map[string]any{"llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": float32(4)}, nil, slm.RopeScaling{Kind: "linear", Factor: 4}},
		"a factor alone":  {map[string]any{"llama.rope.scaling.factor": float32(2.5)}, nil, slm.RopeScaling{Kind: "linear", Factor: 2.5}},
		"the older name":  {map[string]any{"llama.rope.scale_linear": float32(2)}, nil, slm.RopeScaling{Kind: "linear", Factor: 2}},
		"a factor of one": {map[string]any{"llama.rope.scaling.factor": float32(1)}, []float32{1, 1, 1, 1, 1, 1, 1, 1}, slm.RopeScaling{}},
		"a tensor":        {nil, factors, slm.RopeScaling{Kind: "longrope", Factors: []float64{1, 1, 1.5, 2, 8, 8, 8, 8}}},
		"both":            {map[string]any{"llama.rope.scaling.factor": float32(2)}, factors, slm.RopeScaling{Kind: "longrope", Factors: []float64{2, 2, 3, 4, 16, 16, 16, 16}}},
	} {
		file, want := tinyFile()
		for key, value := range test.values {
			file.set(key, value)
		}
		if test.tensor != nil {
			file.tensors = append(file.tensors, testTensor{"rope_freqs.weight", []uint64{uint64(len(test.tensor))}, 0, float32Bytes(test.tensor)})
		}
		teacher, got := openAll(t, place(t, "rotary.gguf", file.bytes()))
		if !reflect.DeepEqual(teacher.Config.RopeScaling, test.want) {
			t.Errorf("%s: %+v, want %+v", name, teacher.Config.RopeScaling, test.want)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the weights differ", name)
		}
	}
}

// TestQuantizedRows stores query rows in blocks, so that rows that change places are decoded one by one.
func TestQuantizedRows(t *testing.T) {
	file, want := tinyFile()
	query := file.tensor("blk.1.attn_q.weight")
	var data []byte
	for row := range 32 { // a scale of row/64 and the values 1 to 32
		data = append(data, 0, 0)
		binary.LittleEndian.PutUint16(data[len(data)-2:], halfOf(row))
		for i := range 32 {
			data = append(data, byte(i+1))
		}
	}
	query.kind, query.data = 8, data
	_, got := openAll(t, place(t, "rows.gguf", file.bytes()))
	rows := make([]float32, 32*32) // as stored
	for i := range rows {
		rows[i] = float32(i/32) / 64 * float32(i%32+1)
	}
	name := "model.layers.1.self_attn.q_proj.weight"
	if stored := llamaCppOrder(got[name].Data, 2, 32); !slices.Equal(stored, rows) {
		t.Error("quantized rows are not in their places")
	}
	delete(got, name)
	delete(want, name)
	if !reflect.DeepEqual(got, want) {
		t.Error("other weights differ")
	}
}

// halfOf is n/64 as a float16, n below 64.
func halfOf(n int) uint16 {
	for bits := range uint16(0x3c01) {
		if half(bits) == float32(n)/64 {
			return bits
		}
	}
	panic(n)
}

func TestOpenGGUFRefuses(t *testing.T) {
	for _, test := range []struct {
		name string
		harm func(f *testFile)
		want []string
	}{
		{"another format", func(f *testFile) { f.magic = "GGML" }, []string{"not a GGUF file", `"GGML"`}},
		{"a future version", func(f *testFile) { f.version = 4 }, []string{"version 4"}},
		{"another family", func(f *testFile) { f.set("general.architecture", "gpt2") }, []string{`"gpt2"`, "supported: gptneox, llama, qwen3"}},
		{"no family", func(f *testFile) { f.set("general.architecture", nil) }, []string{`family ""`}},
		{"no layers", func(f *testFile) { f.set("llama.block_count", nil) }, []string{"llama.block_count"}},
		{"two values missing", func(f *testFile) {
			f.set("llama.block_count", nil)
			f.set("llama.embedding_length", nil)
		}, []string{"llama.block_count", "llama.embedding_length"}},
		{"a value of another type", func(f *testFile) { f.set("llama.block_count", "two") }, []string{"llama.block_count", "two"}},
		{"more layers than tensors", func(f *testFile) { f.set("llama.block_count", uint32(4000)) }, []string{"4000 layers", "only 20 tensors"}},
		{"heads that do not divide", func(f *testFile) { f.set("llama.attention.head_count_kv", uint32(3)) }, []string{"query groups"}},
		{"partial rotation", func(f *testFile) { f.set("llama.rope.dimension_count", uint32(8)) }, []string{"rotates 8 of 16"}},
		{"scaled rotation", func(f *testFile) { f.set("llama.rope.scaling.type", "yarn") }, []string{"yarn", "none and linear are supported"}},
		{"too few rotary factors", func(f *testFile) {
			f.tensors = append(f.tensors, testTensor{"rope_freqs.weight", []uint64{2}, 0, float32Bytes([]float32{2, 2})})
		}, []string{"2 factors for 8 rotated pairs"}},
		{"too many rotary factors", func(f *testFile) {
			f.tensors = append(f.tensors, testTensor{"rope_freqs.weight", []uint64{17}, 0, make([]byte, 4*17)})
		}, []string{"rope_freqs.weight", "17 values"}},
		{"a head with two sizes", func(f *testFile) { f.set("llama.attention.value_length", uint32(8)) }, []string{"values of 8 dimensions and keys of 16"}},
		{"an endless epsilon", func(f *testFile) { f.set("llama.attention.layer_norm_rms_epsilon", float32(math.Inf(1))) }, []string{"layer_norm_rms_epsilon", "+Inf"}},
		{"heads by layer", func(f *testFile) { f.set("llama.attention.head_count", []int32{2, 2}) }, []string{"head_count", "a list of numbers"}},
		{"a value twice", func(f *testFile) { f.values = append(f.values, f.values[0]) }, []string{`"general.architecture" twice`}},
		{"no epsilon", func(f *testFile) { f.set("llama.attention.layer_norm_rms_epsilon", nil) }, []string{"norm_eps"}},
		{"too few tokens", func(f *testFile) {
			f.set("llama.vocab_size", uint32(6))
			f.set("tokenizer.ggml.tokens", []string{})
		}, []string{"0 tokens", "6 rows"}},
		{"too many tokens", func(f *testFile) { f.set("llama.vocab_size", uint32(5)) }, []string{"6 tokens", "5 rows"}},
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
		{"a type that cannot be read", func(f *testFile) { f.tensor("token_embd.weight").kind = 22 }, []string{"IQ2_S"}},
		{"an unknown type", func(f *testFile) { f.tensor("token_embd.weight").kind = 77 }, []string{"the unknown type 77"}},
		{"part of a block", func(f *testFile) {
			f.tensor("output_norm.weight").shape, f.tensor("output_norm.weight").kind = []uint64{31}, 8
		}, []string{"rows of 31 values, not a whole number of Q8_0 blocks"}},
		{"an odd alignment", func(f *testFile) { f.set("general.alignment", uint32(48)) }, []string{"alignment of 48"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			file, _ := tinyFile()
			test.harm(file)
			path := place(t, "bad.gguf", file.bytes())
			_, err := Open(t.Context(), path, Options{})
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
		_, err := Open(t.Context(), path, Options{})
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

// TestOverlap points two tensors at the same bytes, as a file would that wants memory many times its size.
func TestOverlap(t *testing.T) {
	file, _ := tinyFile()
	content := file.bytes()
	name := []byte(file.tensors[1].name)
	at := strings.Index(string(content), string(name)) + len(name) + 4 + 8*len(file.tensors[1].shape) + 4
	binary.LittleEndian.PutUint64(content[at:], 0)
	_, err := Open(t.Context(), place(t, "overlap.gguf", content), Options{})
	if err == nil || !strings.Contains(err.Error(), "overlaps") {
		t.Errorf("error %v", err)
	}
}

// FuzzOpenGGUF holds that no file panics, and that none makes the reader allocate out of proportion to its size.
func FuzzOpenGGUF(f *testing.F) {
	for _, family := range slm.Families {
		file, _ := fileOf(tinyOf(family))
		f.Add(file.bytes())
	}
	file, _ := tinyFile()
	whole := file.bytes()
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
		teacher, err := Open(context.Background(), path, Options{})
		runtime.ReadMemStats(&after)
		if spent := after.TotalAlloc - before.TotalAlloc; spent > uint64(1<<20+64*len(content)) {
			t.Errorf("%d bytes of file cost %d bytes of memory", len(content), spent)
		}
		if err != nil {
			return
		}
		defer teacher.Close()
		w, err := ReadAll(context.Background(), teacher.Source, teacher.Config)
		if err := errors.Join(err, teacher.Config.Validate(), w.Check(teacher.Config)); err != nil {
			t.Errorf("an invalid teacher came without an error: %v", err)
		}
	})
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
