package slm

import (
	"fmt"
	"io"
	"math"
)

// Seeded is what an [Efficiency] study found with one seed.
type Seeded struct {
	Seed     uint64             `json:"seed"`
	Search   Population         `json:"search"`
	Baseline Curve              `json:"baseline"` // from random weights: its last held-out loss is the target
	Runs     map[string][]Curve `json:"runs"`     // by start: every horizon that was tried
}

// Target is the held-out loss to reach, in nats per token.
func (s Seeded) Target() float64 { return s.Baseline.Validation() }

// Reaches is the first point at which a run's held-out loss was at most the target.
func (c Curve) Reaches(target float64) (Point, bool) {
	for _, p := range c.Points {
		if p.Validation != 0 && p.Validation <= target {
			return p, true
		}
	}
	return Point{}, false
}

// Until is the run up to a step.
func (c Curve) Until(step int) Curve {
	for i, p := range c.Points {
		if p.Step > step {
			c.Points = c.Points[:i:i]
			break
		}
	}
	return c
}

// Shortest is the run of a start that reached the target in the fewest steps, up to that step. One that is there untrained counts
// with its first step: at no cost the ratios of [Saved] would be infinite, and with one step they are lower bounds.
func (s Seeded) Shortest(start string) (Curve, bool) {
	least, found := Curve{}, false
	for _, c := range s.Runs[start] {
		p, ok := c.Reaches(s.Target())
		if step := max(1, p.Step); ok && (!found || step < least.Steps()) {
			least, found = c.Until(step), true
		}
	}
	return least, found
}

// FLOPs counts the operations of a search: each candidate's forward pass over the held-out tokens, and in a warm search its training,
// with the teacher where the loss needs it, and the forward pass before. What measured the order of the units is not counted: it
// is one pass over little text.
func (p Population) FLOPs() (sum int64) {
	w, window := p.Search.Warm, max(1, p.Held.Window)
	for _, c := range p.Candidates {
		judged := c.Subnet.ForwardFLOPs(p.Teacher, window) * int64(p.Search.Tokens)
		sum += judged
		if w.IsZero() {
			continue
		}
		step := Distillation{Subnet: c.Subnet, Batch: w.Batch, SeqLen: w.SeqLen, Loss: w.Loss}.StepFLOPs(p.Teacher)
		sum += judged + int64(w.Steps)*step
	}
	return sum
}

// Savings are what a study found, in plain numbers. Spreads are over the seeds.
type Savings struct {
	Teacher      string  `json:"teacher"`
	TeacherFLOPs float64 `json:"teacher_flops,omitzero"` // of its pretraining; 0 where that is not known
	Parameters   Spread  `json:"parameters"`             // of the students
	Target       Spread  `json:"target"`                 // held-out loss of the baselines, in nats per token
	Tokens       int64   `json:"tokens"`                 // that a baseline was trained on
	FLOPs        Spread  `json:"flops"`                  // of a baseline
	SearchFLOPs  Spread  `json:"search_flops"`
	Starts       []Saved `json:"starts"`
}

// Saved is what a start saves. Every ratio is the baseline's cost divided by the start's.
type Saved struct {
	Start      string `json:"start"`
	Seeds      int    `json:"seeds"`       // in which it reached the target
	Tokens     Spread `json:"tokens"`      // until it did
	ByTokens   Spread `json:"by_tokens"`   // times fewer tokens
	ByFLOPs    Spread `json:"by_flops"`    // times fewer operations, the teacher's forward passes in the training counted
	BySeconds  Spread `json:"by_seconds"`  // times less time of training
	WithSearch Spread `json:"with_search"` // ByFLOPs, the search counted with the start
	InFull     Spread `json:"in_full"`     // WithSearch, the teacher's pretraining counted too; the zero Spread where that is not known
	PaidBack   Spread `json:"paid_back"`   // the students after which the teacher and a search for each have cost less than training as many from random weights; likewise
}

