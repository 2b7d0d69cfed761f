package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestSafetensorsRoundTrip(t *testing.T) {
	_, w := tinyFile()
	w["odd \"name\""] = Tensor{Shape: []int{}, Data: []float32{float32(math.Inf(-1))}}
	w["empty"] = Tensor{Shape: []int{0, 4}, Data: []float32{}}
	metadata := map[string]string{"format": "pt", "step": "20"}
	path := filepath.Join(t.TempDir(), "w.safetensors")
	if err := SaveSafetensors(path, w, metadata); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, gotMetadata, err := LoadSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, w) || !reflect.DeepEqual(gotMetadata, metadata) {
		t.Errorf("read back %d tensors and %v", len(got), gotMetadata)
	}
	if err := SaveSafetensors(path, got, gotMetadata); err != nil {
		t.Fatal(err)
	}
	if second, _ := os.ReadFile(path); !bytes.Equal(first, second) {
		t.Error("equal weights made another file")
	}
	if n := binary.LittleEndian.Uint64(first); n%8 != 0 {
		t.Errorf("the data begins after a header of %d bytes, not aligned to 8", n)
	}
}

// safetensorsBytes are a file of a header as it is given, and data.
func safetensorsBytes(header string, data []byte) []byte {
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), []byte(header), data)
}

func TestLoadSafetensorsHalfPrecision(t *testing.T) {
	header := `{"f16":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"bf16":{"dtype":"BF16","shape":[1,2],"data_offsets":[4,8]}}`
	path := place(t, "half.safetensors", safetensorsBytes(header, []byte{0x00, 0x3e, 0x01, 0x00, 0xc0, 0x3f, 0x20, 0xc1}))
	w, metadata, err := LoadSafetensors(path)
	want := Weights{"f16": {[]int{2}, []float32{1.5, 1.0 / (1 << 24)}}, "bf16": {[]int{1, 2}, []float32{1.5, -10}}}
	if err != nil || metadata != nil || !reflect.DeepEqual(w, want) {
		t.Errorf("%v, %v, %v, want %v", w, metadata, err, want)
	}
}

