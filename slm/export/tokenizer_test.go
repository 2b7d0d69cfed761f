package export_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/daulet/tokenizers"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/export"
)

// python runs a script of testdata with the references and returns what it prints.
func python(t *testing.T, dir string, arguments ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), referencePython(t), arguments...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HF_HUB_OFFLINE=1", "HF_HOME="+t.TempDir())
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python %s: %v\n%s", arguments[0], err, problems.String())
	}
	return out
}

// wideStudent has rows for all tokens of the tests' tokenizers.
func wideStudent(tokenizer export.Tokenizer) export.Student {
	c := smallLlama
	c.Vocab = tokenizerVocab
	return export.Student{Teacher: c, Weights: spread(c, slm.Subnet{}, 1), Tokenizer: tokenizer}
}

// AutoTokenizer loads the folder's tokenizer, which cuts texts as the file says; where texts begin with a token, it adds it.
func TestAutoTokenizerLoadsWhatWasWritten(t *testing.T) {
	beginning := byteTokenizer(t, nil, smolCutter)
	beginning.AddBOS = true
	kept := byteTokenizer(t, nil, gpt2Cutter)
	kept.Config = []byte(`{"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|start|>"}`)
	texts := []string{"the man and the hat 123", "andé 漢字\n\n", "a<|endoftext|>b"}
	all := []export.Tokenizer{byteTokenizer(t, nil, smolCutter), beginning, kept, pieceTokenizer(t)}
	arguments := []string{filepath.Join("testdata", "check_tokenizer.py"), jsonText(t, texts)}
	for _, tokenizer := range all {
		arguments = append(arguments, write(t, t.TempDir(), wideStudent(tokenizer), export.Options{}).Dir)
	}
	var found []struct {
		IDs     [][]uint32
		Decoded []string
		EOS     string
		Ends    int
	}
	if err := json.Unmarshal(python(t, "", arguments...), &found); err != nil || len(found) != len(all) {
		t.Fatalf("%d of %d tokenizers: %v", len(found), len(all), err)
	}
	for i, f := range found {
		reference, err := tokenizers.FromBytes(all[i].JSON)
		if err != nil {
			t.Fatal(err)
		}
		for j, text := range texts {
			want, _ := reference.Encode(text, false)
			if all[i].AddBOS {
				want = slices.Concat([]uint32{1}, want)
			}
			if !slices.Equal(f.IDs[j], want) {
				t.Errorf("tokenizer %d: %q is %v, want %v", i, text, f.IDs[j], want)
			}
		}
		if want := []string{"<|endoftext|>", "<|endoftext|>", "<|start|>", "<unk>"}[i]; f.EOS != want || f.Ends != 0 || f.Decoded[0] != texts[0] && i < 3 {
			t.Errorf("tokenizer %d: texts end with %q (want %q), token %d; %q", i, f.EOS, want, f.Ends, f.Decoded)
		}
		reference.Close()
	}
}

// The Python on a model card runs as it stands there, in the folder.
func TestCardsPythonRuns(t *testing.T) {
	for _, layers := range []export.Layers{export.Uniform, export.Code} {
		e := write(t, t.TempDir(), wideStudent(byteTokenizer(t, nil, smolCutter)), export.Options{Layers: layers})
		_, rest, ok := strings.Cut(contents(t, e.Dir)["README.md"], "```python\n")
		code, _, closed := strings.Cut(rest, "```")
		if !ok || !closed {
			t.Fatal("the card has no Python")
		}
		if out := python(t, e.Dir, "-c", code); !bytes.Contains(out, []byte("Once upon a time")) {
			t.Errorf("%s: it printed %q", layers, out)
		}
	}
}
