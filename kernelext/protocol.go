package kernelext

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

// Version is the protocol's version. A client and a host of different versions do not talk: an idle host is replaced,
// a busy one is left alone and the client says how to stop it.
const Version = "0.2.0"

// Subject is the NATS subject of a verb of the host, such as "offshoot.v1.status".
func Subject(verb string) string { return "offshoot.v1." + verb }

// The verbs. The first six answer at once; the others are accepted at once and report by events.
const (
	VerbHello   = "hello"   // HelloRequest, answered by Hello
	VerbStatus  = "status"  // answered by Status
	VerbStop    = "stop"    // StopRequest, answered by Stopping
	VerbRecords = "records" // RecordsRequest, answered by Records
	VerbTable   = "table"   // TableRequest, answered by Table
	VerbCancel  = "cancel"  // Accepted: stops that job at its next step boundary

	VerbTeacher      = "teacher"      // WorkRequest, ends with a TeacherInfo
	VerbArchitecture = "architecture" // WorkRequest, ends with the slm.Config of a teacher, which need not be loaded
	VerbSearch       = "search"       // WorkRequest, ends with a Summary
	VerbAsk          = "ask"          // WorkRequest, ends with []slm.Candidate: those of a told search to judge next
	VerbTell         = "tell"         // WorkRequest, ends with a Summary
	VerbDistill      = "distill"      // WorkRequest, ends with a Summary: names a run and checks its options
	VerbSteps        = "steps"        // WorkRequest, ends with a Summary
	VerbChange       = "change"       // WorkRequest, ends with a Summary: Done is the step from which the change holds
	VerbUndo         = "undo"         // WorkRequest, ends with a Summary: Done is the step to which the run went back
	VerbBranch       = "branch"       // WorkRequest, ends with a Summary: Done is the step at which the new run leaves From
	VerbGenerate     = "generate"     // WorkRequest, ends with a string
	VerbPredict      = "predict"      // WorkRequest, ends with a slm.Predicted
	VerbAttention    = "attention"    // WorkRequest, ends with a slm.Attention
	VerbImportance   = "importance"   // WorkRequest, ends with a slm.Importance
	VerbLayerDrop    = "layer-drop"   // WorkRequest, ends with a slm.Importance: the layers' scores, by slm.LayerDrop
	VerbEvaluate     = "evaluate"     // WorkRequest, ends with a slm.Evaluated
	VerbExport       = "export"       // WorkRequest, ends with an Exported
	VerbTasks        = "tasks"        // WorkRequest, ends with a TaskScores
)

// HelloRequest opens a lab; it makes the lab's folder the first time.
type HelloRequest struct {
	Version string `json:"version"`
	Lab     string `json:"lab,omitempty"`
}

// Hello is what a client needs to know before it trusts a host.
type Hello struct {
	Version  string `json:"version"`
	PID      int    `json:"pid"`
	Busy     bool   `json:"busy"`             // a job runs or waits
	Stopping bool   `json:"stopping"`         // it takes no more work
	Outdated bool   `json:"outdated"`         // its binary on disk is another one by now
	Folder   string `json:"folder,omitempty"` // of the lab
}

// StopRequest asks the host to end: work stops at its next step boundary and is kept.
type StopRequest struct {
	OnlyIdle bool `json:"only_idle,omitempty"` // refuse while a job runs or waits
}

// Stopping answers a StopRequest.
type Stopping struct {
	PID int `json:"pid"`
}

