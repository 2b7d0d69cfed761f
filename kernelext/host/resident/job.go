package resident

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"sync"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
)

// Why a job is cancelled.
var (
	errCancelled  = errors.New("its client asked for it")
	errClientGone = errors.New("its client has gone")
	errStopping   = errors.New("the host is stopping")
)

// job is a piece of work that somebody listens to.
type job struct {
	kernelext.Job
	host    *Host
	request kernelext.WorkRequest
	ctx     context.Context // ends when the job should stop at its next boundary
	cancel  context.CancelCauseFunc
	mu      sync.Mutex // guards what a job's progress changes
}

// work is what a verb does in a job. Its result becomes that of the Done event.
type work func(j *job) (result any, err error)

// startJob runs work in the background and returns its job.
func (h *Host) startJob(verb string, request kernelext.WorkRequest, do work) (*job, error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	j := &job{host: h, request: request, ctx: ctx, cancel: cancel}
	j.Job = kernelext.Job{ID: newToken(6), Lab: request.Lab, Verb: verb, Name: request.Name, Since: time.Now()}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopping {
		cancel(errStopping)
		return nil, kernelext.Errorf(kernelext.Busy, "the host is stopping; run the cell again")
	}
	h.jobs = append(h.jobs, j)
	h.working.Add(1)
	go j.run(do)
	go j.mindListener()
	return j, nil
}

// run does the work and publishes exactly one last event.
func (j *job) run(do work) {
	defer j.host.working.Done()
	j.host.log.Info("job starts", "job", j.ID, "lab", j.Lab, "verb", j.Verb, "name", j.Name)
	result, err := j.guarded(do)
	j.host.accelerator.release(j)
	j.host.forget(j)
	last := lastEvent(result, err)
	j.host.log.Info("job ends", "job", j.ID, "lab", j.Lab, "verb", j.Verb, "name", j.Name, "outcome", last.Kind,
		"message", last.Message, "cause", context.Cause(j.ctx), "took", time.Since(j.Since).Round(time.Millisecond))
	j.cancel(nil)
	j.publish(last)
	if err := j.host.conn.Flush(); err != nil {
		j.host.log.Warn("last event not sent", "job", j.ID, "error", err)
	}
	if j.snapshot().Running { // it has used the accelerator: checkpoints and loading leave much garbage
		debug.FreeOSMemory()
	}
}

// guarded turns a panic of the work into an error, so that one cell's bad luck does not end every lab.
func (j *job) guarded(do work) (result any, err error) {
	defer func() {
		if p := recover(); p != nil {
			j.host.log.Error("panic", "job", j.ID, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("the host failed inside: %v; `go run ./kernelext/lab logs` shows where", p)
		}
	}()
	return do(j)
}

func lastEvent(result any, err error) kernelext.Event {
	var coded *kernelext.Error
	var interrupted *kernelext.InterruptedError
	switch {
	case errors.As(err, &interrupted):
		return kernelext.Event{Kind: kernelext.Interrupted, Message: interrupted.Message}
	case errors.As(err, &coded):
		return kernelext.Event{Kind: kernelext.Failed, Code: coded.Code, Message: err.Error()}
	case err != nil:
		return kernelext.Event{Kind: kernelext.Failed, Code: kernelext.Internal, Message: err.Error()}
	}
	text, err := json.Marshal(result)
	if err != nil {
		return kernelext.Event{Kind: kernelext.Failed, Code: kernelext.Internal, Message: err.Error()}
	}
	return kernelext.Event{Kind: kernelext.Done, Result: text}
}

// mindListener cancels the job when its client is gone: the NATS server drops a dead client's subscriptions, at once
// when its process ended, after some missed pings when its machine did.
func (j *job) mindListener() {
	for {
		select {
		case <-j.ctx.Done():
			return
		case <-time.After(j.host.settings.ListenerCheck):
			if !j.host.listened(j.request.Events) {
				j.cancel(errClientGone)
				return
			}
		}
	}
}

func (j *job) publish(e kernelext.Event) {
	e.Time = time.Now()
	text, err := json.Marshal(e)
	if err == nil {
		err = j.host.conn.Publish(j.request.Events, text)
	}
	if err != nil {
		j.host.log.Warn("event not sent", "job", j.ID, "kind", e.Kind, "error", err)
	}
}

// acquire waits for the accelerator, and for it to be started.
func (j *job) acquire() error {
	if err := j.host.accelerator.acquire(j.ctx, j); err != nil {
		return &kernelext.InterruptedError{Message: "stopped before the work began; run the cell again to begin it"}
	}
	return j.host.backendReady(j.ctx)
}

func (j *job) waitingFor(holder *job) {
	j.publish(kernelext.Event{Kind: kernelext.Waiting, Message: fmt.Sprintf("waiting for %s", holder.Job)})
}

func (j *job) runs() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.Running = true
}

// snapshot is the job as others see it.
func (j *job) snapshot() kernelext.Job {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.Job
}

// progress tells how far the job is.
func (j *job) progress(e kernelext.Event) {
	j.mu.Lock()
	j.Message, j.Done, j.Total, j.Unit, j.Rate, j.Left = e.Message, e.Done, e.Total, e.Unit, e.Rate, e.Left
	j.mu.Unlock()
	if e.Kind == "" {
		e.Kind = kernelext.Progress
	}
	j.publish(e)
}

func (j *job) note(format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	j.host.log.Info("note", "job", j.ID, "lab", j.Lab, "name", j.Name, "message", message)
	j.publish(kernelext.Event{Kind: kernelext.Note, Message: message})
}

// report is the job's progress as the engine reports it, at most ten times a second.
func (j *job) report() Report {
	var last time.Time
	return func(message string, done, total int64) {
		if now := time.Now(); now.Sub(last) >= 100*time.Millisecond || done == total {
			last = now
			j.progress(kernelext.Event{Message: message, Done: done, Total: total})
		}
	}
}

// boundary reports whether the job should stop here.
func (j *job) boundary() bool { return j.ctx.Err() != nil }

// whole is the context of a step: it does not end in the middle of one.
func (j *job) whole() context.Context { return context.WithoutCancel(j.ctx) }

// pace estimates how long the rest takes from the last few units, so that a slow first one is soon forgotten.
type pace struct{ recent []float64 }

func (p *pace) add(seconds float64) {
	p.recent = append(p.recent, seconds)
	if len(p.recent) > 8 {
		p.recent = p.recent[1:]
	}
}

// mean is the mean time of a recent unit in seconds; the slowest one is left out once there are three.
func (p *pace) mean() float64 {
	if len(p.recent) == 0 {
		return 0
	}
	sum, slowest := 0.0, 0.0
	for _, s := range p.recent {
		sum += s
		slowest = math.Max(slowest, s)
	}
	if n := len(p.recent); n >= 3 {
		return (sum - slowest) / float64(n-1)
	}
	return sum / float64(len(p.recent))
}
