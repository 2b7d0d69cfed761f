package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
	"github.com/offshoot-ml/offshoot/slm"
)

// budgets are the token budgets of arXiv 2510.07227, which every plan shows.
var budgets = []int64{2e9, 10e9, 100e9}

// plan shows the memory, work and time of a distillation. It computes from published sizes, and so needs neither set-up
// nor weights.
func plan(_ context.Context, l *lab, args []string) error {
	asked, asJSON, err := readPlan(l, args)
	if err != nil {
		return err
	}
	made, err := asked.Plan()
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(l.stdout, made)
	}
	return printPlan(l.stdout, made)
}

// readPlan reads the verb's flags.
func readPlan(l *lab, args []string) (p slm.Planned, asJSON bool, err error) {
	set := flags("plan", l.stdout)
	teacher := set.String("teacher", "", "the teacher's published `NAME`, such as pythia-6.9b")
	student := set.String("student", "", "the student: bin:410M (±5%), bin:390M-430M, a published `NAME`, or a sub-network's JSON file")
	tokens := set.String("tokens", "", "a token `BUDGET` to add to 2B, 10B and 100B")
	device := set.String("device", "h100", "a GPU such as a100, h100, l4 or rtx-4090 (all: --device help), cpu (this machine), or a peak such as TFLOPS=120")
	kind := set.String("dtype", string(slm.BFloat16), "`TYPE` of matrix products: bf16, f16 or f32; lab distill has no f16")
	set.IntVar(&p.Batch, "batch", 32, "sequences in a step")
	set.IntVar(&p.SeqLen, "seq", 2048, "tokens in a sequence")
	set.IntVar(&p.Accumulate, "accumulate", 1, "parts that a batch is computed in, one after the other")
	set.IntVar(&p.TopK, "topk", 0, "store the teacher's `K` largest logits beforehand, instead of running it in each step")
	set.IntVar(&p.Pairs, "pairs", 0, "of layers whose hidden states are compared; 0 compares none")
	set.BoolVar(&p.Checkpointing, "checkpointing", false, "keep only layers' inputs and recompute the rest")
	set.BoolVar(&p.Fused, "fused", false, "attention that never stores its probabilities, which lab distill does not have")
	set.Float64Var(&p.Utilization, "mfu", 0.4, "share of the device's peak that is reached")
	set.BoolVar(&asJSON, "json", false, "print JSON")
	if err := parseNone(set, args); err != nil {
		return p, false, err
	}
	if *teacher == "" || *student == "" {
		return p, false, errors.New("lab plan: name a teacher and a student, such as --teacher pythia-6.9b --student bin:410M")
	}
	if p.Teacher, err = slm.Published(*teacher); err != nil {
		return p, false, err
	}
	if p.Student, err = readStudent(*student, p.Teacher); err != nil {
		return p, false, err
	}
	if p.Device, err = slm.ParseDevice(*device); err != nil {
		return p, false, err
	}
	p.Type, p.Tokens = slm.NumberType(*kind), budgets
	if *tokens != "" {
		n, err := slm.ParseCount(*tokens)
		if err != nil {
			return p, false, fmt.Errorf("lab plan: --tokens: %w", err)
		}
		p.Tokens = append([]int64{n}, budgets...)
	}
	return p, asJSON, nil
}

// readStudent understands --student. A bin is represented by the sub-network at the teacher's proportions.
func readStudent(text string, teacher slm.Config) (slm.Model, error) {
	if name, ok := strings.CutPrefix(text, "bin:"); ok {
		bin, err := slm.ParseBin(name)
		if err != nil {
			return slm.Model{}, err
		}
		sizes, err := slm.CoarseUniform.Proportional(teacher, bin)
		if err != nil {
			return slm.Model{}, err
		}
		return slm.Model{Config: teacher, Subnet: sizes.Subnet(teacher)}, nil
	}
	if config, err := slm.Published(text); err == nil {
		return slm.Model{Config: config}, nil
	}
	subnet, err := ask.ReadSubnet(text, teacher)
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("no student %q: want bin:410M, bin:390M-430M, a sub-network's JSON file, or one of %s",
			text, strings.Join(slm.PublishedNames(), ", "))
	}
	return slm.Model{Config: teacher, Subnet: subnet}, err
}

