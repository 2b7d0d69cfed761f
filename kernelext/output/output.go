// Package output puts below a notebook's cell what has two forms, between which the notebook's readers choose: a page and a text.
package output

import (
	"fmt"
	"os"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// Show puts it below the cell, and waits until it is there; outside a notebook it prints the text. Metadata, which may be nil, is for
// who reads notebooks by a program: strings, by key.
func Show(html, text string, metadata map[string]any) {
	if !gonbui.IsNotebook {
		fmt.Fprintln(os.Stdout, text)
		return
	}
	Send("", html, text, metadata)
	Sync()
}

// Send gives it to the notebook, and does not wait; with an id, it takes the place of what was sent under that id before.
func Send(id, html, text string, metadata map[string]any) {
	gonbui.SendData(&protocol.DisplayData{DisplayID: id, Metadata: metadata,
		Data: map[protocol.MIMEType]any{protocol.MIMETextHTML: html, protocol.MIMETextPlain: text}})
}

// Sync waits until the kernel has everything that was sent. A kernel that does not answer must not hold up the cell for good.
func Sync() {
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
