package kernelext

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// interruptPatience is how long an interrupted call waits for the host to reach a step boundary. GoNB kills a cell five
// seconds after the interrupt, and the cell should have said what became of the work by then.
const interruptPatience = 4 * time.Second

// work asks the host for a piece of work and follows its events until the last one. The result is that of a Done event.
//
// When ctx ends, the host is asked to stop at its next step boundary, and the error is an [InterruptedError]. When this
// process dies, the host notices that nobody listens and stops the work likewise.
func (c *Client) work(ctx context.Context, verb string, request WorkRequest, watch func(Event), result any) error {
	at, err := c.attached(ctx)
	if err != nil {
		return err
	}
	if watch == nil {
		watch = func(Event) {}
	}
	request.Lab, request.Events = c.lab, nats.NewInbox()
	messages := make(chan *nats.Msg, 4096)
	subscription, err := at.conn.ChanSubscribe(request.Events, messages)
	if err != nil {
		return err
	}
	defer subscription.Unsubscribe()
	var accepted Accepted
	if err := at.call(ctx, verb, request, &accepted); err != nil {
		return err
	}
	return at.follow(ctx, accepted, messages, watch, result)
}

func (at *attachment) follow(ctx context.Context, job Accepted, messages <-chan *nats.Msg, watch func(Event), result any) error {
	interrupted := ctx.Done()
	var patience <-chan time.Time
	for {
		select {
		case msg := <-messages:
			if last, err := take(msg, watch, result); last {
				return err
			}
		case <-interrupted:
			interrupted, patience = nil, time.After(interruptPatience)
			go at.cancel(job)
			watch(Event{Kind: Waiting, Time: time.Now(), Message: "stopping at the next step"})
		case <-patience:
			return &InterruptedError{"stopping at the end of the step in work; what is done is kept: run the cell again to continue"}
		case <-at.closed: // what came before the end comes first: a host that stops says what is kept
			for len(messages) > 0 {
				if last, err := take(<-messages, watch, result); last {
					return err
				}
			}
			return errGone
		}
	}
}

// take hands an event on, or reports the outcome when it is the last one.
func take(msg *nats.Msg, watch func(Event), result any) (last bool, err error) {
	var event Event
	if err := json.Unmarshal(msg.Data, &event); err != nil {
		return true, fmt.Errorf("the host sent an event that cannot be read: %w", err)
	}
	if last, err := ends(event, result); last {
		return true, err
	}
	watch(event)
	return false, nil
}

func (at *attachment) cancel(job Accepted) {
	var none struct{}
	_ = at.call(context.Background(), VerbCancel, job, &none) // the job may have ended by itself
}

// ends reports whether an event is a job's last, and reads its outcome.
func ends(event Event, result any) (bool, error) {
	switch event.Kind {
	case Done:
		if result == nil {
			return true, nil
		}
		return true, json.Unmarshal(event.Result, result)
	case Failed:
		return true, &Error{Code: event.Code, Message: event.Message}
	case Interrupted:
		return true, &InterruptedError{event.Message}
	}
	return false, nil
}
