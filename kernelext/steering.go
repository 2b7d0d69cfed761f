package kernelext

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/offshoot-ml/offshoot/slm"
)

// The messages of a run's controls: the name of a button, or that of a setting with its value, such as "alpha=0.5".
const (
	stepsButton = "steps"
	pauseButton = "pause"
	doneButton  = "done"

	rateSetting        = "rate"
	temperatureSetting = "temperature"
	alphaSetting       = "alpha"
)

// steering does with a run what its controls say. It is either waiting for them or training, and what they say while it trains is done
// at the next step boundary, in their order.
type steering struct {
	run   steered
	steps int // of the button
	due   int // steps that are still to be taken
}

// steered is the run.
type steered interface {
	// train takes steps, or fewer if ctx ends: then the step in work is finished, and the error is an [InterruptedError].
	train(ctx context.Context, steps int) error
	change(ctx context.Context, c slm.Change) error
	curve() slm.Curve
	refuse(why error)
}

// follow returns when the reader is done or ctx has ended.
func (s *steering) follow(ctx context.Context, messages <-chan string) {
	for done := false; !done && ctx.Err() == nil; {
		if s.due > 0 {
			done = s.train(ctx, messages)
			continue
		}
		select {
		case <-ctx.Done():
		case message := <-messages:
			done = s.take(ctx, message)
		}
	}
}

// train takes the steps that are due, unless a message stops it before; more steps do not.
func (s *steering) train(ctx context.Context, messages <-chan string) (done bool) {
	training, stop := context.WithCancel(ctx)
	defer stop()
	first, ended, held := s.run.curve().Steps(), make(chan error, 1), []string(nil)
	go func() { ended <- s.run.train(training, s.due) }()
	for {
		select {
		case message := <-messages:
			held = append(held, message)
			if message != stepsButton {
				stop()
			}
		case err := <-ended:
			s.due = max(0, s.due-(s.run.curve().Steps()-first))
			if interrupted := (*InterruptedError)(nil); err != nil && !errors.As(err, &interrupted) {
				s.due = 0
				s.run.refuse(err)
			}
			for _, message := range held {
				done = s.take(ctx, message) || done
			}
			return done
		}
	}
}

// take does what a message says, between two steps.
func (s *steering) take(ctx context.Context, message string) (done bool) {
	switch message {
	case stepsButton:
		s.due += s.steps
	case pauseButton:
		s.due = 0
	case doneButton:
		return true
	default:
		change, err := changeOf(holding(s.run.curve()), message)
		if err == nil {
			err = s.run.change(ctx, change)
		}
		if err != nil {
			s.run.refuse(err)
		}
	}
	return false
}

// changeOf reads a setting's message, which may be anything.
func changeOf(now slm.Distillation, message string) (c slm.Change, err error) {
	name, text, _ := strings.Cut(message, "=")
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return c, fmt.Errorf("the setting %.80q is no number", message)
	}
	switch {
	case name == rateSetting:
		c.Schedule = now.Schedule
		c.Schedule.Peak = value
	case name == temperatureSetting && value > 0:
		c.Loss = now.Loss.At(value)
	case name == alphaSetting:
		c.Loss, err = now.Loss.Mixed(value)
	default:
		err = fmt.Errorf("there is no setting %.80q", message)
	}
	if err == nil {
		err = c.Validate()
	}
	return c, err
}
