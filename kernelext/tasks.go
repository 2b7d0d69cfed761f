package kernelext

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/offshoot-ml/offshoot/slm"
)

// Tasks asks for scores in tasks of lm-eval, EleutherAI's evaluation harness, without examples in the prompt (zero-shot).
type Tasks struct {
	Names       []string        `json:"names"`                 // of tasks, groups or tags, such as "lambada_openai" or "hellaswag"
	Limit       int             `json:"limit,omitzero"`        // only the first so many documents of each task; 0 is all
	Batch       int             `json:"batch,omitzero"`        // requests in a pass; 0 is 8
	Device      string          `json:"device,omitzero"`       // of PyTorch, such as "cpu" or "cuda:0"; empty is a GPU where there is one
	IncludePath string          `json:"include_path,omitzero"` // a folder with tasks of one's own, whose code lm-eval runs
	Metadata    json.RawMessage `json:"metadata,omitempty"`    // an object for the tasks, such as {"windows": "windows.jsonl"}
}

// taskPattern keeps out paths, which lm-eval would read as tasks.
var taskPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.+()-]{0,127}$`)

// Validate reports what lm-eval cannot be asked.
func (t Tasks) Validate() error {
	if len(t.Names) == 0 {
		return errors.New("tasks: name one or more, such as \"lambada_openai\"")
	}
	for _, name := range t.Names {
		if !taskPattern.MatchString(name) {
			return fmt.Errorf("tasks: %q is not the name of a task, such as \"lambada_openai\"", name)
		}
	}
	if t.Limit < 0 || t.Batch < 0 {
		return fmt.Errorf("tasks: limit %d, batch %d: want 0 or more", t.Limit, t.Batch)
	}
	if strings.HasPrefix(t.Device, "-") || len(t.Device) > 64 {
		return fmt.Errorf("tasks: %q is not a device, such as \"cpu\" or \"cuda:0\"", t.Device)
	}
	var object map[string]any
	if len(t.Metadata) > 0 && json.Unmarshal(t.Metadata, &object) != nil {
		return fmt.Errorf("tasks: metadata %s: want a JSON object", t.Metadata)
	}
	return nil
}

// TaskScore is a metric of a task.
type TaskScore struct {
	Task      string   `json:"task"`
	Metric    string   `json:"metric"`           // such as "acc", "acc_norm", "perplexity"
	Filter    string   `json:"filter,omitempty"` // of the answers; empty for none
	Value     float64  `json:"value"`
	StdErr    *float64 `json:"stderr,omitempty"` // its standard error, where lm-eval estimates one
	Documents int      `json:"documents"`        // on which it was measured
}

// TaskScores are what lm-eval found.
type TaskScores struct {
	Model   string      `json:"model"`
	Steps   int         `json:"steps,omitzero"` // that a run's student was trained for
	Tasks   Tasks       `json:"tasks"`
	Scores  []TaskScore `json:"scores"`  // in the order of the tasks, by metric
	Version string      `json:"version"` // of lm-eval
	File    string      `json:"file"`    // lm-eval's own results
	Seconds float64     `json:"seconds"` // that it took, with loading; 0 if the same student was measured in the same before
}

// Tasks measures the run's student, as of its last checkpoint, in zero-shot tasks of lm-eval, and shows a table with standard
// errors. The student is exported for that, and lm-eval runs where the host does, in the environment that
// `lab setup --references` makes. What was measured before is not measured again. For a part of each task, or tasks of one's own, see [Run.EvaluateTasks].
//
//	run.Tasks("lambada_openai", "hellaswag")
func (r *Run) Tasks(names ...string) TaskScores { return r.EvaluateTasks(Tasks{Names: names}) }

// EvaluateTasks is [Run.Tasks] with choices.
func (r *Run) EvaluateTasks(tasks Tasks) TaskScores {
	return r.lab.tasks("tasks of "+r.Name, func(ctx context.Context, d *display) (TaskScores, error) {
		return r.lab.client.TasksRun(ctx, r.Name, tasks, d.watch)
	})
}

// Tasks measures the teacher, as [Run.Tasks] does a student.
func (t *Teacher) Tasks(names ...string) TaskScores { return t.EvaluateTasks(Tasks{Names: names}) }

// EvaluateTasks is [Teacher.Tasks] with choices.
func (t *Teacher) EvaluateTasks(tasks Tasks) TaskScores {
	return t.lab.tasks("tasks of "+t.Config.Name, func(ctx context.Context, d *display) (TaskScores, error) {
		return t.lab.client.Tasks(ctx, t.Config.Name, tasks, d.watch)
	})
}

// LacksLMEval reports whether tasks were not measured because lm-eval is not installed; the error says how to get it.
func LacksLMEval(err error) bool {
	hostError := (*Error)(nil)
	return errors.As(err, &hostError) && hostError.Code == NotInstalled
}

func (l *Lab) tasks(title string, measure func(context.Context, *display) (TaskScores, error)) (found TaskScores) {
	l.do(title, func(ctx context.Context, d *display) (line string, err error) {
		found, err = measure(ctx, d)
		return fmt.Sprintf("%s: %s", title, duration(found.Seconds)), err
	})
	found.Show()
	return found
}

// Show displays a table of the scores.
func (t TaskScores) Show() { scoresCard(t).show() }

// Tasks measures a teacher in tasks of lm-eval.
func (c *Client) Tasks(ctx context.Context, teacher string, tasks Tasks, watch func(Event)) (TaskScores, error) {
	return c.tasks(ctx, WorkRequest{Name: teacherName(teacher), Tasks: &tasks}, watch)
}

// TasksRun measures a run's student in tasks of lm-eval, as of its last checkpoint.
func (c *Client) TasksRun(ctx context.Context, run string, tasks Tasks, watch func(Event)) (TaskScores, error) {
	return c.tasks(ctx, WorkRequest{Name: run, Run: true, Tasks: &tasks}, watch)
}

func (c *Client) tasks(ctx context.Context, request WorkRequest, watch func(Event)) (found TaskScores, err error) {
	asked := request.Tasks.IncludePath
	if asked != "" {
		if request.Tasks.IncludePath, err = filepath.Abs(asked); err != nil {
			return found, err
		}
	}
	err = c.work(ctx, VerbTasks, request, watch, &found)
	found.Tasks.IncludePath = asked
	return found, err
}

// scoresCard is a table with a row for each metric.
func scoresCard(t TaskScores) shown {
	out := card{title: "Zero-shot tasks of " + filepath.Base(t.Model)}
	for _, s := range t.Scores {
		label := s.Task + " " + s.Metric
		if s.Filter != "" {
			label += " (" + s.Filter + ")"
		}
		margin := ""
		if s.StdErr != nil {
			margin = fmt.Sprintf("± %.4f, ", *s.StdErr)
		}
		out.rows = append(out.rows, row{label: label, value: fmt.Sprintf("%.4f", s.Value), share: margin + slm.Thousands(int64(s.Documents)) + " documents"})
	}
	note := "lm-eval " + t.Version
	if t.Steps > 0 {
		note = fmt.Sprintf("after %s steps; %s", slm.Thousands(int64(t.Steps)), note)
	}
	out.after, out.notes = fmt.Sprintf(`<div style="%s;margin-top:.6em">%s</div>`, quietStyle, html.EscapeString(note)), "  "+note+"\n"
	return out.shown()
}
