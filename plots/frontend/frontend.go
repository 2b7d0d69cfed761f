// Package frontend lets a running cell hear what its reader does on the page: clicks and settings. It speaks the protocol of gonb's
// widgets (gonbui/comms), whose own buttons and sliders wait for good where no browser answers, and know whole numbers only.
package frontend

import (
	"context"
	"os"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/comms"
)

// Attended reports whether a reader may answer while this cell runs: Jupyter's server started its kernel for a notebook that a
// browser has open. In a notebook that runs headless nobody does, and what waits for an answer would wait for good.
func Attended() bool { return gonbui.IsNotebook && os.Getenv("JPY_SESSION_NAME") != "" }

// NewAddress is an address that nothing else on the page has. It needs no escaping, neither in HTML nor in a script.
func NewAddress() string { return "/offshoot/" + gonbui.UniqueId() }

// healEvery is how often a connection that has broken is made anew: the page gives up one that takes half a second to answer.
const healEvery = 5 * time.Second

// Listen hears what scripts of the page send to an address, by gonb_comm.send(address, text), until ctx ends. The kernel connects to
// the page before it shows anything else, so that what is shown next finds gonb_comm there. A message is a text that anybody who can run a script on the
// page may have written: check it before use.
func Listen(ctx context.Context, address string) <-chan string {
	messages := make(chan string)
	comms.Subscribe(address, func(_ string, message string) {
		select {
		case messages <- message:
		case <-ctx.Done():
		}
	})
	go func() {
		for {
			select {
			case <-ctx.Done():
				return // without unsubscribing: gonb 0.11.4 locks up when a message comes after that
			case <-time.After(healEvery):
				comms.Start()
			}
		}
	}()
	return messages
}
