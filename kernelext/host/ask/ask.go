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
	"unicode/utf8"
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

// Eval measures a model's perplexity on a text.
type Eval struct {
	Model, Subnet, Text string
	Seq, Batch          int
	JSON                bool
}

// Flags implements Request.
func (e *Eval) Flags(set *flag.FlagSet) {
	set.StringVar(&e.Model, "model", "", modelUsage)
	set.StringVar(&e.Subnet, "subnet", "", "evaluate only the sub-network of this JSON `FILE`")
	set.StringVar(&e.Text, "text", "", "the text `FILE`, in UTF-8")
	set.IntVar(&e.Seq, "seq", 0, "tokens in a window; all but a window's first are predicted")
	set.IntVar(&e.Batch, "batch", 0, "windows in a pass (default: as many as make 1,024 tokens)")
	set.BoolVar(&e.JSON, "json", false, "print JSON")
}

// Check implements Request.
func (e *Eval) Check() error {
	switch {
	case e.Model == "":
		return errors.New("--model is missing: name an installed teacher, such as smollm2-135m, a folder, a .gguf file or a repository")
	case e.Text == "":
		return errors.New("--text is missing: name a text file")
	case e.Seq < 2:
		return fmt.Errorf("--seq is %d: a window has at least 2 tokens, such as --seq 256", e.Seq)
	case e.Batch < 0:
		return fmt.Errorf("--batch is %d: a pass has at least 1 window", e.Batch)
	}
	return errors.Join(readable("text", e.Text), optional("subnet", e.Subnet))
}

// ReadText reads the text file. One that is not UTF-8 is refused: other bytes could only be guessed at or replaced, and the
// perplexity would be that of another text.
func (e *Eval) ReadText() (string, error) {
	text, err := os.ReadFile(e.Text)
	if err != nil {
		return "", err
	}
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 {
			return "", fmt.Errorf("text %s is not UTF-8: byte 0x%02x at %d; convert it first, such as: iconv -f latin1 -t utf-8 %s", e.Text, text[at], at, e.Text)
		}
		at += size
	}
	return string(text), nil
}

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