func TestLoadSafetensorsRefuses(t *testing.T) {
	eight := make([]byte, 8)
	good := `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`
	for _, test := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"empty", nil, "too few"},
		{"a huge header", binary.LittleEndian.AppendUint64(nil, 1<<60), "header should have"},
		{"a header that is cut", safetensorsBytes(good, nil)[:20], "cut short"},
		{"no JSON", safetensorsBytes("hello!", nil), "not valid JSON"},
		{"an unknown type", safetensorsBytes(strings.Replace(good, "F32", "F4", 1), eight), `"F4"; F32, F16 and BF16 are supported`},
		{"another type", safetensorsBytes(strings.Replace(strings.Replace(good, "F32", "F64", 1), "[2]", "[1]", 1), eight), `"F64"`},
		{"another size", safetensorsBytes(strings.Replace(good, "F32", "I64", 1), eight), `(I64)`},
		{"data cut short", safetensorsBytes(good, eight[:7]), "need 8 bytes after the header, the file has 7"},
		{"data too long", safetensorsBytes(good, make([]byte, 9)), "the file has 9"},
		{"an offset before the data", safetensorsBytes(strings.Replace(good, "[0,8]", "[-8,0]", 1), eight), "-8"},
		{"an offset outside", safetensorsBytes(strings.Replace(good, "[0,8]", "[0,9223372036854775807]", 1), eight), "9223372036854775807"},
		{"backward offsets", safetensorsBytes(strings.Replace(good, "[0,8]", "[8,0]", 1), eight), "8 to 0"},
		{"a shape that overflows", safetensorsBytes(strings.Replace(good, "[2]", "[4611686018427387904,4]", 1), eight), "4611686018427387904"},
		{"a negative shape", safetensorsBytes(strings.Replace(good, "[2]", "[-1,-2]", 1), eight), "[-1 -2]"},
		{"an overlap", safetensorsBytes(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, eight), `"b"`},
		{"a gap", safetensorsBytes(strings.Replace(strings.Replace(good, "[0,8]", "[4,8]", 1), "[2]", "[1]", 1), eight), "from byte 0"},
		{"bad metadata", safetensorsBytes(`{"__metadata__":{"a":1}}`, nil), "metadata"},
		{"a tensor that is a list", safetensorsBytes(`{"a":[1]}`, nil), `tensor "a"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := place(t, "bad.safetensors", test.content)
			_, _, err := LoadSafetensors(path)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want one with %q and the path", err, test.want)
			}
		})
	}
}

func TestSaveSafetensorsRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.safetensors")
	for name, w := range map[string]Weights{
		"shape":    {"a": {[]int{3}, []float32{1}}},
		"metadata": {metadataKey: {[]int{1}, []float32{1}}},
	} {
		if err := SaveSafetensors(path, w, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) > 0 {
		t.Errorf("left behind: %v", entries)
	}
	if err := SaveSafetensors(filepath.Join(t.TempDir(), "none", "w.safetensors"), Weights{}, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// TestWriteAtomicKeepsTheOld fails a write half-way.
func TestWriteAtomicKeepsTheOld(t *testing.T) {
	path := place(t, "w", []byte("old"))
	err := WriteAtomic(path, 2_500_000, func(out io.Writer) error {
		if _, err := out.Write([]byte("ne")); err != nil {
			return err
		}
		return &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	})
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "needs 2.5 MB") || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	entries, _ := os.ReadDir(filepath.Dir(path))
	if text, _ := os.ReadFile(path); string(text) != "old" || len(entries) != 1 {
		t.Errorf("the file holds %q beside %d entries", text, len(entries))
	}
	// A rename that fails: a folder is in the place.
	folder := filepath.Join(t.TempDir(), "d")
	if err := os.MkdirAll(filepath.Join(folder, "inside"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteAtomic(folder, 1, func(io.Writer) error { return nil }); err == nil {
		t.Error("a folder was replaced")
	}
	if entries, _ := os.ReadDir(filepath.Dir(folder)); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

// FuzzLoadSafetensors holds that no file panics or costs memory out of proportion, and that what can be read can be
// written and read again.
func FuzzLoadSafetensors(f *testing.F) {
	f.Add([]byte(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"__metadata__":{"k":"v"}}`), []byte("12345678"))
	f.Add([]byte(`{"a":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[],"data_offsets":[4,6]}}`), []byte("123456"))
	f.Add([]byte(`{"a":{"dtype":"F32","shape":[9223372036854775807,2],"data_offsets":[0,8]}}`), []byte("12345678"))
	f.Add([]byte(`{}`), []byte{})
	f.Fuzz(func(t *testing.T, header, data []byte) {
		path := place(t, "fuzz.safetensors", safetensorsBytes(string(header), data))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w, metadata, err := LoadSafetensors(path)
		runtime.ReadMemStats(&after)
		if spent := after.TotalAlloc - before.TotalAlloc; spent > uint64(4<<20+256*(len(header)+len(data))) {
			t.Errorf("%d bytes of file cost %d bytes of memory", len(header)+len(data), spent)
		}
		if err != nil {
			return
		}
		if err := SaveSafetensors(path, w, metadata); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, _, err := LoadSafetensors(path)
		if err != nil || fmt.Sprint(again) != fmt.Sprint(w) { // NaN differs from itself, but prints the same
			t.Errorf("read again: %v, %v, want %v", again, err, w)
		}
	})
}

func TestHeaderIsSorted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.safetensors")
	w := Weights{"b": {[]int{1}, []float32{2}}, "a": {[]int{1}, []float32{1}}}
	if err := SaveSafetensors(path, w, map[string]string{"k": "v"}); err != nil {
		t.Fatal(err)
	}
	content, _ := os.ReadFile(path)
	n := binary.LittleEndian.Uint64(content)
	want := `{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`
	if got := strings.TrimRight(string(content[8:8+n]), " "); got != want || !json.Valid([]byte(got)) {
		t.Errorf("header %s, want %s", got, want)
	}
}
