package frontend

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestRelayPassesOnWhatIsSaid(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	said, messages, heard := make(chan string), make(chan string), make(chan struct{})
	done := make(chan struct{})
	go func() { relay(ctx, said, messages, heard); close(done) }()
	said <- ""
	<-heard
	said <- ""
	said <- "steps"
	if got := <-messages; got != "steps" {
		t.Errorf("heard %q", got)
	}
	said <- "pause" // which nobody takes
	stop()
	<-done
}

func TestASilentPageIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, heard := 0, make(chan struct{})
		insist(t.Context(), heard, func() { asked++ })
		if asked != tries {
			t.Errorf("a page that stays silent was asked %d times, want %d", asked, tries)
		}
		asked = 0
		time.AfterFunc(silence+time.Second, func() { close(heard) })
		insist(t.Context(), heard, func() { asked++ })
		if asked != 1 {
			t.Errorf("one that spoke after %s was asked %d times", silence+time.Second, asked)
		}
	})
}
