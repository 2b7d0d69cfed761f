package lmeval

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/offshoot-ml/offshoot/kernelext"
)

// results are lm-eval's, as far as they are read, or lmeval.py's error.
type results struct {
	Error, Kind string
	Results     map[string]map[string]any
	Samples     map[string]struct{ Effective int } `json:"n-samples"`
	Version     string                             `json:"lm_eval_version"`
}

// readResults reads the scores out of lm-eval's results: the tasks that were named first, then those of their groups.
func readResults(text []byte, names []string) (scores []kernelext.TaskScore, version string, err error) {
	var r results
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, "", fmt.Errorf("lm-eval's results cannot be read: %w", err)
	}
	if r.Error != "" {
		return nil, "", r.failure()
	}
	for task, metrics := range r.Results {
		for key, value := range metrics {
			metric, filter, ok := strings.Cut(key, ",")
			if !ok || strings.HasSuffix(metric, "_stderr") { // alias, sample_len; or beside its metric
				continue
			}
			score := kernelext.TaskScore{Task: task, Metric: metric, Documents: r.documents(task)}
			if filter != "none" {
				score.Filter = filter
			}
			if score.Value, ok = value.(float64); !ok {
				return nil, "", fmt.Errorf("lm-eval found %v for %s of %s: the student's logits may not be finite; see what `lab eval` says of it", value, metric, task)
			}
			if deviation, ok := metrics[metric+"_stderr,"+filter].(float64); ok {
				score.StdErr = &deviation
			}
			scores = append(scores, score)
		}
	}
	place := func(task string) int {
		if i := slices.Index(names, task); i >= 0 {
			return i
		}
		return len(names)
	}
	slices.SortFunc(scores, func(a, b kernelext.TaskScore) int {
		return cmp.Or(place(a.Task)-place(b.Task), cmp.Compare(a.Task, b.Task), cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Filter, b.Filter))
	})
	return scores, r.Version, nil
}

// documents is how many a task was measured on; a group has those of its tasks.
func (r results) documents(task string) int {
	if n, ok := r.Results[task]["sample_len"].(float64); ok {
		return int(n)
	}
	return r.Samples[task].Effective
}

// failure says what to do about an error of lmeval.py.
func (r results) failure() error {
	switch r.Kind {
	case "task":
		return kernelext.Errorf(kernelext.Unknown, "%s; tasks of your own are found in the folder of --include-path", r.Error)
	case "data":
		return fmt.Errorf("the documents of a task cannot be fetched: %s; lm-eval loads them from the Hugging Face hub: go online once, and later runs find them "+
			"in the cache (HF_HOME), also with HF_HUB_OFFLINE=1; a gated data set wants HF_TOKEN; tasks on files of your own need no network (--include-path)", clip(r.Error))
	}
	return fmt.Errorf("lm-eval failed: %s", clip(r.Error))
}

// clip shortens an error that holds a page.
func clip(text string) string {
	if runes := []rune(strings.Join(strings.Fields(text), " ")); len(runes) > 600 {
		return string(runes[:600]) + "…"
	}
	return text
}