// WorkRequest asks for a piece of work. Each verb reads its own fields.
type WorkRequest struct {
	Lab          string            `json:"lab"`
	Events       string            `json:"events"` // subject for the events; without a listener the work stops
	Name         string            `json:"name"`   // of the teacher, the search or the run
	Search       *slm.Search       `json:"search,omitempty"`
	Told         []Judgement       `json:"told,omitempty"`
	Distillation *slm.Distillation `json:"distillation,omitempty"`
	Until        *slm.Until        `json:"until,omitempty"`
	Devices      int               `json:"devices,omitempty"` // of the accelerator, that share each step; 0 means 1
	Change       *slm.Change       `json:"change,omitempty"`
	From         string            `json:"from,omitempty"` // the run that a branch leaves
	Step         int               `json:"step,omitempty"` // to undo to, or to branch at: -1 is the last one
	Run          bool              `json:"run,omitempty"`  // it is about the student of the run Name, not the teacher Name
	Prompt       string            `json:"prompt,omitempty"`
	Generation   *slm.Generation   `json:"generation,omitempty"`
	Reading      *Reading          `json:"reading,omitempty"`
	Subnet       slm.Subnet        `json:"subnet,omitzero"` // of the teacher Name, that continues the prompt in place; zero is all of it
	Importance   *Importance       `json:"importance,omitempty"`
	Evaluation   *slm.Evaluation   `json:"evaluation,omitempty"`
	Export       *Export           `json:"export,omitempty"`
	Tasks        *Tasks            `json:"tasks,omitempty"`
}

// Judgement is what a cell tells of a candidate that it was given.
type Judgement struct {
	ID      int     `json:"id"`
	Subnet  string  `json:"subnet"`            // the sub-network's key
	Loss    float64 `json:"loss"`              // what the search makes small
	Failure string  `json:"failure,omitempty"` // why there is no loss
	Latency float64 `json:"latency,omitempty"`
	Seconds float64 `json:"seconds,omitempty"` // that judging took
}

// Validate reports numbers that cannot be recorded.
func (t Judgement) Validate() error {
	for _, v := range []float64{t.Loss, t.Latency, t.Seconds} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("candidate %d: its loss is %g, latency %g and time %g, which must be finite",
				t.ID, t.Loss, t.Latency, t.Seconds)
		}
	}
	if t.Latency < 0 || t.Seconds < 0 {
		return fmt.Errorf("candidate %d: latency %g and time %g cannot be negative", t.ID, t.Latency, t.Seconds)
	}
	return nil
}

// Importance asks how much each unit of a teacher matters.
type Importance struct {
	Aggregate slm.Aggregate `json:"aggregate"`
	Tokens    int           `json:"tokens"` // of the training text on which activations are measured
}

// Accepted names a job.
type Accepted struct {
	Job string `json:"job"`
}

// Kind says what an event reports.
type Kind string

// The kinds of events. Each job ends with exactly one of the last three.
const (
	Waiting     Kind = "waiting"     // Message says for what
	Progress    Kind = "progress"    // Done of Total, Rate, Left
	Note        Kind = "note"        // Message is worth keeping, such as where a run continued
	Candidate   Kind = "candidate"   // an evaluated candidate, already in the lab's records
	Point       Kind = "point"       // a finished step, already in the lab's records
	Done        Kind = "done"        // Result is what was asked for
	Failed      Kind = "failed"      // Code and Message say why
	Interrupted Kind = "interrupted" // Message says what is kept
)

