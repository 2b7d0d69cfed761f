package kernelext

import (
	"fmt"
	"os"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// shown is something to look at, in the two forms between which a notebook's readers choose. A terminal gets the text.
type shown struct{ html, text string }

// show puts it below the cell, or on standard output outside a notebook.
func (s shown) show() {
	if !gonbui.IsNotebook {
		fmt.Fprintln(os.Stdout, s.text)
		return
	}
	s.send("")
	syncDisplay()
}

// send gives it to the notebook; with an id, it takes the place of what was sent under that id before.
func (s shown) send(id string) {
	gonbui.SendData(&protocol.DisplayData{DisplayID: id,
		Data: map[protocol.MIMEType]any{protocol.MIMETextHTML: s.html, protocol.MIMETextPlain: s.text}})
}

// syncDisplay waits until the kernel has everything that was sent. A kernel that does not answer must not hold up the
// cell for good.
func syncDisplay() {
	if !gonbui.IsNotebook || gonbui.Error() != nil {
		return
	}
	done := make(chan struct{})
	go func() { gonbui.Sync(); close(done) }()
	select {
	case <-done:
	case <-time.After(2 * time.Second):
	}
}

// fail ends the cell, or the program, with a message in plain words.
func fail(err error) {
	syncDisplay()
	fmt.Fprintln(os.Stderr, err)
	status := 1
	if _, interrupted := err.(*InterruptedError); interrupted {
		status = 130 // as a program that an interrupt ended
	}
	os.Exit(status)
}
