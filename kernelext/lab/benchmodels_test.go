package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
	"github.com/offshoot-ml/offshoot/slm"
)

func passes(seconds ...float64) (out []ask.Passed) {
	for _, s := range seconds {
		out = append(out, ask.Passed{Seconds: s, Loss: 3})
	}
	return out
}

func TestModelsBenchPrints(t *testing.T) {
	b := modelsBench{Cores: 2, Backend: "XLA on the CPU",
		Loads: []modelLoad{{"pythia-70m", ask.Loaded{Parameters: 70e6, Seconds: 0.25, Before: 100e6, Peak: 436e6}}},
		// 1,020 tokens: medians of 1 s and 1.5 s, and ratios of 1.5, 0.2 and 3 by turn; one slow pass does not move them.
		Forward:    &forwardBench{Ours: passes(1, 9, 0.5), Transformers: passes(1.5, 1.8, 1.5)},
		Generation: &ask.Generated{Tokens: 64, Seconds: []float64{2}},
		Extraction: &ask.Extracted{Parameters: 30.8e6, Seconds: []float64{0.05}, Written: []float64{0.15}},
		Counts:     []countDuration{{"fine/all three", 1500, 0}},
	}
	if err := b.Forward.compare(); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := b.print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"load pythia-70m", "0.25 s", "peak 436 MB, 1.20 of the model's 280 MB beside 100 MB before", "1020 tokens/s",
		"680 tokens/s", "1.50", "32 tokens/s", "30.8M", "0.050 s", "0.150 s with writing", "fine/all three", "1.50 µs"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	if text, err := json.Marshal(b); err != nil || !strings.Contains(string(text), `"ratio":1.5}`) {
		t.Errorf("%v\n%s", err, text)
	}
	b.Forward.Ours[1].Loss = 3.1
	if err := b.Forward.compare(); err == nil {
		t.Error("another loss went unnoticed")
	}
	out.Reset()
	b.Forward, b.Skipped = &forwardBench{Ours: passes(1)}, "needs PyTorch: lab setup --references"
	if err := b.print(&out); err != nil || !strings.Contains(out.String(), "skipped") || strings.Contains(out.String(), "ratio") {
		t.Errorf("%v\n%s", err, &out)
	}
	if text, err := json.Marshal(b); err != nil || !strings.Contains(string(text), `"forward_skipped":"needs`) || !strings.Contains(string(text), `"peak":436000000`) {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestParseCountsOfGoBenchmark(t *testing.T) {
	counts := parseCounts(`goos: linux
BenchmarkCounts/fine/all_three-2         	  786698	      1526 ns/op	       0 B/op	       0 allocs/op
BenchmarkCounts/coarse/KV_bytes   	 2639862	       453.8 ns/op	       8 B/op	       1 allocs/op
PASS
`)
	want := []countDuration{{"coarse/KV bytes", 453.8, 1}, {"fine/all three", 1526, 0}}
	if len(counts) != 2 || counts[0] != want[0] || counts[1] != want[1] {
		t.Errorf("got %v, want %v", counts, want)
	}
}

// answering is a process that answers each line after the first with the same.
func answering(first, then string) *racer {
	script := "echo '" + first + "'; while read -r turn; do echo '" + then + "'; done"
	return &racer{name: then, cmd: exec.Command("sh", "-c", script), passes: &[]ask.Passed{}}
}

func TestRacersTakeTurns(t *testing.T) {
	a, b := answering("{}", `{"seconds":1,"loss":2}`), answering("{}", `{"seconds":3,"loss":4}`)
	if err := race(t.Context(), []*racer{a, b}, 2); err != nil {
		t.Fatal(err)
	}
	if len(*a.passes) != 2 || (*a.passes)[1] != (ask.Passed{Seconds: 1, Loss: 2}) || len(*b.passes) != 2 || (*b.passes)[0].Seconds != 3 {
		t.Errorf("%v, %v", *a.passes, *b.passes)
	}
}

func TestRacerThatFails(t *testing.T) {
	broken := &racer{name: "broken", cmd: exec.Command("sh", "-c", "echo {}; exit 3"), passes: &[]ask.Passed{}}
	if err := race(t.Context(), []*racer{answering("{}", "{}"), broken}, 1); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	silent := &racer{name: "silent", cmd: exec.Command("sleep", "60"), passes: &[]ask.Passed{}}
	time.AfterFunc(100*time.Millisecond, cancel)
	if err := race(ctx, []*racer{silent}, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
}

// A random model's file is what its header says, and holds every weight of the published size once, as bfloat16.
func TestRandomModel(t *testing.T) {
	config, err := slm.Published("pythia-14m")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := writeRandomModel(dir, config); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	size := binary.LittleEndian.Uint64(text)
	var header map[string]struct{ Shape []int }
	if err := json.Unmarshal(text[8:8+size], &header); err != nil {
		t.Fatal(err)
	}
	data := text[8+size:]
	if len(data) != 2*14067712 || len(header) != 4+6*12 {
		t.Errorf("%d bytes of data in %d tensors", len(data), len(header))
	}
	if shape := header["gpt_neox.layers.5.attention.query_key_value.weight"].Shape; len(shape) != 2 || shape[0] != 384 || shape[1] != 128 {
		t.Errorf("query_key_value has shape %v", shape)
	}
	squares := 0.0
	for i := 0; i+1 < len(data); i += 2 {
		v := float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(data[i:])) << 16))
		squares += v * v
	}
	if deviation := math.Sqrt(squares / 14067712); math.Abs(deviation-0.02) > 1e-3 {
		t.Errorf("the weights deviate by %g, want 0.02", deviation)
	}
	if config, err = slm.Published("smollm2-135m"); err != nil {
		t.Fatal(err)
	}
	if err := writeRandomModel(dir, config); err == nil {
		t.Error("a Llama was written as a GPT-NeoX")
	}
}

