package export_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/export"
)

// agreement is the largest difference of logits, relative to the largest, that float32 arithmetic in another order explains;
// the project promises 1e-4.
const agreement = 2e-5

// referencePython is the Python that has transformers; a test is skipped without it.
func referencePython(t *testing.T) string {
	t.Helper()
	python := os.Getenv("OFFSHOOT_REFERENCES")
	if python == "" {
		t.Skip("OFFSHOOT_REFERENCES names no Python with transformers; `lab setup --references` makes one")
	}
	return python
}

// computed is what testdata/check_export.py prints of a student.
type computed struct {
	Class      string
	Parameters int64
	Shape      []int
	Logits     string
}

// byTransformers loads exported students and computes their logits for someTokens, all in one process.
func byTransformers(t *testing.T, students []string) []computed {
	t.Helper()
	script := filepath.Join("..", "checkpoint", "testdata", "check_export.py")
	ids := someTokens()
	tokens, err := json.Marshal([][]int32{ids[:24], ids[24:]})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), referencePython(t), append([]string{script, string(tokens)}, students...)...)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("transformers: %v\n%s", err, problems.String())
	}
	var found []computed
	if err := json.Unmarshal(out, &found); err != nil || len(found) != len(students) {
		t.Fatalf("transformers computed %d of %d students: %v", len(found), len(students), err)
	}
	return found
}

func (c computed) logits(t *testing.T) []float32 {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(c.Logits)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float32, len(raw)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return out
}

// written is a student that was exported, with the logits that it must have.
type written struct {
	name string
	export.Exported
	want []float32
}

// kinds are sub-networks that are written in different ways.
func kinds(c slm.Config) map[string]slm.Subnet {
	same := slm.LayerSubnet{FFN: slm.First(10), HeadSize: slm.First(4)}
	keptHeads := slm.LayerSubnet{FFN: slm.First(10), HeadSize: c.RotaryPairs(4)}
	slow := slm.LayerSubnet{HeadSize: slm.IndicesOf(1, 2, 5, 6)} // pairs 1 and 2, of 4
	if c.RotaryFraction == 0.5 {
		slow.HeadSize = slm.IndicesOf(1, 3, 4, 6) // pair 1 of 2, and two dimensions that do not turn
	}
	uniform := func(embd int, l slm.LayerSubnet, layers ...int) slm.Subnet {
		s := slm.Subnet{Embd: slm.First(embd)}
		for _, i := range layers {
			l.Layer = i
			s.Layers = append(s.Layers, l)
		}
		return s
	}
	layerWise := drawn(c, slm.Recomputed, 3) // FFN sizes, heads and unequal groups differ
	layerWise.Embd = slm.Indices{}
	kept := func(s slm.Subnet) slm.Subnet { s.Rotary = slm.Kept; return s }
	return map[string]slm.Subnet{
		"whole":         {},
		"uniform":       uniform(30, slm.LayerSubnet{FFN: slm.First(20)}, 0, 2),
		"odd-width":     uniform(29, slm.LayerSubnet{}, 0, 1), // six heads do not divide it
		"small-heads":   uniform(24, same, 0, 2),
		"kept":          kept(uniform(24, keptHeads, 1, 2)),
		"kept-slow":     kept(uniform(24, slow, 0, 1)), // no powers of a base
		"layer-wise":    layerWise,
		"layer-wise-ii": drawn(c, slm.Recomputed, 7), // and head sizes
		"kept-by-layer": drawn(c, slm.Kept, 7),
	}
}

// exportKinds writes each of a teacher's kinds, in each way that it can be.
func exportKinds(t *testing.T, c slm.Config, dir string) []written {
	t.Helper()
	teacher := load(t, newBackend(t), c, spread(c, slm.Subnet{}, 5))
	var all []written
	for name, s := range kinds(c) {
		weights, err := teacher.Extract(s)
		if err != nil {
			t.Fatal(err)
		}
		want := logits(t, teacher, s)
		for _, layers := range []export.Layers{export.Padded, export.Code} {
			folder := filepath.Join(dir, fmt.Sprintf("%s-%s-%s", c.Name, name, layers))
			e, err := export.Write(t.Context(), folder, export.Student{Teacher: c, Subnet: s, Weights: weights}, export.Options{Layers: layers})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			all = append(all, written{c.Name + " " + name, e, want})
		}
	}
	return all
}

// transformers computes the logits of the sub-network inside its teacher: every family, tied and untied, plain, padded and
// with our code, heads with recomputed and kept frequencies.
func TestTransformersComputesTheSame(t *testing.T) {
	referencePython(t)
	dir := t.TempDir()
	var all []written
	for _, c := range smallTeachers() {
		all = append(all, exportKinds(t, c, dir)...)
	}
	folders := make([]string, len(all))
	for i, w := range all {
		folders[i] = w.Dir
	}
	classes := map[string]int{}
	for i, found := range byTransformers(t, folders) {
		w := all[i]
		classes[string(w.Layers)+" "+found.Class]++
		d := distance(t, found.logits(t), w.want)
		if !(d <= agreement) || found.Parameters != w.Parameters+w.Padding {
			t.Errorf("%s, %s as %s: logits differ by %g; %d parameters, want %d+%d", w.name, w.Layers, found.Class, d, found.Parameters, w.Parameters, w.Padding)
		}
		t.Logf("%-32s %-8s %-20s logits differ by %.1e; %d+%d parameters", w.name, w.Layers, found.Class, d, w.Parameters, w.Padding)
	}
	for _, class := range []string{"uniform LlamaForCausalLM", "uniform MistralForCausalLM", "uniform Qwen3ForCausalLM", "uniform GPTNeoXForCausalLM",
		"padded LlamaForCausalLM", "padded Qwen3ForCausalLM", "padded GPTNeoXForCausalLM", "code OffshootForCausalLM"} {
		if classes[class] == 0 {
			t.Errorf("no student was a %s", class)
		}
	}
}