// Savings analyses what the seeds found so far. teacherTokens is on how many tokens the teacher was pretrained, in windows of the
// runs' length; 0 where that is not known.
func (e Efficiency) Savings(teacher Config, teacherTokens int64, found []Seeded) Savings {
	s := Savings{Teacher: teacher.Name, TeacherFLOPs: float64(teacherTokens) * float64(Subnet{}.TrainingFLOPs(teacher, e.Run.SeqLen))}
	var parameters, target, flops, search []float64
	for _, f := range found {
		parameters, target = append(parameters, float64(f.Baseline.Parameters)), append(target, f.Target())
		flops, search = append(flops, f.Baseline.FLOPs()), append(search, float64(f.Search.FLOPs()))
		s.Tokens = f.Baseline.Points[len(f.Baseline.Points)-1].Tokens
	}
	s.Parameters, s.Target, s.FLOPs, s.SearchFLOPs = SpreadOf(parameters), SpreadOf(target), SpreadOf(flops), SpreadOf(search)
	for _, start := range e.Starts {
		s.Starts = append(s.Starts, s.saved(start.Name, found))
	}
	return s
}

// saved compares a start with the baselines.
func (s Savings) saved(start string, found []Seeded) Saved {
	var tokens, byTokens, byFLOPs, bySeconds, withSearch, inFull, paidBack []float64
	for _, f := range found {
		run, ok := f.Shortest(start)
		if !ok {
			continue
		}
		last, whole, own := run.Points[len(run.Points)-1], f.Baseline.FLOPs(), run.FLOPs()
		searched := own + float64(f.Search.FLOPs())
		tokens = append(tokens, float64(last.Tokens))
		byTokens = append(byTokens, float64(s.Tokens)/float64(last.Tokens))
		byFLOPs, bySeconds = append(byFLOPs, whole/own), append(bySeconds, f.Baseline.Seconds()/run.Seconds())
		withSearch = append(withSearch, whole/searched)
		if s.TeacherFLOPs > 0 {
			inFull = append(inFull, whole/(searched+s.TeacherFLOPs))
			if whole > searched {
				paidBack = append(paidBack, math.Ceil(s.TeacherFLOPs/(whole-searched)))
			}
		}
	}
	return Saved{start, len(tokens), SpreadOf(tokens), SpreadOf(byTokens), SpreadOf(byFLOPs), SpreadOf(bySeconds), SpreadOf(withSearch), SpreadOf(inFull),
		SpreadOf(paidBack)}
}

// Write prints the savings as a table: means over the seeds, with the least and the most.
func (s Savings) Write(w io.Writer) error {
	fmt.Fprintf(w, "%s students of %s; from random weights %s tokens (%.2g FLOPs) lead to a held-out loss of %s. To reach it:\n\n",
		Count(int64(s.Parameters.Mean)), s.Teacher, Count(s.Tokens), s.FLOPs.Mean, s.Target)
	table := newTable(w, "START", "IN SEEDS", "TOKENS", "FEWER TOKENS", "FEWER FLOPS", "THE SEARCH COUNTED", "THE TEACHER TOO", "LESS TIME")
	for _, start := range s.Starts {
		table.row(start.Start, fmt.Sprintf("%d of %d", start.Seeds, s.Target.N), Count(int64(start.Tokens.Mean)), start.ByTokens.times(), start.ByFLOPs.times(),
			start.WithSearch.times(), start.InFull.times(), start.BySeconds.times())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, start := range s.Starts {
		if start.PaidBack.N > 0 {
			fmt.Fprintf(w, "\n%s: the teacher's own pretraining (%.2g FLOPs) is paid back by %.0f students", start.Start, s.TeacherFLOPs, start.PaidBack.Mean)
		}
	}
	_, err := fmt.Fprintf(w, "\na search takes %.2g FLOPs\n", s.SearchFLOPs.Mean)
	return err
}

// times is String of ratios, such as "9.1x (8.4 to 10.2)".
func (s Spread) times() string {
	if s.N == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3gx (%.3g to %.3g)", s.Mean, s.Min, s.Max)
}
