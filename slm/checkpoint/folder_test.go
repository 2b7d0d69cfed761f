package checkpoint

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
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

// TestOpenFolders opens what transformers wrote: every family, tied and untied, in one file and in several, and in number
// types of 16 bits. That the values are right shows in the logits of slm/model's tests.
func TestOpenFolders(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join(transformersCases, "*", "config.json"))
	if err != nil || len(folders) < 10 {
		t.Fatalf("%d cases, %v", len(folders), err)
	}
	for _, path := range folders {
		folder := filepath.Dir(path)
		teacher, w := openAll(t, folder)
		if err := w.Check(teacher.Config); err != nil {
			t.Errorf("%s: %v", folder, err)
		}
		if teacher.Config.Name != filepath.Base(folder) || teacher.EOS != 0 || teacher.TokenizerJSON != nil || teacher.Origin.Path != folder {
			t.Errorf("%s: name %q, end %d, origin %+v", folder, teacher.Config.Name, teacher.EOS, teacher.Origin)
		}
		var bytes int64
		for _, f := range teacher.Origin.Files {
			if filepath.Ext(f.Name) == ".safetensors" {
				bytes += f.Bytes
			}
		}
		if bytes != teacher.Bytes || bytes < 2*w.Parameters() {
			t.Errorf("%s: %d bytes, its files have %d", folder, teacher.Bytes, bytes)
		}
	}
}

