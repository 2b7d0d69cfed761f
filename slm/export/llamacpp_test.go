package export_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/daulet/tokenizers"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/export"
)

// ggufStudents are students of each family, plain and padded, with the tokenizer of one of its models.
func ggufStudents(t *testing.T) map[string]export.Student {
	t.Helper()
	wide := func(c slm.Config) slm.Config { c.Vocab = tokenizerVocab; return c }
	teachers := smallTeachers()
	llama, llama3, qwen, neox, sequential := wide(teachers[0]), wide(teachers[1]), wide(teachers[2]), wide(teachers[3]), wide(teachers[4])
	linear := llama
	linear.RopeScaling = slm.RopeScaling{Kind: slm.LinearScaling, Factor: 2}
	keptSlow := slm.Subnet{Rotary: slm.Kept, Layers: []slm.LayerSubnet{{Layer: 0, HeadSize: slm.IndicesOf(1, 2, 5, 6)}, {Layer: 2, HeadSize: slm.IndicesOf(1, 3, 5, 7)}}}
	students := map[string]export.Student{
		"llama":        {Teacher: llama, Tokenizer: byteTokenizer(t, nil, smolCutter)},
		"llama-padded": {Teacher: llama, Subnet: drawn(llama, slm.Recomputed, 7), Tokenizer: byteTokenizer(t, nil, gpt2Cutter)},
		"llama-kept":   {Teacher: llama, Subnet: keptSlow, Tokenizer: pieceTokenizer(t)},
		"llama-linear": {Teacher: linear, Tokenizer: byteTokenizer(t, nil, gpt2Cutter)},
		"llama3":       {Teacher: llama3, Subnet: drawn(llama3, slm.Recomputed, 3), Tokenizer: byteTokenizer(t, nil, llama3Cutter)},
		"qwen3-padded": {Teacher: qwen, Subnet: drawn(qwen, slm.Recomputed, 3), Tokenizer: byteTokenizer(t, nfc, qwenCutter)},
		"neox-padded":  {Teacher: neox, Subnet: drawn(neox, slm.Recomputed, 3), Tokenizer: byteTokenizer(t, nfc, gpt2Cutter)},
		"neox-tied":    {Teacher: sequential, Tokenizer: byteTokenizer(t, nfc, gpt2Cutter)},
	}
	for name, s := range students {
		s.Weights = spread(s.Teacher, s.Subnet, 9)
		s.Provenance.Name = name
		students[name] = s
	}
	return students
}

// writeGGUFs writes the students, and computes the logits that they must have with a model of ours.
func writeGGUFs(t *testing.T, students map[string]export.Student, dtype export.DType) []written {
	t.Helper()
	backend, dir := newBackend(t), t.TempDir()
	var all []written
	for name, s := range students {
		e, err := export.Write(t.Context(), filepath.Join(dir, name), s, export.Options{GGUF: true, DType: dtype})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		plain, weights, err := s.Plain()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, written{name, e, logits(t, load(t, backend, plain, weights), slm.Subnet{})})
	}
	return all
}

// llama.cpp computes the logits of our own plain model, and cuts texts as the tokenizer does.
func TestLlamaCppComputesTheSame(t *testing.T) {
	python := referencePython(t)
	if out, err := exec.CommandContext(t.Context(), python, "-c", "import xllamacpp").CombinedOutput(); err != nil {
		t.Skipf("no llama.cpp: %s has no xllamacpp (%s)", python, bytes.TrimSpace(out))
	}
	students := ggufStudents(t)
	all := writeGGUFs(t, students, export.Float32)
	texts := []string{"the man and the hat", "12 123 1234\n\n  3", "andé thé… 漢字 don't 'S", "<tool> <|endoftext|>"}
	ids := someTokens()
	arguments := []string{filepath.Join("testdata", "check_llamacpp.py"), jsonText(t, [][]int32{ids[:24], ids[24:]}), jsonText(t, texts)}
	for _, w := range all {
		arguments = append(arguments, filepath.Join(w.Dir, w.GGUF))
	}
	cmd := exec.CommandContext(t.Context(), python, arguments...)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("llama.cpp: %v\n%s", err, problems.String())
	}
	var found []struct {
		computed
		IDs [][]uint32
	}
	if err := json.Unmarshal(out, &found); err != nil || len(found) != len(all) {
		t.Fatalf("llama.cpp read %d of %d files: %v", len(found), len(all), err)
	}
	for i, w := range all {
		limit := 1e-4
		if w.Model.Family == slm.GPTNeoX {
			limit = 3e-3 // its GELU is an approximation from a table in float16
		}
		d := distance(t, found[i].logits(t), logProbabilities(w.want, tokenizerVocab))
		if !(d <= limit) {
			t.Errorf("%s: logits differ by %g", w.name, d)
		}
		t.Logf("%-13s %s logits differ by %.1e", w.name, w.Layers, d)
		checkIDs(t, w.name, students[w.name].Tokenizer, texts[:3], found[i].IDs)
	}
}

// logProbabilities are those of rows of logits.
func logProbabilities(logits []float32, width int) []float32 {
	var out []float32
	for row := range slices.Chunk(logits, width) {
		sum := 0.0
		for _, l := range row {
			sum += math.Exp(float64(l))
		}
		for _, l := range row {
			out = append(out, float32(float64(l)-math.Log(sum)))
		}
	}
	return out
}

// checkIDs compares ids of texts with those of Hugging Face's tokenizers.
func checkIDs(t *testing.T, name string, tokenizer export.Tokenizer, texts []string, got [][]uint32) {
	t.Helper()
	reference, err := tokenizers.FromBytes(tokenizer.JSON)
	if err != nil {
		t.Fatal(err)
	}
	defer reference.Close()
	for i, text := range texts {
		if want, _ := reference.Encode(text, false); !slices.Equal(got[i], want) {
			t.Errorf("%s: %q is %v, want %v", name, text, got[i], want)
		}
	}
}

func jsonText(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
