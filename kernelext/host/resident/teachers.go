package resident

import (
	"context"
	"encoding/json"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// window is how many tokens are predicted in a window when a teacher or a candidate is evaluated.
const window = 128

// heldTeacher is an open teacher, whose weights may not be in memory.
type heldTeacher struct {
	Teacher
	info kernelext.TeacherInfo
	held map[heldText][]int32 // evaluation windows
}

// reference is where the teacher of a name comes from: an installed file, or what the engine finds by itself, a published
// name, a repository or a path.
func (h *Host) reference(name string) (string, error) {
	if err := kernelext.CheckTeacher(name); err != nil {
		return "", err
	}
	if path := Installed(h.settings.Home)[name]; path != "" {
		return path, nil
	}
	if strings.Contains(name, "/") || slm.Repository(name) != "" {
		return name, nil
	}
	return "", h.unknownTeacher(name)
}

// teacherWork loads a teacher and measures its perplexity.
func (h *Host) teacherWork(j *job) (any, error) {
	_, t, err := h.measuredTeacher(j)
	if err != nil {
		return nil, err
	}
	return t.info, nil
}

// measuredTeacher is the teacher that a request names, in memory and with its perplexity, and the lab.
func (h *Host) measuredTeacher(j *job) (*lab, *heldTeacher, error) {
	l, err := h.lab(j.whole(), j.Lab)
	if err != nil {
		return nil, nil, err
	}
	t, err := h.useTeacher(j, l, j.Name)
	if err == nil && t.info.Tokens == 0 {
		err = h.measure(j, t)
	}
	return l, t, err
}

// useTeacher is openTeacher, with the weights in memory.
func (h *Host) useTeacher(j *job, l *lab, name string) (*heldTeacher, error) {
	t, err := h.openTeacher(j, l, name)
	if err == nil {
		err = h.loadTeacher(j, t)
	}
	return t, err
}

// openTeacher waits for the accelerator, opens the teacher unless it is open, and notes that the lab uses it.
func (h *Host) openTeacher(j *job, l *lab, name string) (*heldTeacher, error) {
	reference, err := h.reference(name)
	if err != nil {
		return nil, err
	}
	if err := j.acquire(); err != nil {
		return nil, err
	}
	h.mu.Lock()
	t, ok := h.teachers[name]
	h.mu.Unlock()
	if !ok {
		if t, err = h.newTeacher(j, name, reference); err != nil {
			return nil, err
		}
	}
	return t, unwritable(l.folder, l.useTeacher(j.whole(), name, t.info.Config, t.info.SHA256))
}

func (h *Host) unknownTeacher(name string) error {
	return kernelext.Errorf(kernelext.Unknown, "no teacher is called %q; %s; published: %s; others by their repository, such as "+
		"\"EleutherAI/pythia-70m\", or by their path", name, listed("installed", h.teacherNames(),
		"none is installed yet: run `go run ./kernelext/lab setup`"), strings.Join(slm.PublishedNames(), ", "))
}

// newTeacher runs while the job holds the accelerator, so no teacher is opened twice.
func (h *Host) newTeacher(j *job, name, reference string) (*heldTeacher, error) {
	begin := time.Now()
	j.progress(kernelext.Event{Message: "opening " + name})
	opened, err := h.engine.OpenTeacher(j.ctx, reference, j.report())
	if err != nil {
		return nil, notLoaded(j, name, err)
	}
	config := opened.Config()
	config.Name = name
	t := &heldTeacher{Teacher: opened, held: map[heldText][]int32{}, info: kernelext.TeacherInfo{Config: config,
		SHA256: opened.SHA256(), Seconds: time.Since(begin).Seconds(), Corpus: opened.Corpus(), Pretrained: opened.Pretrained()}}
	h.recall(t)
	h.mu.Lock()
	h.teachers[name] = t
	h.mu.Unlock()
	h.log.Info("teacher opened", "teacher", name, "parameters", slm.Subnet{}.Parameters(config).Total(), "took", time.Since(begin).Round(time.Millisecond))
	return t, nil
}

// loadTeacher brings a teacher's weights into memory, unless they are there.
func (h *Host) loadTeacher(j *job, t *heldTeacher) error {
	name := t.info.Config.Name
	if t.Bytes() == 0 {
		begin := time.Now()
		j.progress(kernelext.Event{Message: "loading " + name})
		if err := t.Load(j.ctx, j.report()); err != nil {
			return notLoaded(j, name, err)
		}
		took := time.Since(begin)
		t.info.Seconds += took.Seconds()
		h.log.Info("teacher loaded", "teacher", name, "bytes", t.Bytes(), "took", took.Round(time.Millisecond))
	}
	t.info.Bytes = t.Bytes()
	return nil
}

// notLoaded is the error of a teacher that could not be opened or loaded.
func notLoaded(j *job, name string, err error) error {
	if j.boundary() {
		return &kernelext.InterruptedError{Message: "stopped while " + name + " was loading; run the cell again to load it"}
	}
	return kernelext.Errorf(kernelext.Invalid, "teacher %s cannot be loaded: %v", name, err)
}

// heldText is what held-out windows are of.
type heldText struct {
	data   string // as JSON
	tokens int
}

// Held returns the held-out windows of an evaluation, read once. seqLen is always the same.
func (t *heldTeacher) Held(ctx context.Context, data slm.Data, tokens, seqLen int, report Report) ([]int32, error) {
	of := heldText{text(data), tokens}
	if w, ok := t.held[of]; ok {
		return w, nil
	}
	w, err := t.Teacher.Held(ctx, data, tokens, seqLen, report)
	if err != nil {
		return nil, err
	}
	t.held[of] = w
	return w, nil
}

// measure evaluates the whole teacher on held-out text.
func (h *Host) measure(j *job, t *heldTeacher) error {
	interrupted := &kernelext.InterruptedError{Message: "stopped; the teacher is loaded, its perplexity is not measured yet"}
	windows, err := t.Held(j.ctx, slm.Data{}, h.settings.HeldTokens, window, j.report())
	if j.boundary() {
		return interrupted
	}
	if err != nil {
		return err
	}
	j.progress(kernelext.Event{Message: "measuring the perplexity of " + t.info.Config.Name})
	begin := time.Now()
	loss, err := t.Loss(j.whole(), slm.Subnet{}, windows, window)
	if err != nil {
		return err
	}
	t.info.Loss, t.info.Perplexity = loss, math.Exp(loss)
	t.info.Tokens, t.info.Window = len(windows)/(window+1)*window, window
	h.log.Info("teacher measured", "teacher", t.info.Config.Name, "loss", loss, "perplexity", t.info.Perplexity,
		"tokens", t.info.Tokens, "took", time.Since(begin).Round(time.Millisecond))
	h.remember(t)
	return nil
}

// A measurement is remembered in a file beside the teacher: it depends on the teacher's content and the corpus only.
type measurement struct {
	SHA256 string  `json:"sha256"`
	Corpus string  `json:"corpus"`
	Asked  int     `json:"asked"` // tokens
	Tokens int     `json:"tokens"`
	Window int     `json:"window"`
	Loss   float64 `json:"loss"`
}

func (h *Host) measurementPath(t *heldTeacher) string {
	return filepath.Join(h.settings.Home, "teachers", url.PathEscape(t.info.Config.Name)+".perplexity.json")
}

func (h *Host) remember(t *heldTeacher) {
	m := measurement{t.info.SHA256, t.info.Corpus, h.settings.HeldTokens, t.info.Tokens, t.info.Window, t.info.Loss}
	if err := os.WriteFile(h.measurementPath(t), []byte(text(m)+"\n"), 0o644); err != nil {
		h.log.Warn("perplexity not kept", "error", err)
	}
}

// recall fills in what an earlier host measured, if it still holds.
func (h *Host) recall(t *heldTeacher) {
	content, err := os.ReadFile(h.measurementPath(t))
	var m measurement
	if err != nil || json.Unmarshal(content, &m) != nil {
		return
	}
	if m.SHA256 == t.info.SHA256 && m.SHA256 != "" && m.Corpus == t.info.Corpus && m.Asked == h.settings.HeldTokens && m.Window == window {
		t.info.Loss, t.info.Perplexity, t.info.Tokens, t.info.Window = m.Loss, math.Exp(m.Loss), m.Tokens, m.Window
	}
}

// soleTeacher names the teacher of options that name none: the only one that the lab has used, or the only one there is.
func (h *Host) soleTeacher(ctx context.Context, l *lab) (string, error) {
	used, err := l.teachers(ctx)
	if err != nil {
		return "", err
	}
	if len(used) == 0 {
		used = h.teacherNames()
	}
	switch len(used) {
	case 1:
		return used[0], nil
	case 0:
		return "", h.unknownTeacher("")
	}
	return "", kernelext.Errorf(kernelext.Invalid, "lab %s knows several teachers (%s): say which one in the field Teacher", l.name, strings.Join(used, ", "))
}

// config is a teacher's architecture: what the lab noted, or, the first time, what opening it tells.
func (h *Host) config(j *job, l *lab, name string) (slm.Config, error) {
	config, found, err := l.teacher(j.whole(), name)
	if err != nil {
		return config, err
	}
	if _, unknown := h.reference(name); found && unknown == nil {
		return config, nil
	}
	t, err := h.openTeacher(j, l, name)
	if err != nil {
		return config, err
	}
	return t.info.Config, nil
}

// architectureWork tells a teacher's architecture.
func (h *Host) architectureWork(j *job) (any, error) {
	l, err := h.lab(j.whole(), j.Lab)
	if err != nil {
		return nil, err
	}
	return h.config(j, l, j.Name)
}

// model is the teacher or the student that a request is about, in memory.
func (h *Host) model(j *job, l *lab) (Model, error) {
	if !j.request.Run {
		return h.useTeacher(j, l, j.Name)
	}
	r, err := h.student(j, l, j.Name)
	if err != nil {
		return nil, err
	}
	return r.trainer, nil
}

// mostGenerated bounds the tokens of one call: longer texts are several calls.
const mostGenerated = 4096

// writer is how the run's student, the teacher or a sub-network of it that a request names continues a prompt.
func (h *Host) writer(j *job, l *lab) (func(context.Context, string, slm.Generation) (string, error), error) {
	s := j.request.Subnet
	if j.request.Run || s.IsZero() {
		m, err := h.model(j, l)
		if err != nil {
			return nil, err
		}
		return m.Generate, nil
	}
	t, err := h.useTeacher(j, l, j.Name)
	if err != nil {
		return nil, err
	}
	if err := s.Validate(t.info.Config); err != nil {
		return nil, kernelext.Errorf(kernelext.Invalid, "generate: %v", err)
	}
	return func(ctx context.Context, prompt string, g slm.Generation) (string, error) {
		return t.GenerateSubnet(ctx, s, prompt, g)
	}, nil
}

// generateWork continues a prompt with a teacher or a student.
func (h *Host) generateWork(j *job) (any, error) {
	g := j.request.Generation
	if g == nil || g.Tokens > mostGenerated || j.request.Prompt == "" {
		return nil, kernelext.Errorf(kernelext.Invalid, "generate: want a prompt, and 1 to %d tokens", mostGenerated)
	}
	if err := g.Validate(); err != nil {
		return nil, kernelext.Errorf(kernelext.Invalid, "%v", err)
	}
	l, err := h.lab(j.whole(), j.Lab)
	if err != nil {
		return nil, err
	}
	write, err := h.writer(j, l)
	if err != nil {
		return nil, err
	}
	j.progress(kernelext.Event{Message: "writing"})
	out, err := write(j.ctx, j.request.Prompt, *g)
	if j.boundary() {
		return nil, &kernelext.InterruptedError{Message: "stopped before the text was complete"}
	}
	return out, err
}
