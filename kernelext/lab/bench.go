package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

// benchCells is how many cells of each kind are timed.
const benchCells = 20

// bench measures what the README quotes: of the lab itself, or of one of its parts.
func bench(ctx context.Context, l *lab, args []string) error {
	set := flags("bench", l.stdout)
	asJSON := set.Bool("json", false, "print JSON (of models, search, distill)")
	teacher := set.String("teacher", "", "the `TEACHER` of search (default: "+benchTeacher+") and distill (default: "+efficiencyTeacher+")")
	size := set.String("bin", "", "the `SIZE` of distill's students, ±5% (default: around half of the teacher's parameters)")
	quick := set.Bool("quick", false, "search or distill for some minutes only")
	parts, err := parse(set, args)
	switch {
	case err != nil:
		return err
	case len(parts) == 0 && !*asJSON:
		return benchLab(ctx, l)
	case len(parts) == 1 && parts[0] == "models":
		return benchModels(ctx, l, *asJSON)
	case len(parts) == 1 && parts[0] == "search":
		return benchSearch(ctx, l, cmp.Or(*teacher, benchTeacher), *quick, *asJSON)
	case len(parts) == 2 && parts[0] == "distill" && parts[1] == "speed":
		return benchDistillSpeed(ctx, l, *asJSON)
	case len(parts) == 1 && parts[0] == "distill":
		bin, err := parseBin(*size)
		if err != nil {
			return err
		}
		return benchDistill(ctx, l, cmp.Or(*teacher, efficiencyTeacher), bin, *quick, *asJSON)
	case len(parts) == 2 && parts[0] == "search" && parts[1] == "speed":
		return benchSearchSpeed(ctx, l, *asJSON)
	}
	return fmt.Errorf("lab bench measures nothing called %q; want nothing, models, search, search speed, distill or distill speed", strings.Join(parts, " "))
}

// benchLab measures the lab: it runs a notebook of its own in a lab of its own, through the same kernel as any other, and
// prints a table.
func benchLab(ctx context.Context, l *lab) error {
	if err := l.prepare(ctx); err != nil {
		return err
	}
	own, leave, err := l.testLab(ctx)
	if err != nil {
		return err
	}
	defer leave()
	dir := own.path("bench")
	notebook, times := filepath.Join(dir, "bench.ipynb"), filepath.Join(dir, "times.json")
	text, err := json.Marshal(benchNotebook())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(notebook, text, 0o644); err != nil {
		return err
	}
	if err := own.execute(ctx, notebook, "", "--times", times); err != nil {
		return err
	}
	if text, err = os.ReadFile(times); err != nil {
		return err
	}
	var cells []cellTime
	if err := json.Unmarshal(text, &cells); err != nil {
		return err
	}
	return report(l, cells)
}

// cellTime is what the driver keeps of a cell.
type cellTime struct {
	Began   float64 `json:"began"` // Unix time
	Seconds float64 `json:"seconds"`
	Text    string  `json:"text"`
}

// The cells that are timed, in the order in which they run.
const (
	emptyCell = "%%\n"
	openCell  = `import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

var lab = kernelext.Open("bench")

// step trains a run for two steps and prints when the first was done, in microseconds of Unix time; the second ends
// the increment, and so is reported after its validation.
func step(name string, loss slm.Loss) {
	search := slm.Search{Space: slm.CoarseUniform, Bin: slm.Around(30e6, 0.05)}
	lab.Distill(name, slm.Distillation{Subnet: lab.Teacher("smollm2-135m").Sample(search, 1).Subnet, Loss: loss, Batch: 2})
	printed := false
	_, err := lab.Client().Steps(context.Background(), name, 2, func(e kernelext.Event) {
		if e.Kind == kernelext.Point && e.Point.Step > 0 && !printed {
			printed = true
			fmt.Println(time.Now().UnixMicro())
		}
	})
	if err != nil {
		panic(err)
	}
}

%%
fmt.Println(lab.Teacher("smollm2-135m").Seconds)
`
	trivialCell = `%%
if _, err := lab.Client().Contents(context.Background()); err != nil {
	panic(err)
}
`
	plainStep     = "%%\nstep(\"plain\", slm.CE(1))\n"
	distilledStep = "%%\nstep(\"distilled\", slm.CE(0.3).Plus(slm.ForwardKL(0.7)))\n"
	memoryCell    = `%%
s, err := lab.Client().Status(context.Background())
if err != nil {
	panic(err)
}
fmt.Println(s.Memory)
`
)

