package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// records are what a lab's figures show: what it has recorded, and what its host measures of the teacher and of a student.
type records struct {
	Lab      string            `json:"lab"`
	Search   slm.Population    `json:"search"`             // the zero one where the lab has none
	Searches slm.Found         `json:"searches,omitempty"` // finished ones of the same teacher and the same text, seeds together
	Runs     []slm.Curve       `json:"runs,omitempty"`     // those that are compared, the baseline first
	All      []slm.Curve       `json:"-"`                  // every run
	Savings  []slm.Seeded      `json:"savings,omitempty"`  // finished seeds of `lab bench distill`
	Scores   []slm.Score       `json:"scores,omitempty"`   // accuracies of the students of Runs
	Measured map[string]string `json:"measured,omitempty"` // why the host could not measure something

	Importance slm.Importance  `json:"importance,omitzero"` // of the teacher, by its activations
	Predicted  []slm.Predicted `json:"predicted,omitempty"` // of the teacher, and of the student of Runs with the lowest held-out loss
	Attention  []slm.Attention `json:"attention,omitempty"` // likewise
}

// What the host measures.
const (
	importanceRecord = "importance"
	predictedRecord  = "predicted"
	attentionRecord  = "attention"
)

// String says what is drawn of a lab that holds more.
func (r *records) String() string {
	var compared []string
	for _, run := range r.Runs {
		compared = append(compared, run.Name)
	}
	return fmt.Sprintf("search %s of %d candidates; %d of %d runs: %s", cmp.Or(r.Search.Name, "(none)"), len(r.Search.Candidates),
		len(r.Runs), len(r.All), cmp.Or(strings.Join(compared, ", "), "(none)"))
}

// recordReader is what the figures need of a [kernelext.Client].
type recordReader interface {
	Population(ctx context.Context, search string) (slm.Population, error)
	Curve(ctx context.Context, run string) (slm.Curve, error)
	Importance(ctx context.Context, teacher string, aggregate slm.Aggregate, tokens int, watch func(kernelext.Event)) (slm.Importance, error)
	Predict(ctx context.Context, teacher string, r kernelext.Reading, watch func(kernelext.Event)) (slm.Predicted, error)
	PredictRun(ctx context.Context, run string, r kernelext.Reading, watch func(kernelext.Event)) (slm.Predicted, error)
	Attention(ctx context.Context, teacher string, r kernelext.Reading, watch func(kernelext.Event)) (slm.Attention, error)
	AttentionRun(ctx context.Context, run string, r kernelext.Reading, watch func(kernelext.Event)) (slm.Attention, error)
}

// readRecords reads what a lab holds, chooses what its figures show of it, and lets the host measure the rest.
func readRecords(ctx context.Context, client recordReader, holds kernelext.Contents, search string, runs []string, line *progress) (*records, error) {
	r := &records{Lab: holds.Lab, Measured: map[string]string{}}
	populations := map[string]slm.Population{}
	var searches []slm.Population
	total := len(holds.Searches) + len(holds.Runs)
	for i, entry := range holds.Searches {
		line.Note("reading its records, %d of %d", i+1, total)
		p, err := client.Population(ctx, entry.Name)
		if err != nil {
			return nil, err
		}
		searches, populations[p.Name] = append(searches, p), p
	}
	curves := map[string]slm.Curve{}
	for i, entry := range holds.Runs {
		line.Note("reading its records, %d of %d", len(searches)+i+1, total)
		c, err := client.Curve(ctx, entry.Name)
		if err != nil {
			return nil, err
		}
		r.All, curves[c.Name] = append(r.All, c), c
	}
	var err error
	if r.Search, err = chosenSearch(searches, r.All, search); err != nil {
		return nil, err
	}
	if r.Runs, err = chosenRuns(r.All, runs); err != nil {
		return nil, err
	}
	r.Searches = repeated(searches, r.Search)
	r.Scores = accuracies(r.Runs, holds.Runs)
	r.Savings = studySavings(r.Search, slm.EfficiencyRecords{Searches: populations, Runs: curves})
	return r, r.measure(ctx, client, line)
}

