package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/kernelext/host/lmeval"
)

// taskRequest is what `lab lm-eval` was asked.
type taskRequest struct {
	student, lab, run string
	names, metadata   string
	json              bool
	kernelext.Tasks
}

// lmEval measures an exported student, or the student of a run in a lab, in tasks of lm-eval. The host does the latter, as for a
// cell: it exports the student, and records its scores in the lab.
func lmEval(ctx context.Context, l *lab, args []string) error {
	var r taskRequest
	set := flags("lm-eval", l.stdout)
	r.flags(set)
	operands, err := parse(set, args)
	if err != nil {
		return err
	}
	if err := r.settle(operands); err != nil {
		return fmt.Errorf("lab lm-eval: %w", err)
	}
	if err := l.prepareLMEval(ctx); err != nil {
		return err
	}
	defer l.useHome()()
	line := startProgress(l.stderr, "lm-eval")
	line.Note("starting")
	measure := l.measureRun
	if r.student != "" {
		measure = l.measureStudent
	}
	found, err := measure(ctx, r, func(what string, done, total int64) {
		if total > 0 {
			line.Note("%s, %d of %d", what, done, total)
		} else {
			line.Note("%s", what)
		}
	})
	if err != nil {
		line.End("stopped")
		return err
	}
	line.End(fmt.Sprintf("%d scores, in %s", len(found.Scores), found.File))
	if r.json {
		return printJSON(l.stdout, found)
	}
	return printScores(l.stdout, found)
}

func (r *taskRequest) flags(set *flag.FlagSet) {
	set.StringVar(&r.lab, "lab", "", "instead of a folder, the `LAB` that holds a run")
	set.StringVar(&r.run, "run", "", "the `RUN` whose student is measured, as of its last checkpoint")
	set.StringVar(&r.names, "tasks", "", "`NAMES` of tasks, groups or tags with commas between, such as lambada_openai,hellaswag")
	set.IntVar(&r.Limit, "limit", 0, "only the first `N` documents of each task")
	set.IntVar(&r.Batch, "batch", 8, "requests in a pass")
	set.StringVar(&r.Device, "device", "", "of PyTorch, such as cpu or cuda:0 (default: a GPU where there is one)")
	set.StringVar(&r.IncludePath, "include-path", "", "a `FOLDER` with tasks of your own; lm-eval runs the code in it")
	set.StringVar(&r.metadata, "metadata", "", "a `JSON` object for the tasks")
	set.BoolVar(&r.json, "json", false, "print JSON")
}

// settle reads what the flags mean together; paths become whole, since lm-eval works elsewhere.
func (r *taskRequest) settle(operands []string) (err error) {
	switch {
	case len(operands) > 1:
		return fmt.Errorf("name one folder, not %q", operands)
	case len(operands) == 1 && (r.lab != "" || r.run != ""):
		return errors.New("name a folder, or a run with --lab and --run, not both")
	case len(operands) == 0 && (r.lab == "" || r.run == ""):
		return errors.New("name the folder of an exported student, or a run with --lab and --run")
	case r.names == "":
		return errors.New("--tasks is missing: name tasks of lm-eval, such as --tasks lambada_openai,hellaswag")
	}
	r.Names, r.Metadata = strings.Split(r.names, ","), json.RawMessage(r.metadata)
	if err := r.Validate(); err != nil {
		return err
	}
	if r.IncludePath != "" {
		if r.IncludePath, err = filepath.Abs(r.IncludePath); err != nil {
			return err
		}
		if info, err := os.Stat(r.IncludePath); err != nil || !info.IsDir() {
			return fmt.Errorf("--include-path: there is no folder %s", r.IncludePath)
		}
	}
	if len(operands) == 0 {
		return nil
	}
	if r.student, err = filepath.Abs(operands[0]); err != nil {
		return err
	}
	if !exists(filepath.Join(r.student, "config.json")) {
		return fmt.Errorf("%s is not the folder of an exported student: there is no config.json in it; `lab export` writes one", operands[0])
	}
	return nil
}

// prepareLMEval sets up lm-eval, unless a person has one of their own.
func (l *lab) prepareLMEval(ctx context.Context) error {
	steps := setupSteps
	if os.Getenv(lmeval.Variable) == "" {
		steps = withReferences
		if l.pending(referencesStep(l)) != nil {
			fmt.Fprintf(l.stdout, "lm-eval is not set up yet: it is now, with %s (6 GB)\n", describeReferences())
		}
	}
	return l.prepareSteps(ctx, steps)
}

// measureStudent measures an exported student; the results are kept beside its folder.
func (l *lab) measureStudent(ctx context.Context, r taskRequest, report func(what string, done, total int64)) (kernelext.TaskScores, error) {
	python, err := lmeval.Python(l.home)
	if err != nil {
		return kernelext.TaskScores{}, err
	}
	return lmeval.Run(ctx, python, r.student, r.Tasks, r.student+".lm-eval", report)
}

// measureRun lets the host measure the student of a run.
func (l *lab) measureRun(ctx context.Context, r taskRequest, report func(what string, done, total int64)) (kernelext.TaskScores, error) {
	client, err := kernelext.Connect(ctx, r.lab)
	if err != nil {
		return kernelext.TaskScores{}, err
	}
	defer client.Close()
	return client.TasksRun(ctx, r.run, r.Tasks, func(e kernelext.Event) { report(e.Message, e.Done, e.Total) })
}

func printScores(w io.Writer, found kernelext.TaskScores) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "task\tmetric\tfilter\tvalue\tstderr\tdocuments")
	for _, s := range found.Scores {
		deviation := ""
		if s.StdErr != nil {
			deviation = fmt.Sprintf("%.4f", *s.StdErr)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%.4f\t%s\t%d\n", s.Task, s.Metric, s.Filter, s.Value, deviation, s.Documents)
	}
	return table.Flush()
}
