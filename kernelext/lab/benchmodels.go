package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
	"github.com/offshoot-ml/offshoot/slm"
)

// benchTeacher is the real model that is measured.
const benchTeacher = "smollm2-135m"

// benchFile is where other programs than the host find a model: the file of benchTeacher, or the folder that another is.
func (l *lab) benchFile(model string) string {
	if model == benchTeacher {
		return l.path("teachers", benchTeacher+".gguf")
	}
	return model
}

// randomModels are loaded in their published shapes, with random weights.
var randomModels = []string{"pythia-14m", "pythia-31m", "pythia-70m", "pythia-160m"}

// modelsBench is what `lab bench models` measures.
type modelsBench struct {
	Cores      int             `json:"cores"`
	Backend    string          `json:"backend"`
	Loads      []modelLoad     `json:"loads"`
	Forward    *forwardBench   `json:"forward,omitempty"`
	Skipped    string          `json:"forward_skipped,omitempty"` // why there is nothing to compare with
	Generation *ask.Generated  `json:"generation"`
	Extraction *ask.Extracted  `json:"extraction"`
	Counts     []countDuration `json:"counts"`
}

type modelLoad struct {
	Model string `json:"model"`
	ask.Loaded
}

// size is the model's size on the device, where weights are float32.
func (l modelLoad) size() int64 { return 4 * l.Parameters }

// countDuration is how long counting a 12B teacher's layer-wise sub-network takes.
type countDuration struct {
	Name        string  `json:"name"`
	Nanoseconds float64 `json:"nanoseconds"`
	Allocations int     `json:"allocations"`
}

// benchModels measures loading, evaluating, extracting and generating, each in a process of its own.
func benchModels(ctx context.Context, l *lab, asJSON bool) error {
	if err := l.prepare(ctx); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(l.home, "bench-models-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b, err := l.measureModels(ctx, dir)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(l.stdout, b)
	}
	return b.print(l.stdout)
}

func (l *lab) measureModels(ctx context.Context, dir string) (b modelsBench, err error) {
	b.Cores, b.Backend = cores(), l.env().describeBackend()
	if b.Loads, err = l.measureLoads(ctx, dir); err != nil {
		return b, err
	}
	if b.Forward, b.Skipped, err = l.measureForward(ctx); err != nil {
		return b, err
	}
	b.Generation, b.Extraction = &ask.Generated{}, &ask.Extracted{}
	if err := l.measure(ctx, b.Generation, "--model", benchTeacher, "--what", ask.Generate); err != nil {
		return b, err
	}
	if err := l.measure(ctx, b.Extraction, "--model", benchTeacher, "--what", ask.ExtractStudent); err != nil {
		return b, err
	}
	b.Counts, err = l.measureCounts(ctx)
	return b, err
}

// loadRepetitions is how often a model is loaded, each time by a new process.
const loadRepetitions = 3

func (l *lab) measureLoads(ctx context.Context, dir string) ([]modelLoad, error) {
	references := map[string]string{benchTeacher: benchTeacher}
	for _, name := range randomModels {
		config, err := slm.Published(name)
		if err != nil {
			return nil, err
		}
		references[name] = filepath.Join(dir, name)
		if err := writeRandomModel(references[name], config); err != nil {
			return nil, err
		}
	}
	var loads []modelLoad
	for _, name := range append([]string{benchTeacher}, randomModels...) {
		var times []modelLoad
		for range loadRepetitions {
			loaded := modelLoad{Model: name}
			if err := l.measure(ctx, &loaded.Loaded, "--model", references[name], "--what", ask.Load); err != nil {
				return nil, err
			}
			times = append(times, loaded)
		}
		slices.SortFunc(times, func(a, b modelLoad) int { return int((a.Seconds - b.Seconds) * 1e9) })
		loads = append(loads, times[len(times)/2])
	}
	return loads, nil
}

// measure runs one measurement to its end and decodes its last line.
func (l *lab) measure(ctx context.Context, into any, flags ...string) error {
	cmd, err := l.host(append([]string{"measure"}, flags...)...)
	if err != nil {
		return err
	}
	var out strings.Builder
	cmd.Stdout = &out
	if err := supervise(ctx, cmd, 30*time.Second); err != nil {
		return fmt.Errorf("measuring %s: %w", strings.Join(flags, " "), err)
	}
	return json.Unmarshal([]byte(tail(out.String(), 1)), into)
}

var benchLine = regexp.MustCompile(`^BenchmarkCounts/(\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op.*\s(\d+) allocs/op`)

// measureCounts runs the Go benchmark of slm's counts.
func (l *lab) measureCounts(ctx context.Context) ([]countDuration, error) {
	cmd := l.goCommand(ctx, "test", "-run", "^$", "-bench", "^BenchmarkCounts$", "-benchmem", "./slm")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := supervise(ctx, cmd, 10*time.Second); err != nil {
		return nil, fmt.Errorf("benchmark of counts: %w\n%s", err, out.String())
	}
	counts := parseCounts(out.String())
	if len(counts) == 0 {
		return nil, fmt.Errorf("benchmark of counts: it printed none:\n%s", out.String())
	}
	return counts, nil
}

func parseCounts(text string) (counts []countDuration) {
	for line := range strings.Lines(text) {
		match := benchLine.FindStringSubmatch(strings.TrimSpace(line))
		if match == nil {
			continue
		}
		ns, _ := strconv.ParseFloat(match[2], 64)
		allocations, _ := strconv.Atoi(match[3])
		counts = append(counts, countDuration{strings.ReplaceAll(match[1], "_", " "), ns, allocations})
	}
	slices.SortFunc(counts, func(a, b countDuration) int { return strings.Compare(a.Name, b.Name) })
	return counts
}

// print writes the table.
func (b modelsBench) print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "WHAT\tMEASURED\tHOW (%d cores, %s)\n", b.Cores, b.Backend)
	for _, load := range b.Loads {
		memory := "memory not known here"
		if load.Peak > 0 {
			memory = fmt.Sprintf("peak %s, %.2f of the model's %s beside %s before", slm.Amount(float64(load.Peak), "B"),
				float64(load.Peak-load.Before)/float64(load.size()), slm.Amount(float64(load.size()), "B"), slm.Amount(float64(load.Before), "B"))
		}
		fmt.Fprintf(table, "load %s\t%.2f s\t%s\n", load.Model, load.Seconds, memory)
	}
	b.Forward.print(table, b.Skipped)
	generation := medianOf(b.Generation.Seconds)
	fmt.Fprintf(table, "generate, %s\t%.0f tokens/s\tgreedy, %d tokens, median of %d\n", benchTeacher,
		float64(b.Generation.Tokens)/generation, b.Generation.Tokens, len(b.Generation.Seconds))
	fmt.Fprintf(table, "extract a student, %s\t%.3f s\tmedian of %d; %.3f s with writing it\n", slm.Count(b.Extraction.Parameters),
		medianOf(b.Extraction.Seconds), len(b.Extraction.Seconds), medianOf(b.Extraction.Written))
	for _, count := range b.Counts {
		fmt.Fprintf(table, "count, %s\t%.2f µs\tpythia-12b, layer-wise, %d allocations\n", count.Name, count.Nanoseconds/1000, count.Allocations)
	}
	return table.Flush()
}

// medianOf is the median of values; of none, not a number.
func medianOf(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return nan
	}
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}
