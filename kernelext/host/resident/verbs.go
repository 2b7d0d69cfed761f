package resident

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/micro"
	"github.com/offshoot-ml/offshoot/kernelext"
)

// addVerbs registers an endpoint for each verb. NATS gives each its own goroutine, so a slow one delays no other.
func (h *Host) addVerbs() error {
	var all error
	add := func(verb string, handle func(ctx context.Context, body []byte) (any, error)) {
		err := h.service.AddEndpoint(verb, micro.HandlerFunc(func(r micro.Request) { h.answer(r, handle) }), micro.WithEndpointSubject(kernelext.Subject(verb)))
		all = errors.Join(all, err)
	}
	add(kernelext.VerbHello, reading(h.hello))
	add(kernelext.VerbStatus, func(ctx context.Context, _ []byte) (any, error) { return h.status(ctx), nil })
	add(kernelext.VerbStop, reading(h.askToStop))
	add(kernelext.VerbRecords, reading(h.records))
	add(kernelext.VerbTable, reading(h.table))
	add(kernelext.VerbCancel, reading(h.cancelJob))
	for verb, do := range map[string]work{
		kernelext.VerbTeacher:      h.teacherWork,
		kernelext.VerbArchitecture: h.architectureWork,
		kernelext.VerbSearch:       h.searchWork,
		kernelext.VerbAsk:          h.askWork,
		kernelext.VerbTell:         h.tellWork,
		kernelext.VerbDistill:      h.distillWork,
		kernelext.VerbSteps:        h.stepsWork,
		kernelext.VerbChange:       h.changeWork,
		kernelext.VerbUndo:         h.undoWork,
		kernelext.VerbBranch:       h.branchWork,
		kernelext.VerbGenerate:     h.generateWork,
		kernelext.VerbPredict:      h.predictWork,
		kernelext.VerbAttention:    h.attentionWork,
		kernelext.VerbImportance:   h.importanceWork,
		kernelext.VerbLayerDrop:    h.layerDropWork,
		kernelext.VerbEvaluate:     h.evaluateWork,
		kernelext.VerbExport:       h.exportWork,
		kernelext.VerbTasks:        h.tasksWork,
	} {
		add(verb, reading(func(ctx context.Context, request kernelext.WorkRequest) (any, error) {
			return h.accept(ctx, verb, request, do)
		}))
	}
	return all
}

// reading adapts a typed handler.
func reading[T any](handle func(context.Context, T) (any, error)) func(context.Context, []byte) (any, error) {
	return func(ctx context.Context, body []byte) (any, error) {
		var request T
		if err := json.Unmarshal(body, &request); err != nil {
			return nil, kernelext.Errorf(kernelext.Invalid, "the request cannot be read: %v", err)
		}
		return handle(ctx, request)
	}
}

// answer replies with what a handler returns.
func (h *Host) answer(r micro.Request, handle func(context.Context, []byte) (any, error)) {
	h.mu.Lock()
	h.asked = time.Now()
	h.mu.Unlock()
	reply, err := handle(context.Background(), r.Data())
	if err == nil {
		err = r.RespondJSON(reply)
	}
	if _, stopping := reply.(kernelext.Stopping); stopping && err == nil {
		h.quitAfterReply()
	}
	if err == nil {
		return
	}
	code := kernelext.Internal
	if coded := (*kernelext.Error)(nil); errors.As(err, &coded) {
		code = coded.Code
	}
	h.log.Warn("request refused", "subject", r.Subject(), "code", code, "error", err)
	// An error travels in a header, which has one line.
	if err := r.Error(string(code), strings.ReplaceAll(err.Error(), "\n", "; "), nil); err != nil {
		h.log.Warn("reply not sent", "subject", r.Subject(), "error", err)
	}
}

func (h *Host) hello(ctx context.Context, request kernelext.HelloRequest) (any, error) {
	hello := kernelext.Hello{Version: h.settings.Version, PID: h.file.PID, Outdated: h.binary.outdated()}
	h.mu.Lock()
	hello.Busy, hello.Stopping = len(h.jobs) > 0, h.stopping
	h.mu.Unlock()
	if request.Lab == "" || request.Version != h.settings.Version || hello.Stopping {
		return hello, nil
	}
	lab, err := h.lab(ctx, request.Lab)
	if err != nil {
		return nil, err
	}
	hello.Folder = lab.folder
	return hello, nil
}

func (h *Host) askToStop(_ context.Context, request kernelext.StopRequest) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if request.OnlyIdle && len(h.jobs) > 0 {
		return nil, kernelext.Errorf(kernelext.Busy, "the host is at work: %s", h.jobs[0].Job)
	}
	h.stopping = true // no job slips in between
	return kernelext.Stopping{PID: h.file.PID}, nil
}

// quitAfterReply ends the host once the reply is on its way.
func (h *Host) quitAfterReply() {
	if err := h.conn.Flush(); err != nil {
		h.log.Warn("reply not sent", "error", err)
	}
	select {
	case h.quit <- "asked to":
	default: // it ends already
	}
}

// accept starts a job and names it.
func (h *Host) accept(ctx context.Context, verb string, request kernelext.WorkRequest, do work) (any, error) {
	if err := kernelext.CheckName("lab", request.Lab); err != nil {
		return nil, err
	}
	if err := checkSubject(verb, request); err != nil {
		return nil, err
	}
	if _, err := h.lab(ctx, request.Lab); err != nil {
		return nil, err
	}
	j, err := h.startJob(verb, request, do)
	if err != nil {
		return nil, err
	}
	return kernelext.Accepted{Job: j.ID}, nil
}

// ofEither are the verbs about a teacher or a run's student, as the request says.
var ofEither = []string{kernelext.VerbGenerate, kernelext.VerbPredict, kernelext.VerbAttention, kernelext.VerbEvaluate, kernelext.VerbExport, kernelext.VerbTasks}

// checkSubject checks the name of what a request is about.
func checkSubject(verb string, request kernelext.WorkRequest) error {
	switch {
	case verb == kernelext.VerbSearch, verb == kernelext.VerbAsk, verb == kernelext.VerbTell:
		return kernelext.CheckName("search", request.Name)
	case verb == kernelext.VerbTeacher, verb == kernelext.VerbArchitecture, verb == kernelext.VerbImportance, verb == kernelext.VerbLayerDrop,
		!request.Run && slices.Contains(ofEither, verb):
		return kernelext.CheckTeacher(request.Name)
	}
	return kernelext.CheckName("run", request.Name)
}

func (h *Host) cancelJob(_ context.Context, request kernelext.Accepted) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, j := range h.jobs {
		if j.ID == request.Job {
			j.cancel(errCancelled)
		}
	}
	return struct{}{}, nil // a job that has ended needs no cancelling
}