// chosenSearch is the one of that name; of none the one whose candidates most runs train, then the largest, then the last.
func chosenSearch(searches []slm.Population, runs []slm.Curve, name string) (chosen slm.Population, err error) {
	trained := -1
	for _, p := range searches {
		n := len(p.Trained(runs...))
		if p.Name == name || name == "" && (n > trained || n == trained && len(p.Candidates) >= len(chosen.Candidates)) {
			chosen, trained = p, n
		}
	}
	if name != "" && trained < 0 {
		return chosen, fmt.Errorf("no search %q; there are: %s", name, listed(searches, func(p slm.Population) string { return p.Name }))
	}
	return chosen, nil
}

func listed[T any](all []T, name func(T) string) string {
	var names []string
	for _, one := range all {
		names = append(names, name(one))
	}
	return cmp.Or(strings.Join(names, ", "), "none")
}

// mostRuns are compared in a figure: as many as there are colours that everybody can tell apart.
const mostRuns = 6

// chosenRuns are those of the names; of none, of the architecture that was trained in most ways, for each way to begin and each loss
// the run with the most steps, the one from random weights first.
func chosenRuns(runs []slm.Curve, names []string) ([]slm.Curve, error) {
	var chosen []slm.Curve
	for _, name := range names {
		at := slices.IndexFunc(runs, func(c slm.Curve) bool { return c.Name == name })
		if at < 0 {
			return nil, fmt.Errorf("no run %q; there are: %s", name, listed(runs, func(c slm.Curve) string { return c.Name }))
		}
		chosen = append(chosen, runs[at])
	}
	if len(names) > 0 {
		return chosen, nil
	}
	var order []string // of architectures
	ways := map[string][]slm.Curve{}
	for _, c := range runs {
		if c.Steps() == 0 {
			continue
		}
		key := c.Teacher.Name + c.Distillation.Subnet.Normalize(c.Teacher).Key()
		if ways[key] == nil {
			order = append(order, key)
		}
		ways[key] = withLonger(ways[key], c)
	}
	for _, key := range order {
		if len(ways[key]) > len(chosen) {
			chosen = ways[key]
		}
	}
	slices.SortStableFunc(chosen, func(a, b slm.Curve) int { return cmp.Compare(fromRandom(b), fromRandom(a)) })
	return chosen[:min(mostRuns, len(chosen))], nil
}

// accuracies are what lm-eval found of the students of runs, in tasks whose answers are right or wrong. What guessing scores there is
// not recorded.
func accuracies(runs []slm.Curve, entries []kernelext.RunEntry) (found []slm.Score) {
	for _, run := range runs {
		at := slices.IndexFunc(entries, func(e kernelext.RunEntry) bool { return e.Name == run.Name })
		for _, s := range entries[at].Scores {
			normed := slices.ContainsFunc(entries[at].Scores, func(other kernelext.TaskScore) bool { return other.Task == s.Task && other.Metric == "acc_norm" })
			if s.StdErr != nil && (s.Metric == "acc_norm" || s.Metric == "acc" && !normed) {
				found = append(found, slm.Score{Model: run.Name, Task: s.Task, Accuracy: s.Value, StdErr: *s.StdErr})
			}
		}
	}
	return found
}

func fromRandom(c slm.Curve) int {
	if c.Distillation.Init == slm.FromRandom {
		return 1
	}
	return 0
}

// withLonger keeps the longer of two runs that begin and lose alike; of equal ones that with the lower held-out loss.
func withLonger(runs []slm.Curve, c slm.Curve) []slm.Curve {
	alike := func(other slm.Curve) bool {
		return other.Distillation.Init == c.Distillation.Init && other.Distillation.Loss.String() == c.Distillation.Loss.String()
	}
	at := slices.IndexFunc(runs, alike)
	switch {
	case at < 0:
		return append(runs, c)
	case c.Steps() > runs[at].Steps() || c.Steps() == runs[at].Steps() && c.Validation() < runs[at].Validation():
		runs[at] = c
	}
	return runs
}

