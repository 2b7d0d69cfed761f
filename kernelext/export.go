package kernelext

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/offshoot-ml/offshoot/slm"
)

// Export says where and how a student is written for other programs: transformers, llama.cpp.
type Export struct {
	Dir    string     `json:"dir"`              // a new folder, or one that holds an earlier export; the whole path, where the host runs
	Subnet slm.Subnet `json:"subnet,omitzero"`  // of a teacher; a run has its own
	Layers string     `json:"layers,omitempty"` // "auto", "uniform", "padded" or "code": how layers of unequal sizes are written
	DType  string     `json:"dtype,omitempty"`  // "float32", "bfloat16" or "float16"
	GGUF   bool       `json:"gguf,omitempty"`   // write a file for llama.cpp too
}

// Exported is a student that was written.
type Exported struct {
	Dir        string  `json:"dir"`    // as it was asked for
	Class      string  `json:"class"`  // of transformers
	Layers     string  `json:"layers"` // "uniform", "padded" or "code"
	DType      string  `json:"dtype"`
	Parameters int64   `json:"parameters"`
	Padding    int64   `json:"padding"` // parameters that the files hold beside them
	Bytes      int64   `json:"bytes"`   // of weights
	GGUF       string  `json:"gguf,omitempty"`
	Tokenizer  bool    `json:"tokenizer"` // the folder has one
	Steps      int     `json:"steps"`     // that the student was trained for
	Seconds    float64 `json:"seconds"`   // the work took
}

// ExportOption changes how a student is written.
type ExportOption func(*Export)

// WithGGUF also writes a GGUF for llama.cpp.
func WithGGUF() ExportOption { return func(e *Export) { e.GGUF = true } }

// WithLayers chooses how layers of unequal sizes are written: "padded" with zeros to a plain model, which every program
// runs, or as they are with "code" that transformers runs for who trusts it. By default they are padded, unless that adds
// more than half of the student's size.
func WithLayers(how string) ExportOption { return func(e *Export) { e.Layers = how } }

// WithDType chooses the type of number: "float32", the default, "bfloat16" or "float16".
func WithDType(name string) ExportOption { return func(e *Export) { e.DType = name } }

// Export writes the run's student, as of its last checkpoint, into a folder that transformers loads, and shows how.
func (r *Run) Export(dir string, options ...ExportOption) Exported {
	return r.lab.export("run "+r.Name, dir, options, func(ctx context.Context, e Export, d *display) (Exported, error) {
		return r.lab.client.ExportRun(ctx, r.Name, e, d.watch)
	})
}

// Export writes what a sub-network keeps of a teacher, untrained, into a folder that transformers loads, and shows how. The
// zero Subnet writes the teacher itself.
func (l *Lab) Export(teacher string, subnet slm.Subnet, dir string, options ...ExportOption) Exported {
	return l.export(teacher, dir, options, func(ctx context.Context, e Export, d *display) (Exported, error) {
		e.Subnet = subnet
		return l.client.Export(ctx, teacher, e, d.watch)
	})
}

func (l *Lab) export(title, dir string, options []ExportOption, write func(context.Context, Export, *display) (Exported, error)) (info Exported) {
	e := Export{Dir: dir}
	for _, set := range options {
		set(&e)
	}
	l.do(title, func(ctx context.Context, d *display) (line string, err error) {
		info, err = write(ctx, e, d)
		return "", err
	})
	info.Show()
	return info
}

// Show displays a card: what was written, and how to load it.
func (e Exported) Show() { exportCard(e).show() }

// Export writes a teacher's sub-network. A relative folder is one of this process's working folder.
func (c *Client) Export(ctx context.Context, teacher string, e Export, watch func(Event)) (Exported, error) {
	return c.export(ctx, WorkRequest{Name: teacherName(teacher), Export: &e}, watch)
}

// ExportRun writes a run's student.
func (c *Client) ExportRun(ctx context.Context, run string, e Export, watch func(Event)) (Exported, error) {
	return c.export(ctx, WorkRequest{Name: run, Run: true, Export: &e}, watch)
}

func (c *Client) export(ctx context.Context, request WorkRequest, watch func(Event)) (info Exported, err error) {
	asked := request.Export.Dir
	if asked == "" {
		return info, Errorf(Invalid, "export %s: name the folder to write", request.Name)
	}
	if request.Export.Dir, err = filepath.Abs(asked); err != nil {
		return info, err
	}
	err = c.work(ctx, VerbExport, request, watch, &info)
	info.Dir = asked // a card that is saved should not tell where a home is
	return info, err
}

// exportCard tells what was written, and how to load it.
func exportCard(e Exported) shown {
	out := card{title: "Student in " + filepath.Base(e.Dir)}
	out.add("folder", "%s", e.Dir)
	written := fmt.Sprintf("%s parameters in %s, %s", slm.Count(e.Parameters), e.DType, bytesText(e.Bytes))
	if e.Steps > 0 {
		written += fmt.Sprintf(", after %s steps", slm.Thousands(int64(e.Steps)))
	}
	out.add("weights", "%s", written)
	form := map[string]string{"uniform": "plain", "code": "its own layers, with modelling code"}[e.Layers]
	if e.Padding > 0 {
		form = fmt.Sprintf("layers padded to equal sizes, %s parameters more", slm.Count(e.Padding))
	}
	out.add("class", "%s: %s", e.Class, form)
	trust := ""
	if e.Layers == "code" {
		trust = ", trust_remote_code=True"
	}
	python := fmt.Sprintf("AutoModelForCausalLM.from_pretrained(%q%s)", e.Dir, trust)
	if e.Tokenizer {
		python += fmt.Sprintf("\nAutoTokenizer.from_pretrained(%q%s)", e.Dir, trust)
	}
	out.add("transformers", "%s", python)
	if e.GGUF != "" {
		out.add("llama.cpp", "llama-completion -m %s", filepath.Join(e.Dir, e.GGUF))
	}
	return out.shown()
}
