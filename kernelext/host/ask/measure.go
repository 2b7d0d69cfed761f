package ask

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
)

// What a Measure measures.
const (
	Load           = "load"       // from the reference to ready on the device
	Forward        = "forward"    // losses of windows, a pass for each line on the standard input
	Generate       = "generate"   // greedy text
	ExtractStudent = "extract"    // a 30M student's weights, and writing them
	Candidates     = "candidates" // losses of sub-networks, one for each line of JSON on the standard input
	Searching      = "search"     // a whole search as `lab search` does it, a line for each evaluation
	Distilling     = "distill"    // the steps of a distillation, one for each line on the standard input
)

var measurable = []string{Load, Forward, Generate, ExtractStudent, Candidates, Searching, Distilling}

// Measure is what `lab bench models`, `lab bench search speed` and `lab bench distill speed` ask: one measurement, in a process of
// its own.
type Measure struct {
	Model, What string
	Seq, Batch  int
	Windows     int    // of Candidates
	Search      string // JSON: what is prepared for, and of Searching what is searched
	Distil      string // JSON: of Distilling
	Logits      string // of Distilling: a file, made when it is missing, that teaches instead of the teacher
}

// Flags implements Request.
func (r *Measure) Flags(set *flag.FlagSet) {
	set.StringVar(&r.Model, "model", "", modelUsage)
	set.StringVar(&r.What, "what", Load, strings.Join(measurable, ", "))
	set.IntVar(&r.Seq, "seq", 256, "tokens in a window")
	set.IntVar(&r.Batch, "batch", 4, "windows in a pass")
	set.IntVar(&r.Windows, "windows", 8, "windows that a candidate is evaluated on")
	set.StringVar(&r.Search, "search", "", "the `JSON` of the search to prepare for")
	set.StringVar(&r.Distil, "distil", "", "the `JSON` of the distillation")
	set.StringVar(&r.Logits, "logits", "", "a `FILE` of kept logits to teach from")
}

// Check implements Request.
func (r *Measure) Check() error {
	switch {
	case r.Model == "":
		return errors.New("--model is missing")
	case !slices.Contains(measurable, r.What):
		return fmt.Errorf("--what is %q, want one of %s", r.What, strings.Join(measurable, ", "))
	case r.What == Searching && r.Search == "":
		return errors.New("--search is missing")
	case r.What == Distilling && r.Distil == "":
		return errors.New("--distil is missing")
	case r.Seq < 2 || r.Batch < 1 || r.Windows < 1:
		return fmt.Errorf("%d windows, %d in a pass, of %d tokens", r.Windows, r.Batch, r.Seq)
	}
	return nil
}

// Loaded is what measuring Load prints, and the first line of the others. Distilling has not loaded anything then.
type Loaded struct {
	Parameters int64   `json:"parameters"`
	Vocab      int     `json:"vocab"`
	Seconds    float64 `json:"seconds"`
	Before     int64   `json:"before"` // resident bytes before the model was opened, with the accelerator ready
	Peak       int64   `json:"peak"`   // the most resident bytes that the process ever had; 0 where the system does not tell
}

// Passed is a pass of Forward, or a step of Distilling.
type Passed struct {
	Seconds float64 `json:"seconds"`
	Loss    float64 `json:"loss"`          // nats per token, so that it shows that the same was computed
	Peak    int64   `json:"peak,omitzero"` // of Distilling: the most resident bytes that the process ever had; 0 where the system does not tell
}

// Evaluated is an answer of Candidates, and an evaluation of Searching with what went before it; its first is the preparation.
type Evaluated struct {
	Passed
	Parameters   int64   `json:"parameters"`
	CountSeconds float64 `json:"count_seconds"` // that counting them takes
	Compiled     int     `json:"compiled"`      // programs so far
	Resident     int64   `json:"resident"`      // bytes; 0 where the system does not tell
}

// Generated is what measuring Generate prints.
type Generated struct {
	Tokens  int       `json:"tokens"`
	Seconds []float64 `json:"seconds"` // of each repetition
}

// Extracted is what measuring Extract prints.
type Extracted struct {
	Parameters int64     `json:"parameters"`
	Seconds    []float64 `json:"seconds"` // of each repetition: the weights in memory
	Written    []float64 `json:"written"` // and written as a student's folder
}

// WindowTokens are the tokens of a measurement's windows, row-major: any text costs the same, and every process has these.
func WindowTokens(batch, seq, vocab int) []int32 {
	ids := make([]int32, batch*seq)
	for i := range ids {
		ids[i] = int32((i*i*31 + 7*i + 3) % vocab)
	}
	return ids
}