func printJSON(w io.Writer, v any) error {
	lines := json.NewEncoder(w)
	lines.SetIndent("", "  ")
	return lines.Encode(v)
}

// printPlan writes a plan as tables of less than a hundred columns.
func printPlan(w io.Writer, p slm.Plan) error {
	asked := p.Planned
	fmt.Fprintf(w, "teacher  %s, %s parameters\nstudent  %s parameters: %s\nstep     %d sequences of %d tokens",
		asked.Teacher.Name, slm.Count(p.TeacherParameters), slm.Count(p.StudentParameters), describe(asked.Student), asked.Batch, asked.SeqLen)
	if asked.Accumulate > 1 {
		fmt.Fprintf(w, " in %d parts", asked.Accumulate)
	}
	fmt.Fprintf(w, ", %s, on %s: %s at %.3g%%\n", asked.Type, asked.Device.Name,
		slm.Amount(asked.Device.FLOPS(asked.Type), "FLOPs/s"), 100*asked.Utilization)
	if s, t := asked.Student.Config.Vocab, asked.Teacher.Vocab; s != t {
		fmt.Fprintf(w, "         the vocabularies have %d and %d tokens: distillation compares those they share\n", t, s)
	}
	printMemory(w, p)
	printWork(w, p)
	printBudgets(w, p)
	return nil
}

// describe names a student's sizes, with ranges where its layers differ.
func describe(m slm.Model) string {
	if m.Subnet.Embd.IsZero() && len(m.Subnet.Layers) == 0 {
		return m.Config.Name
	}
	a := m.Subnet.Architecture(m.Config, "")
	groups := ""
	if m.Config.HeadsPerGroup() > 1 {
		groups = " in " + span(a.QueryGroups) + " query groups"
	}
	return fmt.Sprintf("%d layers, %d wide, %s heads of %s%s, FFN %s", a.Layers, a.Embd, span(a.Heads), span(a.HeadSize), groups, span(a.FFN))
}

func span(sizes slm.SizeRange) string {
	if sizes.Min == sizes.Max {
		return fmt.Sprint(sizes.Min)
	}
	return fmt.Sprintf("%d-%d", sizes.Min, sizes.Max)
}

// newTable aligns numbers to the right; the last column, of remarks, begins where they end.
func newTable(w io.Writer) *tabwriter.Writer {
	return tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
}

func printMemory(w io.Writer, p slm.Plan) {
	asked, m := p.Planned, p.Memory
	table := newTable(w)
	row := func(name string, bytes int64, how string) {
		fmt.Fprintf(table, "  %-30s\t%s\t  %s\n", name, slm.Amount(float64(bytes), "B"), how)
	}
	logits, activations := "float32", "every layer's, kept"
	if asked.TopK > 0 {
		logits = fmt.Sprintf("the %d largest and their ids", asked.TopK)
	}
	other := "with --checkpointing " + slm.Amount(float64(p.RecomputedBytes), "B")
	if asked.Checkpointing {
		activations, other = "layers' inputs", "without --checkpointing "+slm.Amount(float64(p.StoredBytes), "B")
	}
	fmt.Fprintln(w, "\nmemory of a step")
	row("teacher weights", m.TeacherWeights, "float32")
	row("teacher activations", m.TeacherActivations, "one layer's")
	row("teacher logits", m.TeacherLogits, logits)
	row("student weights", m.StudentWeights, "")
	row("master weights", m.MasterWeights, "float32")
	row("gradients", m.Gradients, "")
	row("AdamW's moments", m.Moments, "float32")
	row("student activations", m.StudentActivations, activations+"; "+other)
	row("student logits", m.StudentLogits, "float32, and their gradient")
	if asked.Pairs > 0 {
		row("hidden states", m.HiddenStates, "float32, the teacher's and the student's projected ones")
	}
	row("total", m.Total, fit(asked.Device, m.Total))
	if p.Caching.Total > 0 {
		row("total while logits are stored", p.Caching.Total, fit(asked.Device, p.Caching.Total))
	}
	row("keys and values, student", p.StudentKVCache, fmt.Sprintf("for each text of %d tokens that it writes", asked.SeqLen))
	row("keys and values, teacher", p.TeacherKVCache, "likewise")
	table.Flush()
	if !p.Fits {
		fmt.Fprintf(w, "  does not fit; less memory take %s\n", strings.Join(savings(asked), ", "))
	}
}

