package export_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/export"
)

// studentOf is a student with weights of its own.
func studentOf(c slm.Config, s slm.Subnet) export.Student {
	end := 1
	return export.Student{Teacher: c, Subnet: s, Weights: spread(c, s, 3), Tokenizer: export.Tokenizer{EOS: &end},
		Provenance: export.Provenance{Name: "a student", Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}
}

func write(t *testing.T, dir string, s export.Student, o export.Options) export.Exported {
	t.Helper()
	e, err := export.Write(t.Context(), dir, s, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// contents are the files of a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = string(text)
	}
	return out
}

// What is written is read back without its padding, in each way and type.
func TestOpenReadsBack(t *testing.T) {
	precision := map[export.DType]float64{export.Float32: 1e-6, export.BFloat16: 1.0 / 256, export.Float16: 1.0 / 2048}
	for _, c := range smallTeachers() {
		for _, layers := range []export.Layers{export.Padded, export.Code} {
			for dtype, precise := range precision {
				s, dir := studentOf(c, drawn(c, slm.Kept, 7)), t.TempDir()
				e := write(t, dir, s, export.Options{Layers: layers, DType: dtype})
				read, record, err := export.Open(dir)
				if err != nil {
					t.Fatalf("%s, %s, %s: %v", c.Name, layers, dtype, err)
				}
				if !reflect.DeepEqual(record, e.Record) || !reflect.DeepEqual(read.Tokenizer, s.Tokenizer) || !reflect.DeepEqual(read.Provenance, s.Provenance) {
					t.Errorf("%s, %s: read %+v, wrote %+v", c.Name, layers, record, e.Record)
				}
				for name, want := range s.Weights.(checkpoint.Weights) {
					got := read.Weights.(checkpoint.Weights)[name]
					for i := range want.Data {
						if math.Abs(float64(got.Data[i]-want.Data[i])) > precise*math.Abs(float64(want.Data[i]))+1e-7 {
							t.Fatalf("%s, %s, %s: %s[%d] is %g, was %g", c.Name, layers, dtype, name, i, got.Data[i], want.Data[i])
						}
					}
				}
			}
		}
	}
}

// Plain students are models like any other: their folders are opened with the architecture and the weights that were meant,
// in one file or in many.
func TestFoldersAreOpenedAsModels(t *testing.T) {
	for _, c := range smallTeachers() {
		for name, s := range kinds(c) {
			student, dir := studentOf(c, s), t.TempDir()
			e := write(t, dir, student, export.Options{Layers: export.Padded, ShardBytes: 8000})
			config, weights, err := student.Plain()
			if err != nil {
				t.Fatal(err)
			}
			opened, err := checkpoint.Open(t.Context(), dir, checkpoint.Options{})
			if err != nil {
				t.Fatalf("%s %s: %v", c.Name, name, err)
			}
			defer opened.Close()
			config.Name = opened.Config.Name
			if !reflect.DeepEqual(opened.Config, config) || opened.EOS != 1 {
				t.Errorf("%s %s: opened as %+v, written as %+v", c.Name, name, opened.Config, config)
			}
			for tensor, shape := range checkpoint.Layout(config) {
				got, want := make([]float32, size(shape)), make([]float32, size(shape))
				if err := errors.Join(opened.Source.Read(tensor, got), weights.Read(tensor, want)); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s %s: %s differs", c.Name, name, tensor)
				}
			}
			files := slices.DeleteFunc(slices.Clone(e.Files), func(f string) bool { return filepath.Ext(f) != ".safetensors" })
			if len(files) < 2 {
				t.Errorf("%s %s: %d bytes are in %v", c.Name, name, e.Bytes, files)
			}
		}
	}
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// Nothing but an earlier export is written over, and of that nothing stays.
func TestWriteMindsWhatIsThere(t *testing.T) {
	s, dir := studentOf(smallLlama, drawn(smallLlama, slm.Recomputed, 3)), t.TempDir()
	notes := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(notes, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := export.Write(t.Context(), dir, s, export.Options{}); err == nil || !strings.Contains(err.Error(), "notes.txt") {
		t.Errorf("over other things: %v", err)
	}
	if found := contents(t, dir); !maps.Equal(found, map[string]string{"notes.txt": "mine"}) {
		t.Errorf("a refused folder holds %q", found)
	}
	if err := os.Remove(notes); err != nil {
		t.Fatal(err)
	}
	write(t, dir, s, export.Options{Layers: export.Code})
	write(t, dir, s, export.Options{Layers: export.Padded, ShardBytes: 8000})
	alone := t.TempDir()
	e := write(t, alone, s, export.Options{Layers: export.Padded, ShardBytes: 8000})
	if again, want := contents(t, dir), contents(t, alone); !maps.Equal(again, want) {
		t.Errorf("over an earlier export: %q, want %q", slices.Sorted(maps.Keys(again)), slices.Sorted(maps.Keys(want)))
	} else if !slices.Equal(slices.Sorted(maps.Keys(want)), slices.Sorted(slices.Values(e.Files))) {
		t.Errorf("it holds %q, and names %q", slices.Sorted(maps.Keys(want)), e.Files)
	}
}

// An export that fails, early, late or by a cancelled context, leaves what was there.
func TestFailedWritesChangeNothing(t *testing.T) {
	s, dir := studentOf(smallLlama, slm.Subnet{}), t.TempDir()
	write(t, dir, s, export.Options{})
	before := contents(t, dir)
	loud := studentOf(smallLlama, slm.Subnet{})
	loud.Weights.(checkpoint.Weights)["model.norm.weight"].Data[2] = 1e5
	short := studentOf(smallLlama, slm.Subnet{})
	delete(short.Weights.(checkpoint.Weights), "model.norm.weight")
	ctx, cancel := context.WithCancel(t.Context())
	for name, test := range map[string]struct {
		student export.Student
		options export.Options
		want    string
	}{
		"too large for the type": {loud, export.Options{DType: export.Float16}, `"model.norm.weight": its value 100000 is beyond float16`},
		"a missing tensor":       {short, export.Options{}, `"model.norm.weight" is missing`},
		"no such type":           {s, export.Options{DType: "int8"}, `numbers of type "int8"`},
		"no such way":            {s, export.Options{Layers: "some"}, `layers "some"`},
		"not uniform":            {studentOf(smallLlama, drawn(smallLlama, slm.Recomputed, 3)), export.Options{Layers: export.Uniform}, "differ (layer 0"},
		"cancelled":              {s, export.Options{Progress: func(int64, int64) { cancel() }}, context.Canceled.Error()},
	} {
		if _, err := export.Write(ctx, dir, test.student, test.options); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		ctx, cancel = context.WithCancel(t.Context())
		if after := contents(t, dir); !maps.Equal(before, after) {
			t.Errorf("%s: the folder changed: %q", name, slices.Sorted(maps.Keys(after)))
		}
	}
	cancel()
}

// The way that is chosen for a student follows from how much padding it takes.
func TestAutoPadsOnlyALittle(t *testing.T) {
	c := smallLlama
	c.FFN, c.Vocab = 1000, 8
	for want, ffn := range map[export.Layers][]int{export.Uniform: {8, 8}, export.Padded: {8, 9}, export.Code: {1000, 1, 1}} {
		var s slm.Subnet
		for i, n := range ffn {
			s.Layers = append(s.Layers, slm.LayerSubnet{Layer: i, FFN: slm.First(n)})
		}
		e := write(t, t.TempDir(), studentOf(c, s), export.Options{})
		if padded := want == export.Padded; e.Layers != want || (e.Padding > 0) != padded {
			t.Errorf("layers of %d neurons are %s with a padding of %d, want %s", ffn, e.Layers, e.Padding, want)
		}
	}
}

// A model card tells what is known, and says what is not.
func TestCardTellsTheProvenance(t *testing.T) {
	s, dir := studentOf(smallLlama, drawn(smallLlama, slm.Recomputed, 3)), t.TempDir()
	d := slm.Distillation{Subnet: s.Subnet, Loss: slm.CE(0.3).Plus(slm.ForwardKL(0.7).At(2)),
		Schedule: slm.Schedule{Peak: 2e-3, Warmup: 50, Horizon: 1500, Final: 0.01, Decay: slm.WSD, Falling: 300}}.WithDefaults()
	s.Provenance.License = "apache-2.0"
	s.Provenance.Teacher = export.Origin{Name: "big", Repository: "owner/big", Revision: "c0ffee", SHA256: "5eed"}
	s.Provenance.Search = &export.Search{Name: "bin", Search: slm.Search{Bin: slm.Around(1e6, 0.1)}.WithDefaults(), Evaluated: 64, Candidate: 41, Generation: 3, Loss: 7.5}
	s.Provenance.Training = &export.Training{Name: "run", Distillation: d, Changes: []slm.Change{{Step: 900, Loss: slm.CE(1)}}, Steps: 1200, Tokens: 614400}
	s.Provenance.Measured = []export.Loss{{Model: "the student after 1200 steps", Loss: math.Log(32), Tokens: 2048, Window: 128, Corpus: "a text"}}
	write(t, dir, s, export.Options{Layers: export.Padded})
	card := contents(t, dir)["README.md"]
	front, body, ok := strings.Cut(strings.TrimPrefix(card, "---\n"), "\n---\n")
	if !ok || !strings.HasPrefix(card, "---\n") {
		t.Fatalf("no front matter: %s", card)
	}
	for _, line := range []string{`license: "apache-2.0"`, `base_model: "owner/big"`, "library_name: transformers", "- llama", "- distillation"} {
		if !slices.Contains(strings.Split(front, "\n"), line) {
			t.Errorf("the front matter lacks %s:\n%s", line, front)
		}
	}
	for _, want := range []string{"# a student", "`owner/big` at revision `c0ffee`, SHA-256 `5eed`", "candidate 41 of generation 3, 64 evaluated", "1,200 steps, 614,400 tokens",
		"0.3 cross-entropy + 0.7 forward-kl at temperature 2", "| the student after 1200 steps | 3.4657 | 32 | 2,048 | 128 | a text |", "2026-01-02",
		"- Learning rate: warm-up to 0.002 at step 50, constant until step 1200, a straight line to 0.01 of it at step 1500\n- Changed after step 900: loss: 1 cross-entropy\n",
		fmt.Sprintf("padding adds %s parameters", slm.Count(mustRecord(t, dir).Padding)), "AutoModelForCausalLM.from_pretrained(folder)"} {
		if !strings.Contains(body, want) {
			t.Errorf("the card lacks %q:\n%s", want, body)
		}
	}
	s.Provenance = export.Provenance{}
	write(t, dir, s, export.Options{Layers: export.Code})
	card = contents(t, dir)["README.md"]
	if !strings.Contains(card, "trust_remote_code=True") || !strings.Contains(card, "It has not been trained") || strings.Contains(card, "\nlicense:") ||
		strings.Contains(card, "base_model") || strings.Contains(card, "Perplexity") {
		t.Errorf("a card of a student of unknown origin:\n%s", card)
	}
}

func mustRecord(t *testing.T, dir string) export.Record {
	t.Helper()
	_, r, err := export.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