// stepCells is how often each kind of step is taken: the first compiles and is not counted.
const stepCells = 6

// benchSources are the cells in their order. Each ends with a statement of its own: a cell that was compiled before would
// not be compiled again, as no user's cell is twice the same.
func benchSources() []string {
	sources := slices.Repeat([]string{emptyCell}, benchCells)
	sources = append(sources, openCell)
	sources = append(sources, slices.Repeat([]string{trivialCell}, benchCells)...)
	sources = append(sources, slices.Repeat([]string{plainStep}, stepCells)...)
	sources = append(sources, slices.Repeat([]string{distilledStep}, stepCells)...)
	sources = append(sources, memoryCell)
	for i := range sources {
		sources[i] += fmt.Sprintf("_ = %d\n", i)
	}
	return sources
}

func benchNotebook() map[string]any {
	var cells []map[string]any
	for i, source := range benchSources() {
		cells = append(cells, map[string]any{"cell_type": "code", "id": fmt.Sprintf("cell-%d", i), "execution_count": nil,
			"metadata": map[string]any{}, "outputs": []any{}, "source": source})
	}
	return map[string]any{"nbformat": 4, "nbformat_minor": 5, "cells": cells,
		"metadata": map[string]any{"kernelspec": map[string]any{"name": "gonb", "language": "go", "display_name": "Go (gonb)"}}}
}

// report prints the medians.
func report(l *lab, cells []cellTime) error {
	if want := len(benchSources()); len(cells) != want {
		return fmt.Errorf("lab bench: %d cells were timed, want %d", len(cells), want)
	}
	take := func(n int) []cellTime {
		taken := cells[:n]
		cells = cells[n:]
		return taken
	}
	table := tabwriter.NewWriter(l.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "empty GoNB cell\t%.2f s\tmedian of %d\n", median(take(benchCells), whole), benchCells)
	load, _ := strconv.ParseFloat(strings.TrimSpace(take(1)[0].Text), 64)
	fmt.Fprintf(table, "teacher load, GGUF to ready\t%.2f s\tas the host logs it\n", load)
	fmt.Fprintf(table, "trivial call to a warm lab\t%.2f s\tmedian of %d\n", median(take(benchCells), whole), benchCells)
	for _, loss := range []string{"cross-entropy", "with the teacher"} {
		later := take(stepCells)[1:]
		fmt.Fprintf(table, "first step of a later cell, %s\t%.2f s\tfrom the cell's start, median of %d; 256 tokens, 30M\n",
			loss, median(later, untilStep), len(later))
	}
	bytes, _ := strconv.ParseFloat(strings.TrimSpace(take(1)[0].Text), 64)
	fmt.Fprintf(table, "host's memory, two students held\t%.2f GiB\tresident\n", bytes/(1<<30))
	return table.Flush()
}

func whole(c cellTime) float64 { return c.Seconds }

// untilStep is the time from a cell's start to the moment that its step printed.
func untilStep(c cellTime) float64 {
	micros, _ := strconv.ParseInt(strings.TrimSpace(c.Text), 10, 64)
	return time.UnixMicro(micros).Sub(time.UnixMicro(int64(c.Began * 1e6))).Seconds()
}

func median(cells []cellTime, of func(cellTime) float64) float64 {
	values := make([]float64, len(cells))
	for i, c := range cells {
		values[i] = of(c)
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

// parseBin reads a size such as 4M; nothing is the zero Bin.
func parseBin(size string) (slm.Bin, error) {
	if size == "" {
		return slm.Bin{}, nil
	}
	n, err := slm.ParseCount(size)
	if err != nil {
		return slm.Bin{}, fmt.Errorf("--bin: %w", err)
	}
	return slm.Around(float64(n), 0.05), nil
}