// TestShardsAreOneModel holds a model in three files against the same in one.
func TestShardsAreOneModel(t *testing.T) {
	folder := filepath.Join(transformersCases, "llama-sharded")
	teacher, got := openAll(t, folder)
	want := Weights{}
	files, _ := filepath.Glob(filepath.Join(folder, "*.safetensors"))
	for _, file := range files {
		part, _, err := LoadSafetensors(file)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(want, part)
	}
	if len(files) != 3 || !reflect.DeepEqual(got, want) {
		t.Errorf("%d files; the weights differ from those in them", len(files))
	}
	names := []string{"config.json", "model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors", "model.safetensors.index.json"}
	var have []string
	list := sha256.New()
	for _, f := range teacher.Origin.Files {
		content, err := os.ReadFile(filepath.Join(folder, f.Name))
		if err != nil {
			t.Fatal(err)
		}
		have = append(have, f.Name)
		fmt.Fprintf(list, "%x  %s\n", sha256.Sum256(content), f.Name)
	}
	hash, err := teacher.Hash(t.Context())
	if err != nil || !slices.Equal(have, names) || hash != hex.EncodeToString(list.Sum(nil)) {
		t.Errorf("files %v, hash %s, %v", have, hash, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	teacher.Origin.Files[0].SHA256 = ""
	if _, err := teacher.Hash(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// configJSON is an architecture as transformers 4 writes it.
func configJSON(c slm.Config) object {
	o := object{"model_type": c.Family, "num_hidden_layers": c.Layers, "hidden_size": c.Embd, "intermediate_size": c.FFN, "num_attention_heads": c.Heads,
		"vocab_size": c.Vocab, "max_position_embeddings": c.Context, "tie_word_embeddings": c.Tied, "eos_token_id": 0}
	if c.Family == slm.GPTNeoX {
		o["layer_norm_eps"], o["rotary_pct"] = c.NormEps, c.RotaryFraction
	} else {
		o["rms_norm_eps"], o["num_key_value_heads"], o["head_dim"] = c.NormEps, c.QueryGroups, c.HeadSize
	}
	return o
}

// folderOf writes a model of random weights into a folder.
func folderOf(t testing.TB, c slm.Config) (folder string, w Weights) {
	t.Helper()
	_, w = fileOf(c)
	folder = filepath.Join(t.TempDir(), "Tiny")
	text, err := json.Marshal(configJSON(c))
	if err := errors.Join(err, os.Mkdir(folder, 0o755), os.WriteFile(filepath.Join(folder, "config.json"), text, 0o644),
		SaveSafetensors(filepath.Join(folder, "model.safetensors"), w, nil)); err != nil {
		t.Fatal(err)
	}
	return folder, w
}

func save(t *testing.T, folder, name string, content any) {
	t.Helper()
	path := filepath.Join(folder, name)
	var err error
	switch c := content.(type) {
	case Weights:
		err = SaveSafetensors(path, c, nil)
	case []byte:
		err = os.WriteFile(path, c, 0o644)
	case string:
		err = os.WriteFile(path, []byte(c), 0o644)
	default:
		text, e := json.Marshal(c)
		err = errors.Join(e, os.WriteFile(path, text, 0o644))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestTensorsOfEveryFamily opens checkpoints with a missing, a surplus and a wrongly shaped tensor: the error names it.
func TestTensorsOfEveryFamily(t *testing.T) {
	up := map[slm.Family]string{slm.GPTNeoX: "gpt_neox.layers.1.mlp.dense_h_to_4h.weight", slm.Llama: "model.layers.1.mlp.up_proj.weight", slm.Qwen3: "model.layers.1.mlp.up_proj.weight"}
	for _, family := range slm.Families {
		c := tinyOf(family)
		for name, test := range map[string]struct {
			harm func(w Weights)
			want []string
		}{
			"missing": {func(w Weights) { delete(w, up[family]) }, []string{fmt.Sprintf("%q is missing (shape [64 32])", up[family])}},
			"surplus": {func(w Weights) { w["score.weight"] = Tensor{[]int{1}, []float32{1}} }, []string{`"score.weight" is not part of this architecture`}},
			"renamed": {func(w Weights) { w["x"] = w[up[family]]; delete(w, up[family]) }, []string{up[family], `"x" is not part`}},
			"shape": {func(w Weights) { w[up[family]] = Tensor{[]int{32, 64}, w[up[family]].Data} },
				[]string{fmt.Sprintf("%q has shape [32 64], want [64 32]", up[family])}},
			"a layer too many": {func(w Weights) { w[strings.Replace(up[family], ".1.", ".2.", 1)] = w[up[family]] }, []string{strings.Replace(up[family], ".1.", ".2.", 1)}},
			"a bias": {func(w Weights) {
				w["model.layers.0.self_attn.q_proj.bias"] = Tensor{[]int{32}, make([]float32, 32)}
			}, []string{`"model.layers.0.self_attn.q_proj.bias" is not part`}},
		} {
			folder, w := folderOf(t, c)
			test.harm(w)
			save(t, folder, "model.safetensors", w)
			_, err := Open(t.Context(), folder, Options{})
			if err == nil {
				t.Errorf("%s, %s: no error", family, name)
				continue
			}
			for _, want := range append(test.want, folder) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%s, %s: error %q lacks %q", family, name, err, want)
				}
			}
		}
		// The same in a GGUF.
		for name, test := range map[string]struct {
			harm func(f *testFile)
			want string
		}{
			"missing": {func(f *testFile) { f.tensors = f.tensors[:len(f.tensors)-1] }, "is missing"},
			"surplus": {func(f *testFile) {
				f.tensors = append(f.tensors, testTensor{"blk.0.attn_q_lora.weight", []uint64{1}, 0, make([]byte, 4)})
			}, `"blk.0.attn_q_lora.weight" is not part`},
			"shape": {func(f *testFile) { f.tensor("blk.1.ffn_up.weight").shape = []uint64{64, 32} }, fmt.Sprintf("%q has shape [32 64], want [64 32]", up[family])},
		} {
			file, _ := fileOf(c)
			test.harm(file)
			if _, err := Open(t.Context(), place(t, "bad.gguf", file.bytes()), Options{}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s, GGUF, %s: error %v, want %q", family, name, err, test.want)
			}
		}
	}
}

// TestSuperfluousTensors passes over what older versions of transformers saved beside the model.
func TestSuperfluousTensors(t *testing.T) {
	beside := map[slm.Family][]string{
		slm.GPTNeoX: {"gpt_neox.layers.0.attention.bias", "gpt_neox.layers.1.attention.masked_bias", "gpt_neox.layers.1.attention.rotary_emb.inv_freq", "embed_out.weight"},
		slm.Llama:   {"model.layers.0.self_attn.rotary_emb.inv_freq", "model.rotary_emb.inv_freq", "lm_head.weight"},
		slm.Qwen3:   {"model.layers.0.self_attn.rotary_emb.inv_freq", "lm_head.weight"},
	}
	for _, family := range slm.Families {
		c := tinyOf(family)
		c.Tied = true // the head is then only beside it
		folder, want := folderOf(t, c)
		more := maps.Clone(want)
		for _, name := range beside[family] {
			more[name] = Tensor{[]int{1}, []float32{7}}
		}
		save(t, folder, "model.safetensors", more)
		if _, got := openAll(t, folder); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the weights differ", family)
		}
	}
	// Masks are of truth values, which nothing else may be stored as.
	folder, w := folderOf(t, tiny)
	save(t, folder, "model.safetensors", withTypes(t, folder, map[string]string{"model.norm.weight": "I32"}))
	if _, err := Open(t.Context(), folder, Options{}); err == nil || !strings.Contains(err.Error(), `"model.norm.weight" is stored as "I32"; F32, F16 and BF16 are supported`) {
		t.Errorf("whole numbers: %v", err)
	}
	w["x.rotary_emb.inv_freq"] = Tensor{[]int{2}, []float32{1, 2}}
	save(t, folder, "model.safetensors", w)
	save(t, folder, "model.safetensors", withTypes(t, folder, map[string]string{"x.rotary_emb.inv_freq": "U32"}))
	openAll(t, folder)
}

// withTypes is a folder's model.safetensors with other number types of the same size in its header.
func withTypes(t *testing.T, folder string, types map[string]string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	n := 8 + binary.LittleEndian.Uint64(content)
	header := content[8:n:n]
	for name, kind := range types {
		header = bytes.Replace(header, []byte(name+`":{"dtype":"F32"`), []byte(name+`":{"dtype":"`+kind+`"`), 1)
	}
	return safetensorsBytes(string(header), content[n:])
}

func TestOpenFolderRefuses(t *testing.T) {
	long := strings.Repeat("x", 10)
	for _, test := range []struct {
		name string
		harm func(t *testing.T, folder string, w Weights)
		want []string
	}{
		{"no config.json", func(t *testing.T, folder string, w Weights) { os.Remove(filepath.Join(folder, "config.json")) }, []string{"config.json", "no such file"}},
		{"a broken config.json", func(t *testing.T, folder string, w Weights) { save(t, folder, "config.json", "{") }, []string{"config.json: it is not a JSON object"}},
		{"a wrong key", func(t *testing.T, folder string, w Weights) {
			save(t, folder, "config.json", changed(t, smallest, object{"hidden_act": "relu"}))
		}, []string{`config.json: "hidden_act" is "relu"`}},
		{"a broken end", func(t *testing.T, folder string, w Weights) {
			c := configJSON(tiny)
			c["eos_token_id"] = "end"
			save(t, folder, "config.json", c)
		}, []string{`"eos_token_id" is "end"`}},
		{"more layers than tensors", func(t *testing.T, folder string, w Weights) {
			c := configJSON(tiny)
			c["num_hidden_layers"] = 4000
			save(t, folder, "config.json", c)
		}, []string{"4000 layers", "only 20 tensors"}},
		{"no weights", func(t *testing.T, folder string, w Weights) { os.Remove(filepath.Join(folder, "model.safetensors")) }, []string{"neither model.safetensors nor model.safetensors.index.json"}},
		{"weights in a pickle", func(t *testing.T, folder string, w Weights) {
			os.Rename(filepath.Join(folder, "model.safetensors"), filepath.Join(folder, "pytorch_model.bin"))
		}, []string{"pytorch_model.bin, a Python pickle", "save_pretrained"}},
		{"weights cut short", func(t *testing.T, folder string, w Weights) {
			if err := os.Truncate(filepath.Join(folder, "model.safetensors"), 9000); err != nil {
				t.Fatal(err)
			}
		}, []string{"model.safetensors", "cut short"}},
		{"a header of other bytes", func(t *testing.T, folder string, w Weights) {
			save(t, folder, "model.safetensors", append(bytes.Repeat([]byte{0xff}, 8), long...))
		}, []string{"header should have 18446744073709551615 bytes, the file has 18"}},
	} {
		folder, w := folderOf(t, tiny)
		test.harm(t, folder, w)
		_, err := Open(t.Context(), folder, Options{})
		if err == nil {
			t.Errorf("%s: no error", test.name)
			continue
		}
		for _, want := range append(test.want, folder) {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %q lacks %q", test.name, err, want)
			}
		}
	}
}

// inShards replaces a folder's weights by two files and their index, which harm may change first.
func inShards(t *testing.T, folder string, w Weights, harm func(index map[string]string, parts [2]Weights)) {
	t.Helper()
	parts, index := [2]Weights{{}, {}}, map[string]string{}
	for i, name := range slices.Sorted(maps.Keys(w)) {
		parts[i%2][name] = w[name]
		index[name] = fmt.Sprintf("model-%d.safetensors", i%2)
	}
	harm(index, parts)
	for i, part := range parts {
		save(t, folder, fmt.Sprintf("model-%d.safetensors", i), part)
	}
	save(t, folder, "model.safetensors.index.json", object{"metadata": object{"total_size": 1}, "weight_map": index})
	if err := os.Remove(filepath.Join(folder, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
}

func TestShardsRefuse(t *testing.T) {
	const norm = "model.norm.weight"
	for _, test := range []struct {
		name string
		harm func(index map[string]string, parts [2]Weights)
		want []string
	}{
		{"nothing", func(map[string]string, [2]Weights) {}, nil},
		{"a missing file", func(index map[string]string, parts [2]Weights) { index[norm] = "model-7.safetensors" }, []string{"model-7.safetensors, which the index names, is missing"}},
		{"a file outside", func(index map[string]string, parts [2]Weights) { index[norm] = "../model-0.safetensors" }, []string{`"../model-0.safetensors", want a safetensors file in the same folder`}},
		{"an absolute file", func(index map[string]string, parts [2]Weights) { index[norm] = "/etc/x.safetensors" }, []string{`"/etc/x.safetensors"`}},
		{"a pickle", func(index map[string]string, parts [2]Weights) { index[norm] = "model.bin" }, []string{`"model.bin"`}},
		{"a tensor in the other", func(index map[string]string, parts [2]Weights) {
			index[norm] = map[string]string{"model-0.safetensors": "model-1.safetensors", "model-1.safetensors": "model-0.safetensors"}[index[norm]]
		}, []string{norm, "which does not hold it"}},
		{"a tensor in both", func(index map[string]string, parts [2]Weights) {
			for _, part := range parts {
				part[norm] = Tensor{[]int{32}, make([]float32, 32)}
			}
		}, []string{`"model.norm.weight" is in model-0.safetensors and in model-1.safetensors`}},
		{"a tensor too many", func(index map[string]string, parts [2]Weights) { parts[0]["x"] = Tensor{[]int{1}, []float32{1}} }, []string{`"x" of model-0.safetensors is not in the index`}},
		{"a tensor that none has", func(index map[string]string, parts [2]Weights) { index["y"] = "model-0.safetensors" }, []string{`"y" in model-0.safetensors, which does not hold it`}},
		{"nothing in the index", func(index map[string]string, parts [2]Weights) { clear(index) }, []string{"weight_map is empty"}},
	} {
		folder, w := folderOf(t, tiny)
		inShards(t, folder, w, test.harm)
		teacher, err := Open(t.Context(), folder, Options{})
		if test.want == nil {
			if err != nil {
				t.Fatal(err)
			}
			if got, err := ReadAll(t.Context(), teacher.Source, teacher.Config); err != nil || !reflect.DeepEqual(got, w) {
				t.Errorf("the weights differ, %v", err)
			}
			continue
		}
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want %q", test.name, err, want)
			}
		}
	}
}

// TestTokenizerOfAFolder takes tokenizer.json along, and finds the token that ends a text.
func TestTokenizerOfAFolder(t *testing.T) {
	const tokenizer = `{"added_tokens": [{"id": 3, "content": "<end>"}, {"id": 4, "content": "<pad>"}]}`
	for name, test := range map[string]struct {
		config any
		named  string
		want   int
	}{
		"in config.json":               {2, `{"eos_token": "<end>"}`, 2},
		"the first of several":         {[]int{5, 2}, "", 5},
		"in tokenizer_config.json":     {nil, `{"eos_token": "<end>"}`, 3},
		"as an object":                 {nil, `{"eos_token": {"content": "<pad>", "lstrip": false}}`, 4},
		"one that is not there":        {nil, `{"eos_token": "<other>"}`, -1},
		"none":                         {nil, `{"eos_token": null}`, -1},
		"a broken tokenizer_config":    {nil, `{`, -1},
		"none in an empty list either": {[]int{}, `{"eos_token": "<end>"}`, 3},
	} {
		folder, _ := folderOf(t, tiny)
		c := configJSON(tiny)
		c["eos_token_id"] = test.config
		save(t, folder, "config.json", c)
		save(t, folder, "tokenizer.json", tokenizer)
		if test.named != "" {
			save(t, folder, "tokenizer_config.json", test.named)
		}
		teacher, _ := openAll(t, folder)
		if teacher.EOS != test.want || string(teacher.TokenizerJSON) != tokenizer || !slices.ContainsFunc(teacher.Origin.Files, func(f OriginFile) bool { return f.Name == "tokenizer.json" }) {
			t.Errorf("%s: end %d, want %d; files %+v", name, teacher.EOS, test.want, teacher.Origin.Files)
		}
	}
}

// FuzzOpenFolder holds that no config.json, index or header panics, leads out of the folder, or costs memory out of
// proportion to the files.
func FuzzOpenFolder(f *testing.F) {
	folder, w := folderOf(f, tiny)
	config, err := os.ReadFile(filepath.Join(folder, "config.json"))
	if err != nil {
		f.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(folder, "model.safetensors"))
	if err != nil {
		f.Fatal(err)
	}
	n := 8 + binary.LittleEndian.Uint64(content)
	index := map[string]string{}
	for name := range w {
		index[name] = "a.safetensors"
	}
	text, err := json.Marshal(object{"weight_map": index})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(config, text, content[8:n])
	f.Add(config, []byte(`{"weight_map":{"a":"../outside.safetensors"}}`), content[8:n])
	f.Add(config, []byte(`{"weight_map":{"a":"a.safetensors","b":"b.safetensors"}}`), []byte(`{}`))
	f.Add([]byte(smallest), []byte(`{}`), []byte(`{"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}`))
	data := content[n:]
	outside := filepath.Join(f.TempDir(), "outside.safetensors")
	if err := os.WriteFile(outside, safetensorsBytes(string(content[8:n]), data), 0o644); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, config, index, header []byte) {
		folder := filepath.Join(t.TempDir(), "in")
		if err := errors.Join(os.Mkdir(folder, 0o755), os.WriteFile(filepath.Join(folder, "config.json"), config, 0o644),
			os.WriteFile(filepath.Join(folder, "model.safetensors.index.json"), index, 0o644),
			os.WriteFile(filepath.Join(folder, "a.safetensors"), safetensorsBytes(string(header), data), 0o644),
			os.Symlink(outside, filepath.Join(filepath.Dir(folder), "outside.safetensors"))); err != nil {
			t.Fatal(err)
		}
		size := len(config) + len(index) + len(header) + len(data)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		teacher, err := Open(context.Background(), folder, Options{})
		runtime.ReadMemStats(&after)
		if spent := after.TotalAlloc - before.TotalAlloc; spent > uint64(2<<20+256*size) {
			t.Errorf("%d bytes of files cost %d bytes of memory", size, spent)
		}
		if err != nil {
			return
		}
		defer teacher.Close()
		for _, file := range teacher.Origin.Files {
			if !filepath.IsLocal(file.Name) || strings.Contains(file.Name, "/") {
				t.Errorf("the file %q is used", file.Name)
			}
		}
		read, err := ReadAll(context.Background(), teacher.Source, teacher.Config)
		if err := errors.Join(err, teacher.Config.Validate(), read.Check(teacher.Config)); err != nil {
			t.Errorf("an invalid teacher came without an error: %v", err)
		}
	})
}

// TestSixteenBits writes values in both types of 16 bits by hand.
func TestSixteenBits(t *testing.T) {
	header := `{"f16":{"dtype":"F16","shape":[3],"data_offsets":[0,6]},"bf16":{"dtype":"BF16","shape":[2],"data_offsets":[6,10]}}`
	data := []byte{0x00, 0x3e, 0x01, 0x80, 0x00, 0xfc, 0xc0, 0x3f, 0x20, 0xc1}
	file, err := openSafetensors(place(t, "half.safetensors", safetensorsBytes(header, data)))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, want := range map[string][]float32{"f16": {1.5, -0x1p-24, float32(math.Inf(-1))}, "bf16": {1.5, -10}} {
		got := make([]float32, len(want))
		if err := file.Read(name, got); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, want)
		}
	}
}