// Event reports on a job.
type Event struct {
	Kind      Kind            `json:"kind"`
	Time      time.Time       `json:"time"`
	Message   string          `json:"message,omitempty"`
	Done      int64           `json:"done,omitempty"`
	Total     int64           `json:"total,omitempty"`
	Unit      string          `json:"unit,omitempty"`  // of Done and Total: "evaluations", "steps", "bytes"
	Rate      float64         `json:"rate,omitempty"`  // evaluations or tokens a second
	Left      float64         `json:"left,omitempty"`  // seconds, estimated
	FLOPs     float64         `json:"flops,omitempty"` // of a run's steps so far: see [slm.Distillation.StepFLOPs]
	MFU       float64         `json:"mfu,omitempty"`   // model FLOPs utilisation: those of the last steps, of the device's peak; 0 where that is not known
	Candidate *slm.Candidate  `json:"candidate,omitempty"`
	Point     *slm.Point      `json:"point,omitempty"`
	Code      Code            `json:"code,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
}

// TeacherInfo describes a loaded teacher.
type TeacherInfo struct {
	Config     slm.Config `json:"config"`
	SHA256     string     `json:"sha256"`     // of its file
	Bytes      int64      `json:"bytes"`      // that it holds in memory
	Seconds    float64    `json:"seconds"`    // that loading took
	Loss       float64    `json:"loss"`       // held-out cross-entropy, in nats per token
	Perplexity float64    `json:"perplexity"` // exp(Loss)
	Tokens     int        `json:"tokens"`     // on which it was measured
	Window     int        `json:"window"`     // tokens that are predicted in a window of the measurement
	Corpus     string     `json:"corpus"`     // from which the held-out tokens come
	Pretrained int64      `json:"pretrained"` // tokens that it was trained on, where its folder says so (`lab pretrain` does); 0 elsewhere
}

// Summary ends a search, or a piece of a run. The records themselves come by RecordsRequest.
type Summary struct {
	Done    int64   `json:"done"`    // evaluations or steps that the lab holds
	New     int64   `json:"new"`     // of them, made by this call
	Seconds float64 `json:"seconds"` // the work took
}

// Records requested and answered in pages, so that no size of a search or run meets the limit of a message.
type (
	// RecordsRequest asks for a search's candidates or a run's points.
	RecordsRequest struct {
		Lab    string `json:"lab"`
		Search string `json:"search,omitempty"`
		Run    string `json:"run,omitempty"` // with neither: only the lab's contents
		From   int    `json:"from,omitempty"`
	}
	// Records is one page. Next is where the next one begins; 0 when this was the last.
	Records struct {
		Population *slm.Population `json:"population,omitempty"`
		Curve      *slm.Curve      `json:"curve,omitempty"`
		Contents   *Contents       `json:"contents,omitempty"`
		Next       int             `json:"next,omitempty"`
	}
)

// A table comes in pages likewise.
type (
	// TableRequest asks for a search's candidates as the content of a file.
	TableRequest struct {
		Lab         string `json:"lab"`
		Search      string `json:"search"`
		File        string `json:"file"`                  // its suffix names the format
		From        int    `json:"from,omitempty"`        // bytes
		Evaluations int    `json:"evaluations,omitempty"` // those of the first page: the others are of the same table
	}
	// Table is one page. Next is where the next one begins; 0 when this was the last.
	Table struct {
		Content     []byte `json:"content"`
		Candidates  int    `json:"candidates"` // in all pages
		Evaluations int    `json:"evaluations"`
		Next        int    `json:"next,omitempty"`
	}
)

// Contents is what a lab holds.
type Contents struct {
	Lab      string        `json:"lab"`
	Folder   string        `json:"folder"`
	Teachers []string      `json:"teachers"`
	Searches []SearchEntry `json:"searches"`
	Runs     []RunEntry    `json:"runs"`
}

// SearchEntry is a search in a lab's contents.
type SearchEntry struct {
	Name     string  `json:"name"`
	Done     int     `json:"done"`
	Total    int     `json:"total"`
	BestLoss float64 `json:"best_loss,omitempty"`
	Failed   bool    `json:"failed,omitempty"` // all candidates so far: there is no BestLoss
	Told     bool    `json:"told,omitempty"`   // BestLoss is a cell's score
}

// RunEntry is a run in a lab's contents.
type RunEntry struct {
	Name       string  `json:"name"`
	Steps      int     `json:"steps"`
	Parameters int64   `json:"parameters"`
	Validation float64 `json:"validation,omitempty"`

	Scores []TaskScore `json:"scores,omitempty"` // of its student in tasks of lm-eval, each as it was measured last
}

// Status is what the host is and holds.
type Status struct {
	Version      string        `json:"version"`
	PID          int           `json:"pid"`
	Started      time.Time     `json:"started"`
	Home         string        `json:"home"`
	Backend      string        `json:"backend"`                 // such as "xla:cpu"
	Device       string        `json:"device"`                  // such as a processor's or a GPU's name
	BackendError string        `json:"backend_error,omitempty"` // why there is no backend
	Memory       int64         `json:"memory"`                  // resident bytes
	Devices      []Device      `json:"devices"`                 // of the accelerator, as they are now
	IdleAfter    time.Duration `json:"idle_after"`              // it stops by itself after that long without a request
	TeacherFiles []string      `json:"teacher_files"`           // names that can be loaded
	Teachers     []Held        `json:"teachers"`                // whose weights are in memory
	Runs         []Held        `json:"runs"`                    // students whose training state is in memory
	Jobs         []Job         `json:"jobs"`                    // running and waiting, in their order
	Labs         []string      `json:"labs"`                    // on disk
}

// Uptime is how long the host has been running.
func (s Status) Uptime() time.Duration { return time.Since(s.Started).Round(time.Second) }

// Device is one of the accelerator's, or the processor. Memory is in bytes, and that of all programs; 0 stands for what is not known.
type Device struct {
	Name  string  `json:"name"`
	Used  int64   `json:"used,omitempty"`
	Total int64   `json:"total,omitempty"`
	Busy  float64 `json:"busy,omitempty"` // share of the last second in which it computed
}

// String is such as "NVIDIA H200: 12 GiB of 140 GiB in use, busy 87%".
func (d Device) String() string {
	text := d.Name
	if d.Total > 0 {
		text += fmt.Sprintf(": %s of %s in use", bytesText(d.Used), bytesText(d.Total))
	}
	if d.Busy > 0 {
		text += fmt.Sprintf(", busy %.0f%%", 100*d.Busy)
	}
	return text
}

// Held is something in the host's memory.
type Held struct {
	Lab   string `json:"lab,omitempty"`
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
	Steps int    `json:"steps,omitempty"`
}

// Job is a piece of work in the host.
type Job struct {
	ID      string    `json:"id"`
	Lab     string    `json:"lab"`
	Verb    string    `json:"verb"`
	Name    string    `json:"name"`
	Since   time.Time `json:"since"`
	Running bool      `json:"running"`
	Message string    `json:"message,omitempty"` // what it does besides, such as loading a teacher
	Done    int64     `json:"done,omitempty"`
	Total   int64     `json:"total,omitempty"`
	Unit    string    `json:"unit,omitempty"` // of Done and Total
	Rate    float64   `json:"rate,omitempty"` // as in an [Event]
	Left    float64   `json:"left,omitempty"` // seconds, estimated
}

// String is such as "search 30M of lab quickstart".
func (j Job) String() string { return fmt.Sprintf("%s %s of lab %s", j.Verb, j.Name, j.Lab) }

// Code sorts the host's errors, for programs that act on them.
type Code string

// The codes of an [Error].
const (
	Invalid      Code = "invalid"       // the request cannot work: a bad name, an option out of range, a bin nothing fits
	Unknown      Code = "unknown"       // no teacher, search or run has that name
	Differs      Code = "differs"       // the name is taken with other options
	Busy         Code = "busy"          // the host has work
	Unwritable   Code = "unwritable"    // the lab's folder cannot be written, or its disk is full
	NotInstalled Code = "not-installed" // it takes a program that set-up installs when it is asked to
	Internal     Code = "internal"      // everything else; the host's log has more
)

// Error is what the host answers when it cannot do what was asked.
type Error struct {
	Code    Code
	Message string
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// Errorf makes an Error.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// InterruptedError ends work that was stopped at a step boundary. Its message says what is kept.
type InterruptedError struct{ Message string }

// Error implements error.
func (e *InterruptedError) Error() string { return e.Message }
