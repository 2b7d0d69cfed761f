package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
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
	asJSON := set.Bool("json", false, "print JSON (of models, search, distill, figures)")
	teacher := set.String("teacher", "", "the `TEACHER` of search (default: "+benchTeacher+") and distill (default: "+efficiencyTeacher+")")
	size := set.String("bin", "", "the `BIN` of distill's students, such as 2M (default: around half of the teacher's parameters)")
	quick := set.Bool("quick", false, "search or distill for some minutes only")
	parts, err := parse(set, args)
	switch {
	case err != nil:
		return err
	case len(parts) == 0 && !*asJSON:
		return benchLab(ctx, l)
	case len(parts) == 1 && parts[0] == "figures":
		return benchFigures(ctx, l, *asJSON)
	case len(parts) == 1 && parts[0] == "models":
		return benchModels(ctx, l, *asJSON)
	case len(parts) == 1 && parts[0] == "search":
		return benchSearch(ctx, l, cmp.Or(*teacher, benchTeacher), *quick, *asJSON)
	case len(parts) == 2 && parts[0] == "distill" && parts[1] == "speed":
		return benchDistillSpeed(ctx, l, *asJSON)
	case len(parts) == 1 && parts[0] == "distill":
		var bin slm.Bin
		if *size != "" {
			if bin, err = slm.ParseBin(*size); err != nil {
				return fmt.Errorf("--bin: %w", err)
			}
		}
		return benchDistill(ctx, l, cmp.Or(*teacher, efficiencyTeacher), bin, *quick, *asJSON)
	case len(parts) == 2 && parts[0] == "search" && parts[1] == "speed":
		return benchSearchSpeed(ctx, l, *asJSON)
	}
	return fmt.Errorf("lab bench measures nothing called %q; want nothing, models, search, search speed, distill, distill speed or figures", strings.Join(parts, " "))
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
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

var lab = kernelext.Open("bench")

// steps trains a run. It prints when the first step was done, in microseconds of Unix time, and the seconds that each took.
func steps(name string, loss slm.Loss, n int) {
	search := slm.Search{Space: slm.CoarseUniform, Bin: slm.Around(30e6, 0.05)}
	lab.Distill(name, slm.Distillation{Subnet: lab.Teacher("smollm2-135m").Sample(search, 1).Subnet, Loss: loss, Batch: 2, EvalEvery: 1000})
	began, seconds := int64(0), []float64{}
	_, err := lab.Client().Steps(context.Background(), name, n, func(e kernelext.Event) {
		if e.Kind == kernelext.Point && e.Point.Step > 0 {
			began, seconds = cmp.Or(began, time.Now().UnixMicro()), append(seconds, e.Point.Seconds)
		}
	})
	if err != nil {
		panic(err)
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{"first": began, "seconds": seconds})
}

%%
fmt.Println(lab.Teacher("smollm2-135m").Seconds)
`
	trivialCell = `%%
if _, err := lab.Client().Contents(context.Background()); err != nil {
	panic(err)
}
`
	plainSteps     = "%%\nsteps(\"plain\", slm.CE(1), "
	distilledSteps = "%%\nsteps(\"distilled\", slm.CE(0.3).Plus(slm.ForwardKL(0.7)), "
	memoryCell     = `%%
s, err := lab.Client().Status(context.Background())
if err != nil {
	panic(err)
}
fmt.Println(s.Memory)
`
)

// A long cell, whose first step compiles, shows the steady state: that of its second half. Then come short ones.
const (
	steadySteps = 40
	shortCells  = 8
	shortSteps  = 5
)

// benchSources are the cells in their order. Each ends with a statement of its own: a cell that was compiled before would
// not be compiled again, as no user's cell is twice the same.
func benchSources() []string {
	sources := slices.Repeat([]string{emptyCell}, benchCells)
	sources = append(sources, openCell)
	sources = append(sources, slices.Repeat([]string{trivialCell}, benchCells)...)
	for _, cell := range []string{plainSteps, distilledSteps} {
		sources = append(sources, fmt.Sprint(cell, steadySteps, ")\n"))
		sources = append(sources, slices.Repeat([]string{fmt.Sprint(cell, shortSteps, ")\n")}, shortCells)...)
	}
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
	fmt.Fprintf(table, "empty GoNB cell\t%.2f s\tmedian of %d\n", medianTime(take(benchCells)), benchCells)
	load, _ := strconv.ParseFloat(strings.TrimSpace(take(1)[0].Text), 64)
	fmt.Fprintf(table, "teacher load, GGUF to ready\t%.2f s\tas the host logs it\n", load)
	fmt.Fprintf(table, "trivial call to a warm lab\t%.2f s\tmedian of %d\n", medianTime(take(benchCells)), benchCells)
	for _, loss := range []string{"cross-entropy", "with the teacher"} {
		if err := reportSteps(table, loss, take(1)[0], take(shortCells)); err != nil {
			return err
		}
	}
	bytes, _ := strconv.ParseFloat(strings.TrimSpace(take(1)[0].Text), 64)
	fmt.Fprintf(table, "host's memory, two students held\t%.2f GiB\tresident\n", bytes/(1<<30))
	return table.Flush()
}

// cellSteps is what a cell with steps printed.
type cellSteps struct {
	First   int64     `json:"first"` // when the first was done, in microseconds of Unix time
	Seconds []float64 `json:"seconds"`
}

// reportSteps compares the steps of short cells with the steady state of a long one.
func reportSteps(w io.Writer, loss string, long cellTime, short []cellTime) error {
	var steady cellSteps
	if err := json.Unmarshal([]byte(long.Text), &steady); err != nil {
		return err
	}
	var until, first, all []float64
	for _, c := range short {
		var s cellSteps
		if err := json.Unmarshal([]byte(c.Text), &s); err != nil {
			return err
		}
		until = append(until, time.UnixMicro(s.First).Sub(time.UnixMicro(int64(c.Began*1e6))).Seconds())
		first, all = append(first, s.Seconds[0]), append(all, s.Seconds...)
	}
	step := medianOf(steady.Seconds[steadySteps/2:])
	fmt.Fprintf(w, "first step of a later cell, %s\t%.2f s\tfrom the cell's start, median of %d; 256 tokens, 30M\n", loss, medianOf(until), len(until))
	fmt.Fprintf(w, "a step, %s\t%.3f s\tin the steady state, median of %d; the first, which compiles, took %.1f s\n", loss, step, steadySteps/2, steady.Seconds[0])
	fmt.Fprintf(w, "  in later cells\t%+.1f%%\tmedian of %d in %d cells; the first of each %+.1f%%\n", 100*(medianOf(all)/step-1), len(all), len(short), 100*(medianOf(first)/step-1))
	return nil
}

// medianTime is the median of how long cells took.
func medianTime(cells []cellTime) float64 {
	var seconds []float64
	for _, c := range cells {
		seconds = append(seconds, c.Seconds)
	}
	return medianOf(seconds)
}
