// Package frontend lets a running cell hear what its reader does on the page: clicks and settings. It speaks the protocol of gonb's
// widgets (gonbui/comms), whose own buttons and sliders wait for good where no browser answers, and know whole numbers only.
package frontend

import (
	"context"
	_ "embed"
	"os"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/comms"
)

// Script is JavaScript that defines cellAt(address), by which scripts of the page send texts to an address.
//
//go:embed cell.js
var Script string

// Attended reports whether a reader may answer while this cell runs: Jupyter's server started its kernel for a notebook that a
// browser has open. In a notebook that runs headless nobody does, and what waits for an answer would wait for good.
func Attended() bool { return gonbui.IsNotebook && os.Getenv("JPY_SESSION_NAME") != "" }

// NewAddress is an address that nothing else on the page has. It needs no escaping, neither in HTML nor in a script.
func NewAddress() string { return "/offshoot/" + gonbui.UniqueId() }

// A page that answers the kernel half a second late gives its connection up, so a silent one is asked again a few times. One that
// was heard is left alone: to ask is to risk what the reader does meanwhile.
const (
	silence = 5 * time.Second
	tries   = 3
)

// Listen hears what scripts of the page send to an address until ctx ends. The kernel connects to the page before it shows anything
// else, so that the scripts of what is shown next find the connection. A message is a text that anybody who can run a script on the
// page may have written: check it before use.
func Listen(ctx context.Context, address string) <-chan string {
	said, messages, heard := make(chan string), make(chan string), make(chan struct{})
	comms.Subscribe(address, func(_ string, text string) {
		select {
		case said <- text:
		case <-ctx.Done(): // it stays subscribed: gonb 0.11.4 locks up when a message comes after the last one has left
		}
	})
	go relay(ctx, said, messages, heard)
	go insist(ctx, heard, comms.Start)
	return messages
}

// relay passes on what is more than a sign of life, and closes heard at the first one.
func relay(ctx context.Context, said <-chan string, messages chan<- string, heard chan<- struct{}) {
	for first := true; ; first = false {
		select {
		case <-ctx.Done():
			return
		case text := <-said:
			if first {
				close(heard)
			}
			if text == "" {
				continue
			}
			select {
			case messages <- text:
			case <-ctx.Done():
				return
			}
		}
	}
}

// insist connects again while nothing is heard.
func insist(ctx context.Context, heard <-chan struct{}, connect func()) {
	for range tries {
		select {
		case <-ctx.Done():
			return
		case <-heard:
			return
		case <-time.After(silence):
			connect()
		}
	}
}
