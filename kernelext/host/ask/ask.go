// Package ask is the command lines of what the lab's command asks of the host's binary: work that needs the tensor library,
// in a process of its own. Both sides read them with the flags defined here: the one to show help and to find mistakes
// before anything is set up, the other to do the work. It links nothing that needs cgo.
package ask

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
)

// Request is one verb's flags.
type Request interface {
	Flags(set *flag.FlagSet)
	// Check reports what is missing or out of range, as far as it shows without the model.
	Check() error
}

// Requests are the verbs by name, each with its defaults.
func Requests() map[string]Request {
	return map[string]Request{"eval": &Eval{}, "export": &Export{}, "extract": &Extract{}, "measure": &Measure{}, "pretrain": &Pretrain{},
		"search": &Search{}}
}

const modelUsage = "`MODEL`: an installed teacher's name, a folder, a .gguf file, or a Hugging Face repository such as EleutherAI/pythia-70m"

// Extract writes a sub-network's dense student.
type Extract struct{ Model, Subnet, Out string }

// Flags implements Request.
func (e *Extract) Flags(set *flag.FlagSet) {
	set.StringVar(&e.Model, "model", "", modelUsage)
	set.StringVar(&e.Subnet, "subnet", "", "the sub-network's JSON `FILE`")
	set.StringVar(&e.Out, "out", "", "the new `FOLDER` to write")
}

// Check implements Request.
func (e *Extract) Check() error {
	switch {
	case e.Model == "":
		return errors.New("--model is missing: name an installed teacher, such as smollm2-135m, a folder, a .gguf file or a repository")
	case e.Subnet == "":
		return errors.New("--subnet is missing: name a sub-network's JSON file")
	case e.Out == "":
		return errors.New("--out is missing: name the folder to write")
	}
	return readable("subnet", e.Subnet)
}

// readable reports a file that is not there.
func readable(flag, path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("--%s: there is no file %s", flag, path)
	case err != nil:
		return fmt.Errorf("--%s: %w", flag, err)
	case info.IsDir():
		return fmt.Errorf("--%s: %s is a folder, want a file", flag, path)
	}
	return nil
}

func optional(flag, path string) error {
	if path == "" {
		return nil
	}
	return readable(flag, path)
}
