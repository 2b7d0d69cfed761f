package ask

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"unicode/utf8"

	"github.com/offshoot-ml/offshoot/slm"
)

// Eval measures a model's perplexity, on one text or on documents of any source.
type Eval struct {
	Model, Subnet, Lab, Run string
	Text, Tokens            string
	Data                    Data
	Seq, Batch              int
	Best, Whole, Mask, JSON bool
}

// Flags implements Request.
func (e *Eval) Flags(set *flag.FlagSet) {
	set.StringVar(&e.Model, "model", "", modelUsage)
	set.StringVar(&e.Subnet, "subnet", "", "evaluate only the sub-network of this JSON `FILE`")
	set.StringVar(&e.Lab, "lab", "", "instead of a model, the `LAB` that holds a run")
	set.StringVar(&e.Run, "run", "", "the `RUN` whose student is evaluated, as of its last checkpoint")
	set.BoolVar(&e.Best, "best", false, "as of the run's kept checkpoint with the lowest held-out loss")
	set.StringVar(&e.Text, "text", "", "one text `FILE`, in UTF-8, cut into windows without any tokens added")
	e.Data.Flags(set, "")
	set.BoolVar(&e.Whole, "whole", false, "all documents of --data, not only those that are held out when a run trains on it")
	set.BoolVar(&e.Mask, "document-mask", false, "keep attention within a document of --data where a window has several; a student that was trained so is evaluated so without it")
	set.StringVar(&e.Tokens, "tokens", "", "predict so many tokens `N` of --data, such as 1M, or fewer if it has not so many (default: 16384)")
	set.IntVar(&e.Seq, "seq", 0, "tokens in a window; all but a window's first are predicted (default with --data: 129, as runs are validated)")
	set.IntVar(&e.Batch, "batch", 0, "windows in a pass (default: as many as make 1,024 tokens)")
	set.BoolVar(&e.JSON, "json", false, "print JSON")
}

// Check implements Request.
func (e *Eval) Check() error {
	if err := e.checkModel(); err != nil {
		return err
	}
	if e.Data.Name != "" && e.Seq == 0 {
		e.Seq = (slm.Evaluation{}).WithDefaults().SeqLen + 1
	}
	switch {
	case e.Text == "" && e.Data.Name == "":
		return errors.New("--text is missing: name a text file, or documents with --data")
	case e.Text != "" && e.Data != (Data{Tokens: "0"}):
		return errors.New("--text and --data: name one of them")
	case e.Text != "" && (e.Whole || e.Tokens != "" || e.Mask):
		return errors.New("--whole, --tokens and --document-mask are of --data; a --text is evaluated as a whole")
	case e.Seq < 2:
		return fmt.Errorf("--seq is %d: a window has at least 2 tokens, such as --seq 256", e.Seq)
	case e.Batch < 0:
		return fmt.Errorf("--batch is %d: a pass has at least 1 window", e.Batch)
	case e.Text != "":
		return errors.Join(readable("text", e.Text), optional("subnet", e.Subnet))
	}
	_, err := e.Evaluation()
	return errors.Join(err, optional("subnet", e.Subnet))
}

func (e *Eval) checkModel() error {
	switch {
	case e.Model == "" && e.Lab == "" && e.Run == "":
		return errors.New("--model is missing: name an installed teacher, such as smollm2-135m, a folder, a .gguf file or a repository, or a run with --lab and --run")
	case e.Model != "" && (e.Lab != "" || e.Run != ""):
		return errors.New("--model and --run: name one of them")
	case e.Model == "" && (e.Lab == "" || e.Run == ""):
		return errors.New("--lab and --run: name both, a lab and the run in it")
	case e.Model == "" && e.Subnet != "":
		return errors.New("--subnet is of a --model; a run has its own")
	case e.Mask && e.Subnet != "":
		return errors.New("--document-mask and --subnet: write the sub-network with lab extract first, and evaluate its folder")
	case e.Model != "" && e.Best:
		return errors.New("--best is of a --run")
	}
	return nil
}

// Evaluation is what the flags ask of --data.
func (e *Eval) Evaluation() (asked slm.Evaluation, err error) {
	asked = slm.Evaluation{Whole: e.Whole, SeqLen: e.Seq - 1, Best: e.Best, DocumentMask: e.Mask}
	if e.Tokens != "" {
		tokens, err := slm.ParseCount(e.Tokens)
		if err != nil {
			return asked, fmt.Errorf("--tokens: %w", err)
		}
		asked.Tokens = int(tokens)
	}
	asked = asked.WithDefaults()
	if asked.Data, err = e.Data.Read(); err != nil {
		return asked, err
	}
	return asked, asked.Validate()
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
