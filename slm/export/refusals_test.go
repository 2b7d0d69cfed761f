package export_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/export"
)

// An error says what is wrong with a student, and leaves no folder.
func TestWriteRefusesStudents(t *testing.T) {
	uniform := kinds(smallLlama)["uniform"]
	neox := smallTeachers()[3]
	for _, test := range []struct {
		name    string
		student export.Student
		harm    func(s *export.Student)
		want    string
	}{
		{"a surplus tensor", studentOf(smallLlama, uniform), func(s *export.Student) { s.Weights.(checkpoint.Weights)["x"] = checkpoint.Tensor{} }, `"x" is not part`},
		{"a misshapen tensor", studentOf(smallLlama, uniform), func(s *export.Student) {
			s.Weights.(checkpoint.Weights)["model.norm.weight"] = checkpoint.Tensor{Shape: []int{3}, Data: make([]float32, 3)}
		}, "has shape [3], want [30]"},
		{"no sub-network", studentOf(smallLlama, uniform), func(s *export.Student) { s.Subnet.Layers = []slm.LayerSubnet{{Layer: 7}} }, "layers[0]"},
		{"a tokenizer of another model", studentOf(smallLlama, uniform), func(s *export.Student) { s.Tokenizer = byteTokenizer(t, nil, gpt2Cutter) }, "embedding 64 rows"},
		{"a tokenizer that is none", studentOf(smallLlama, uniform), func(s *export.Student) { s.Tokenizer.JSON = []byte("{") }, "tokenizer.json"},
		{"a token without a row", studentOf(smallLlama, uniform), func(s *export.Student) { n := 64; s.Tokenizer.EOS = &n }, "eos_token has the id 64"},
		{"unequal groups", studentOf(smallLlama, slm.Subnet{Layers: []slm.LayerSubnet{{Heads: slm.IndicesOf(0, 1, 2, 4)}}}), nil, "(layer 0: [2 1 1])"},
		{"heads that do not turn", studentOf(neox, slm.Subnet{Rotary: slm.Kept, Layers: []slm.LayerSubnet{{HeadSize: slm.IndicesOf(5, 6)}}}), nil, "no dimension of its heads turns"},
		{"a GPT-NeoX that its files cannot say", studentOf(neox, slm.Subnet{Embd: slm.First(40)}), nil, "here 6·8 and 40"},
	} {
		if test.harm != nil {
			test.harm(&test.student)
		}
		dir := filepath.Join(t.TempDir(), "student")
		_, err := export.Write(t.Context(), dir, test.student, export.Options{Layers: export.Uniform})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: a folder was left", test.name)
		}
	}
}

// What no plain model can be is written with code, unless another way is asked for.
func TestCodeIsTheLastResort(t *testing.T) {
	s := studentOf(smallTeachers()[3], slm.Subnet{Rotary: slm.Kept, Layers: []slm.LayerSubnet{{HeadSize: slm.IndicesOf(5, 6)}}})
	for layers, want := range map[export.Layers]export.Layers{export.Auto: export.Code, export.Code: export.Code, export.Padded: "", export.Uniform: ""} {
		if e, err := export.Write(t.Context(), t.TempDir(), s, export.Options{Layers: layers}); e.Layers != want || (want == "") != (err != nil) {
			t.Errorf("%s: written as %q (%v), want %q", layers, e.Layers, err, want)
		}
	}
}

func TestWriteRefusesFolders(t *testing.T) {
	s, top := studentOf(smallLlama, slm.Subnet{}), t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(top, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	precious := put("precious", "x")
	for dir, want := range map[string]string{
		"":                  "no folder is named",
		put("file", ""):     "not a directory",
		"/dev/null/student": "/dev/null",
		filepath.Dir(put("escaping/offshoot.json", `{"offshoot_student": 1, "files": ["../precious"]}`)): "no earlier export",
	} {
		if _, err := export.Write(t.Context(), dir, s, export.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", dir, err, want)
		}
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error("a file outside the folder was removed")
	}
}

// What people put beside an export stays when it is replaced; what a killed export left goes once it is old.
func TestWriteLeavesWhatIsNotItsOwn(t *testing.T) {
	s, dir := studentOf(smallLlama, slm.Subnet{}), t.TempDir()
	old, fresh, notes := filepath.Join(dir, ".offshoot-export-1.tmp"), filepath.Join(dir, ".offshoot-export-2.tmp"), filepath.Join(dir, "NOTES")
	err := errors.Join(os.Mkdir(old, 0o755), os.Mkdir(fresh, 0o755), os.Chtimes(old, time.Time{}, time.Now().Add(-time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, s, export.Options{})
	if err := os.WriteFile(notes, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	e := write(t, dir, s, export.Options{Layers: export.Code})
	entries, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(entries) != len(e.Files)+2 || !slices.Contains(entries, notes) || !slices.Contains(entries, fresh) {
		t.Errorf("the folder holds %v (%v), want %v, NOTES and what may still be written", entries, err, e.Files)
	}
}

func TestOpenRefuses(t *testing.T) {
	remove := func(name string) func(dir string) error {
		return func(dir string) error { return os.Remove(filepath.Join(dir, name)) }
	}
	edit := func(old, new string) func(dir string) error {
		return func(dir string) error {
			path := filepath.Join(dir, "offshoot.json")
			text, err := os.ReadFile(path)
			if !strings.Contains(string(text), old) {
				err = errors.Join(err, errors.New(old+" is not there"))
			}
			return errors.Join(err, os.WriteFile(path, []byte(strings.ReplaceAll(string(text), old, new)), 0o644))
		}
	}
	for _, test := range []struct {
		name string
		harm func(dir string) error
		want string
	}{
		{"no record", remove("offshoot.json"), "no such file"},
		{"an interrupted replacement", remove("config.json"), "not whole"},
		{"a missing file", remove("model.safetensors"), "model.safetensors"},
		{"no JSON", edit("{", "["), "offshoot.json"},
		{"another version", edit(`"offshoot_student": 1`, `"offshoot_student": 2`), "version 2"},
		{"a file elsewhere", edit(`"model.safetensors"`, `"../model.safetensors"`), "not in its folder"},
		{"another sub-network", edit(`"ffn": "0-19"`, `"ffn": "0-18"`), "has shape"},
		{"an absurd teacher", edit(`"head_size": 8`, `"head_size": 16777216`), "head_size is 16777216"},
	} {
		dir := t.TempDir()
		write(t, dir, studentOf(smallLlama, kinds(smallLlama)["uniform"]), export.Options{})
		if err := test.harm(dir); err != nil {
			t.Fatal(err)
		}
		if _, _, err := export.Open(dir); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
}

// FuzzRecord holds that no record makes Open panic or compute out of proportion, and that what it takes is a student.
func FuzzRecord(f *testing.F) {
	dir := f.TempDir()
	s := studentOf(smallLlama, kinds(smallLlama)["uniform"])
	for _, layers := range []export.Layers{export.Code, export.Padded} {
		if _, err := export.Write(f.Context(), dir, s, export.Options{Layers: layers}); err != nil {
			f.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "offshoot.json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, record string) {
		if err := os.WriteFile(filepath.Join(dir, "offshoot.json"), []byte(record), 0o644); err != nil {
			t.Fatal(err)
		}
		student, _, err := export.Open(dir)
		if err != nil {
			return
		}
		if _, _, err := student.Plain(); err != nil {
			t.Errorf("what was read is no student: %v", err)
		}
	})
}