// repeated sorts the finished searches that can be compared with one, those that judge on the same text of the same teacher: the ones that
// differ only in their seed together.
func repeated(searches []slm.Population, like slm.Population) slm.Found {
	var found slm.Found
	at := map[string]int{} // by what the seeds have in common
	for _, p := range searches {
		if !p.Done() || p.Teacher.Name != like.Teacher.Name || p.Held.SHA256 != like.Held.SHA256 {
			continue
		}
		common := p.Search
		common.Seed = 0
		key, _ := json.Marshal(common) // it was read as JSON
		i, known := at[string(key)]
		if !known {
			i, at[string(key)] = len(found), len(found)
			cell := slm.Cell{Bin: p.Search.Bin, Space: p.Search.Space.Name(), Variant: string(cmp.Or(p.Search.Strategy, slm.Evolution))}
			if slices.ContainsFunc(found, func(r slm.Repeated) bool { return r.Cell == cell }) { // other options
				cell.Variant = p.Name
			}
			found = append(found, slm.Repeated{Cell: cell})
		}
		found[i].Searches = append(found[i].Searches, p)
	}
	return found
}

// studySavings are the finished seeds of the study of `lab bench distill` whose searches are like this one.
func studySavings(search slm.Population, all slm.EfficiencyRecords) []slm.Seeded {
	if search.Name == "" {
		return nil
	}
	for _, quick := range []bool{false, true} {
		if _, found := slm.EfficiencyOf(search.Teacher, search.Search.Bin, quick).Found(all); len(found) > 0 {
			return found
		}
	}
	return nil
}

// readText is what models read in the figures of a text: short, since a map of attention has a cell for each two tokens.
const readText = "// ReadAll reads from r until an error or EOF and returns the data it read.\nfunc ReadAll(r Reader) ([]byte, error) {\n\tb := make([]byte, 0, 512)\n"

// measure asks the host for what is in no record. What it cannot measure, since a teacher is not installed or a checkpoint is gone, is
// left out of the figures.
func (r *records) measure(ctx context.Context, client recordReader, line *progress) error {
	teacher, student := r.models()
	if teacher == "" {
		for _, record := range []string{importanceRecord, predictedRecord, attentionRecord} {
			r.Measured[record] = "the lab holds neither a search nor a run, and so no teacher"
		}
		return nil
	}
	watch := func(e kernelext.Event) {
		if e.Message != "" {
			line.Note("%s", e.Message)
		}
	}
	try := func(record string, ask func() error) {
		line.Note("measuring %s of %s", record, teacher)
		if err := ask(); err != nil {
			r.Measured[record] = err.Error()
		}
	}
	try(importanceRecord, func() (err error) {
		r.Importance, err = client.Importance(ctx, teacher, slm.Norm, kernelext.ImportanceTokens, watch)
		return err
	})
	reading := kernelext.Reading{Text: readText}
	try(predictedRecord, func() (err error) {
		r.Predicted, err = ofBoth(student,
			func() (slm.Predicted, error) { return client.Predict(ctx, teacher, reading, watch) },
			func() (slm.Predicted, error) { return client.PredictRun(ctx, student.Name, reading, watch) })
		return err
	})
	reading.Layers, reading.Heads = r.looked(student)
	try(attentionRecord, func() (err error) {
		r.Attention, err = ofBoth(student,
			func() (slm.Attention, error) { return client.Attention(ctx, teacher, reading, watch) },
			func() (slm.Attention, error) { return client.AttentionRun(ctx, student.Name, reading, watch) })
		return err
	})
	return ctx.Err()
}

// ofBoth is what the teacher says, and the student where there is one. What the teacher said stays where the student cannot.
func ofBoth[T any](student slm.Curve, teacher, its func() (T, error)) ([]T, error) {
	first, err := teacher()
	if err != nil {
		return nil, err
	}
	if student.Name == "" {
		return []T{first}, errors.New("no run that is compared has this teacher")
	}
	second, err := its()
	if err != nil {
		return []T{first}, err
	}
	return []T{first, second}, nil
}

// models are the teacher, and the compared run of it with the lowest held-out loss; "" and the zero Curve where there is none.
func (r *records) models() (teacher string, student slm.Curve) {
	teacher = r.teacher().Name
	for _, c := range r.Runs {
		if c.Teacher.Name == teacher && (student.Name == "" || c.Validation() < student.Validation()) {
			student = c
		}
	}
	return teacher, student
}

// looked are the layers and the heads whose attention is drawn: of the first and the last layer that the student keeps, its first heads.
func (r *records) looked(student slm.Curve) (layers, heads slm.Indices) {
	kept := student.Distillation.Subnet.KeptLayers(r.teacher())
	return slm.IndicesOf(kept[0].Layer, kept[len(kept)-1].Layer), slm.First(8)
}
