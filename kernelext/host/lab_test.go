package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/datasets"
	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/export"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// hostMark makes this program, started again, the host itself.
const hostMark = "OFFSHOOT_TEST_HOST"

// tinyTeacher has random weights, and is the installed teacher "tiny" of a test's lab.
var tinyTeacher = slm.Config{Name: "tiny", Family: slm.GPTNeoX, Layers: 2, Embd: 64, Heads: 4, QueryGroups: 4, HeadSize: 16, FFN: 128, Vocab: 260,
	Context: 32, NormEps: 1e-5, RopeTheta: 10000, RotaryFraction: 0.25, ParallelResidual: true}

// newLab opens a lab in a new home, whose host is this program. The host stops when the test ends.
func newLab(t *testing.T) (home string, client *kernelext.Client) {
	t.Helper()
	if _, err := model.NewBackend(); err != nil {
		t.Skip(err)
	}
	home = t.TempDir()
	t.Setenv("OFFSHOOT_HOME", home)
	furnish(t, home)
	client, err := kernelext.Connect(t.Context(), "lab")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		if err := kernelext.StopHost(context.Background()); err != nil && !errors.Is(err, kernelext.ErrNoHost) {
			t.Error(err)
		}
		if log, _ := os.ReadFile(filepath.Join(home, "host", "host.log")); t.Failed() {
			t.Logf("host.log:\n%s", log)
		}
	})
	return home, client
}

// furnish puts the host and the teacher in place.
func furnish(t *testing.T, home string) {
	t.Helper()
	settings, _ := json.Marshal(map[string]string{hostMark: "1", "OFFSHOOT_IDLE": "1m", // a killed test leaves no host for long
		"XLA_FLAGS": "--xla_backend_optimization_level=0"}) // each start compiles, which is most of a test's time
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tokenizer, eos, err := datasets.SmallerTokenizer([]byte(tinyTokenizer), tinyTeacher.Vocab)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.WriteFile(filepath.Join(home, "env.json"), settings, 0o644),
		os.Mkdir(filepath.Join(home, "bin"), 0o755),
		os.Symlink(self, filepath.Join(home, "bin", "offshoot-host")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s := export.Student{Teacher: tinyTeacher, Weights: model.RandomWeights(tinyTeacher, slm.Subnet{}, 1), Tokenizer: export.Tokenizer{JSON: tokenizer, EOS: &eos}}
	if _, err := export.Write(t.Context(), filepath.Join(home, "teachers", "tiny"), s, export.Options{}); err != nil {
		t.Fatal(err)
	}
}

// storiesFile is a text to train on.
func storiesFile(t *testing.T) string {
	t.Helper()
	path, random := filepath.Join(t.TempDir(), "stories.jsonl"), rand.New(rand.NewPCG(2, 0))
	words := strings.Fields("once upon a time there was a little fox who lived in the old wood and went to see the sea")
	var lines strings.Builder
	for range 300 {
		var story []string
		for range 60 {
			story = append(story, words[random.IntN(len(words))])
		}
		fmt.Fprintf(&lines, "{\"text\":%q}\n", strings.Join(story, " "))
	}
	if err := os.WriteFile(path, []byte(lines.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