// fit says whether so many bytes are on the device.
func fit(d slm.Device, bytes int64) string {
	switch {
	case d.Memory == 0:
		return ""
	case bytes <= d.Memory:
		return "fits into " + slm.Amount(float64(d.Memory), "B")
	}
	return "more than " + slm.Amount(float64(d.Memory), "B")
}

// savings are what takes less memory than was asked for.
func savings(asked slm.Planned) []string {
	out := []string{}
	for _, option := range []struct {
		flag string
		used bool
	}{{"--checkpointing", asked.Checkpointing}, {"--accumulate", asked.Accumulate >= asked.Batch}, {"--topk", asked.TopK+asked.Pairs > 0}} {
		if !option.used {
			out = append(out, option.flag)
		}
	}
	return append(out, "a smaller --batch")
}

func printWork(w io.Writer, p slm.Plan) {
	tokens := float64(p.Planned.Batch * p.Planned.SeqLen)
	fmt.Fprintln(w, "\nFLOPs")
	table := newTable(w)
	fmt.Fprintf(table, "  %-32s\ta token\ta step\t\n", "")
	row := func(name string, flops float64) {
		fmt.Fprintf(table, "  %-32s\t%s\t%s\t\n", name, slm.Amount(flops/tokens, ""), slm.Amount(flops, ""))
	}
	name := "teacher forward"
	if p.Planned.TopK > 0 {
		name += ", once beforehand"
	}
	row(name, p.Work.TeacherForward)
	row("student forward", p.Work.StudentForward)
	row("student backward", p.Work.StudentBackward)
	if p.Work.Recomputation > 0 {
		row("recomputation", p.Work.Recomputation)
	}
	row("total", p.Work.Total)
	table.Flush()
}

func printBudgets(w io.Writer, p slm.Plan) {
	fmt.Fprintf(w, "\ntoken budgets, at %s tokens a second\n", slm.Amount(p.TokensPerSecond, ""))
	table := newTable(w)
	fmt.Fprint(table, "  tokens\tsteps\tFLOPs\ttime\ttoken shards\t")
	if p.Planned.TopK > 0 {
		fmt.Fprint(table, "stored logits\t")
	}
	fmt.Fprintln(table)
	for _, b := range p.Budgets {
		fmt.Fprintf(table, "  %s\t%d\t%.3g\t%s\t%s\t", slm.Count(b.Tokens), b.Steps, b.FLOPs, slm.Duration(b.Seconds), slm.Amount(float64(b.Shards), "B"))
		if p.Planned.TopK > 0 {
			fmt.Fprintf(table, "%s\t", slm.Amount(float64(b.Logits), "B"))
		}
		fmt.Fprintln(table)
	}
	table.Flush()
	fmt.Fprintf(w, "\ndisk: teacher %s, student %s, a training checkpoint %s\n", slm.Amount(float64(p.TeacherFile), "B"),
		slm.Amount(float64(p.StudentFile), "B"), slm.Amount(float64(p.CheckpointFile), "B"))
}