// A model in the shape of pythia-14m, as the bench writes it, is loaded, evaluated in turns, continued, and cut out of, each
// by a process of its own.
func TestMeasuringARandomModel(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	l, _, _ := hostLab(t)
	config, err := slm.Published("pythia-14m")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "pythia-14m")
	if err := writeRandomModel(dir, config); err != nil {
		t.Fatal(err)
	}
	var loaded ask.Loaded
	if err := l.measure(t.Context(), &loaded, "--model", dir, "--what", ask.Load); err != nil {
		t.Fatal(err)
	}
	if loaded.Parameters != 14067712 || loaded.Seconds <= 0 || loaded.Peak > 0 && loaded.Peak < loaded.Before {
		t.Errorf("loading: %+v", loaded)
	}
	var generated ask.Generated
	if err := l.measure(t.Context(), &generated, "--model", dir, "--what", ask.Generate); err != nil || len(generated.Seconds) != 5 {
		t.Errorf("generating: %+v, %v", generated, err)
	}
	cmd, err := l.host("measure", "--model", dir, "--what", ask.Forward, "--seq", "32", "--batch", "2")
	if err != nil {
		t.Fatal(err)
	}
	r := &racer{name: "ours", cmd: cmd, passes: &[]ask.Passed{}}
	if err := race(t.Context(), []*racer{r}, 2); err != nil {
		t.Fatal(err)
	}
	// Random weights know nothing: about the logarithm of the 50,304 tokens, each time the same.
	if p := *r.passes; len(p) != 2 || math.Abs(p[0].Loss-math.Log(50304)) > 0.5 || p[0].Loss != p[1].Loss {
		t.Errorf("passes %+v", p)
	}
	if err := l.measure(t.Context(), &loaded, "--model", dir, "--what", "everything"); err == nil {
		t.Error("everything was measured")
	}
}
