package kernelext

import (
	"errors"
	"fmt"
	"os"

	"github.com/offshoot-ml/offshoot/kernelext/output"
)

// shown is something to look at, in the two forms between which a notebook's readers choose. A terminal gets the text.
type shown struct{ html, text string }

// show puts it below the cell, or on standard output outside a notebook.
func (s shown) show() { output.Show(s.html, s.text, nil) }

// send gives it to the notebook; with an id, it takes the place of what was sent under that id before.
func (s shown) send(id string) { output.Send(id, s.html, s.text, nil) }

// fail ends the cell, or the program, with a message in plain words.
func fail(err error) {
	output.Sync()
	fmt.Fprintln(os.Stderr, err)
	os.Exit(status(err))
}

// status is the exit status of a program that an error ends.
func status(err error) int {
	if interrupted := (*InterruptedError)(nil); errors.As(err, &interrupted) {
		return 130 // as a program that an interrupt ended
	}
	return 1
}
