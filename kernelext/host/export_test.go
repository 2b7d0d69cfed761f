package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/kernelext/host/resident"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/distill"
	"github.com/offshoot-ml/offshoot/slm/export"
)

// What is told of a run is what its checkpoint holds: a host may have gone further since.
func TestRunProvenanceEndsAtTheCheckpoint(t *testing.T) {
	d := slm.Distillation{SeqLen: 100, EvalTokens: 250}.WithDefaults()
	h := resident.History{
		Curve:       slm.Curve{Name: "run", Points: []slm.Point{{Validation: 9}, {Step: 10, Validation: 8}, {Step: 15}, {Step: 20, Validation: 7}}},
		Search:      &resident.Found{Name: "bin", Evaluated: 64, Candidate: slm.Candidate{ID: 41, Generation: 3, Loss: 11}},
		Measurement: &resident.Measured{Corpus: "held", Loss: 3, Tokens: 2048, Window: 128},
	}
	changes := []slm.Change{{Step: 5, Schedule: slm.Schedule{Peak: 1e-4}}}
	p := runProvenance(h, distill.Saved{Distillation: d, Changes: changes, Steps: 15, Tokens: 6000, Position: json.RawMessage(`{"corpus":"abc"}`)})
	text := "text with SHA-256 abc"
	want := []export.Loss{
		{Model: "the teacher", Loss: 3, Tokens: 2048, Window: 128, Corpus: "held"},
		{Model: "the student before training", Loss: 9, Tokens: 300, Window: 100, Corpus: text},
		{Model: "the student after 10 steps", Loss: 8, Tokens: 300, Window: 100, Corpus: text},
	}
	if !reflect.DeepEqual(p.Measured, want) {
		t.Errorf("measured %+v, want %+v", p.Measured, want)
	}
	if !reflect.DeepEqual(p.Training, &export.Training{Name: "run", Distillation: d, Changes: changes, Steps: 15, Tokens: 6000, Corpus: text}) {
		t.Errorf("training %+v", p.Training)
	}
	if s := p.Search; s.Name != "bin" || s.Evaluated != 64 || s.Candidate != 41 || s.Generation != 3 || s.Loss != 11 {
		t.Errorf("search %+v", s)
	}
	d.DocumentMask = true
	masked := runProvenance(h, distill.Saved{Distillation: d, Steps: 15, Position: json.RawMessage(`{"corpus":"abc"}`)})
	if got := masked.Measured; got[0].Corpus != "held" || got[1].Corpus != text+", attention within documents" || masked.Training.Corpus != text {
		t.Errorf("with a document mask, measured %+v, trained on %s", got, masked.Training.Corpus)
	}
	d.DocumentMask = false
	untrained := runProvenance(resident.History{Curve: slm.Curve{Points: h.Curve.Points[:1]}}, distill.Saved{Distillation: d})
	if untrained.Search != nil || len(untrained.Measured) != 1 || untrained.Training.Corpus != "" {
		t.Errorf("of a run before its first step: %+v", untrained)
	}
}

// A folder's tokenizer goes on as it is; a padding token without a row in the embedding does not.
func TestStudentTokenizerOfAFolder(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"config.json": `{"bos_token_id": 0, "pad_token_id": 9}`, "tokenizer_config.json": `{"eos_token": "x"}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	teacher := &checkpoint.Teacher{Config: slm.Config{Vocab: 9}, TokenizerJSON: []byte("{}"), EOS: 3, Origin: checkpoint.Origin{Path: dir}}
	got, err := studentTokenizer(teacher)
	if err != nil {
		t.Fatal(err)
	}
	bos, eos := 0, 3
	if want := (export.Tokenizer{JSON: []byte("{}"), Config: []byte(`{"eos_token": "x"}`), BOS: &bos, EOS: &eos}); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// A cell's export writes what a sub-network keeps of a teacher's folder, with where it comes from; an exported student is
// exported again as it is.
func TestExportForACell(t *testing.T) {
	teacher := filepath.Join("..", "..", "slm", "model", "testdata", "transformers", "llama-tied-gqa")
	subnet := slm.Subnet{Layers: []slm.LayerSubnet{{Layer: 0, FFN: slm.First(20)}, {Layer: 2}}}
	dir := filepath.Join(t.TempDir(), "student")
	var last, total int64
	report := func(what string, done, all int64) {
		if strings.HasPrefix(what, "writing") {
			last, total = done, all
		}
	}
	info, err := (&engine{}).Export(t.Context(), resident.Export{Teacher: teacher, Export: kernelext.Export{Dir: dir, Subnet: subnet, Layers: "code"}}, report)
	if err != nil {
		t.Fatal(err)
	}
	s, r, err := export.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info.Class != "OffshootForCausalLM" || info.Layers != "code" || info.Parameters != s.Parameters() || info.Bytes != 4*s.Parameters() || last != total || total != info.Bytes {
		t.Errorf("%+v of %d parameters; progress ended at %d of %d", info, s.Parameters(), last, total)
	}
	if s.Subnet.Key() != subnet.Key() || s.Provenance.Name != "llama-tied-gqa-"+slm.Count(s.Parameters()) || s.Provenance.Teacher.Name != teacher || len(s.Provenance.Teacher.SHA256) != 64 || s.Provenance.Training != nil {
		t.Errorf("%+v of %+v", s.Subnet, s.Provenance)
	}
	again := filepath.Join(t.TempDir(), "again")
	info, err = (&engine{}).Export(t.Context(), resident.Export{Teacher: dir, Export: kernelext.Export{Dir: again, DType: "float16", Layers: "padded"}}, report)
	if err != nil {
		t.Fatal(err)
	}
	_, second, err := export.Open(again)
	if err != nil || info.Layers != "padded" || info.Padding == 0 || second.Subnet.Key() != r.Subnet.Key() || second.Provenance.Teacher != r.Provenance.Teacher {
		t.Errorf("%+v, %+v, %v", info, second, err)
	}
	bad := resident.Export{Teacher: teacher, Export: kernelext.Export{Dir: again, Subnet: slm.Subnet{Embd: slm.First(1000)}}}
	if _, err := (&engine{}).Export(t.Context(), bad, report); err == nil || !strings.Contains(err.Error(), "embd") {
		t.Errorf("a sub-network of another teacher: %v", err)
	}
}
