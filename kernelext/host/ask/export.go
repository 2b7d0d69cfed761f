package ask

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
)

// Export writes a student for other programs: that of a run in a lab, or a model's sub-network as it is cut out.
type Export struct {
	Lab, Run           string
	Model, Subnet      string
	Out, Layers, DType string
	GGUF               bool
}

// Flags implements Request.
func (e *Export) Flags(set *flag.FlagSet) {
	set.StringVar(&e.Lab, "lab", "", "the `LAB` that holds the run")
	set.StringVar(&e.Run, "run", "", "the `RUN` whose student is written, as of its last checkpoint")
	set.StringVar(&e.Model, "model", "", "instead of a run's student, "+modelUsage)
	set.StringVar(&e.Subnet, "subnet", "", "write only the model's sub-network of this JSON `FILE`")
	set.StringVar(&e.Out, "out", "", "the `FOLDER` to write: a new one, or that of an earlier export")
	set.StringVar(&e.Layers, "layers", exportLayers[0], "how layers of unequal sizes are written, `HOW`: "+strings.Join(exportLayers, ", "))
	set.StringVar(&e.DType, "dtype", exportTypes[0], "the `TYPE` of number: "+strings.Join(exportTypes, ", "))
	set.BoolVar(&e.GGUF, "gguf", false, "write a GGUF for llama.cpp too")
}

// What package slm/export knows, which must not be linked here.
var (
	exportLayers = []string{"auto", "uniform", "padded", "code"}
	exportTypes  = []string{"float32", "bfloat16", "float16"}
)

// Check implements Request.
func (e *Export) Check() error {
	switch {
	case e.Run == "" && e.Lab == "" && e.Model == "":
		return errors.New("--run is missing: name a lab and its run, such as --lab quickstart --run from-30M, or a model with --model")
	case e.Model != "" && (e.Run != "" || e.Lab != ""):
		return errors.New("--model and --run: name one of them")
	case e.Model == "" && e.Subnet != "":
		return errors.New("--subnet is of a --model; a run has its own")
	case e.Model == "" && e.Lab == "":
		return fmt.Errorf("--lab is missing: name the lab that holds the run %q", e.Run)
	case e.Model == "" && e.Run == "":
		return fmt.Errorf("--run is missing: name a run of the lab %q", e.Lab)
	case e.Out == "":
		return errors.New("--out is missing: name the folder to write")
	case e.GGUF && e.Layers == "code":
		return errors.New("--gguf: llama.cpp runs no Python; write the layers as padded")
	}
	return errors.Join(oneOf("layers", e.Layers, exportLayers), oneOf("dtype", e.DType, exportTypes), optional("subnet", e.Subnet))
}

// oneOf reports a value that is none of those there are.
func oneOf(flag, value string, values []string) error {
	if slices.Contains(values, value) {
		return nil
	}
	return fmt.Errorf("--%s is %q, want %s", flag, value, strings.Join(values, ", "))
}
