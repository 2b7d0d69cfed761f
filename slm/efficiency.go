package slm

import (
	"fmt"
	"math"
	"slices"
)

// Efficiency asks the paper's question (arXiv 2510.07227): with how few tokens and operations does a student that begins as a
// searched sub-network reach the held-out perplexity of the same architecture from random weights?
//
// For each seed a search chooses the architecture. The baseline trains it from random weights for all steps of the budget, and
// its last held-out loss is the target; then each start is trained for ever fewer or more steps: see [Reach]. The seed is that
// of the search, of the random weights and of the order of the text. It names and describes; who runs it is not its business.
type Efficiency struct {
	Name        string       // begins the names of the searches and runs
	Search      Search       // its seed is the study's
	Run         Distillation // what all runs have in common
	Budget      int          // steps of the baseline
	Baseline    Start
	Starts      []Start
	Seeds       []uint64
	Peaks       []float64 // learning rates, of which each start takes the best after as many steps as its guess; none keeps those of the starts
	Evaluations int       // of the held-out loss in a run, evenly spaced; one at least
	Kept        []int     // what does it cost to keep only the teacher's k likeliest tokens: asked of the last start
}

// Start is a way to begin and to train.
type Start struct {
	Name  string  `json:"name"`
	Init  Init    `json:"init"`
	Loss  Loss    `json:"loss"`
	Peak  float64 `json:"peak"`  // learning rate
	Guess int     `json:"guess"` // steps in which it may reach the target: where to begin looking
}

// SearchOf is the search of a seed, and its name.
func (e Efficiency) SearchOf(seed uint64) (string, Search) {
	s := e.Search
	s.Seed = seed
	return fmt.Sprintf("%s-%d", e.Name, seed), s.WithDefaults()
}

// RunOf is the training of an architecture for so many steps, and its name. The schedule ends with them. Logits are kept where the
// loss takes only the likeliest tokens.
func (e Efficiency) RunOf(s Start, subnet Subnet, steps int, seed uint64) (string, Distillation) {
	d := e.Run
	d.Subnet, d.Init, d.Loss = subnet, s.Init, s.Loss
	k, _, err := s.Loss.Kept()
	d.KeepLogits = err == nil && k > 0
	d.Schedule.Peak, d.Schedule.Horizon, d.Schedule.Warmup, d.Schedule.Falling = s.Peak, steps, 0, 0
	d.EvalEvery = max(1, steps/max(1, e.Evaluations))
	d.ShuffleSeed, d.WeightsSeed = seed, seed
	return fmt.Sprintf("%s-%d-%s-%d-%g", e.Name, seed, s.Name, steps, s.Peak), d.WithDefaults()
}

// EfficiencyRecords are the searches and runs of a study that are finished, by their names.
type EfficiencyRecords struct {
	Searches map[string]Population
	Runs     map[string]Curve
}

// Task is what a study needs next: a search, or else a run and its steps in all.
type Task struct {
	Name   string
	Search *Search
	Run    *Distillation
	Steps  int
}

// Next is what the study needs next, a pure function of the records; false when it is finished.
func (e Efficiency) Next(done EfficiencyRecords) (Task, bool) {
	w := efficiencyWalk{study: e, done: done}
	w.all()
	if w.next == nil {
		return Task{}, false
	}
	return *w.next, true
}

// Found is what the records say so far: the seeds that are finished, and the study with the learning rates that were tuned.
func (e Efficiency) Found(done EfficiencyRecords) (Efficiency, []Seeded) {
	w := efficiencyWalk{study: e, done: done}
	found := w.all()
	return w.study, found
}

// PeaksOf are the starts' learning rates, by name.
func (e Efficiency) PeaksOf() map[string]float64 {
	peaks := map[string]float64{e.Baseline.Name: e.Baseline.Peak}
	for _, s := range e.Starts {
		peaks[s.Name] = s.Peak
	}
	return peaks
}

// efficiencyWalk goes through a study in its order, up to the first thing that is missing.
type efficiencyWalk struct {
	study Efficiency
	done  EfficiencyRecords
	next  *Task // nil while nothing is missing
}

func (w *efficiencyWalk) all() (found []Seeded) {
	w.tune()
	for _, seed := range w.study.Seeds {
		if f, ok := w.seed(seed); ok {
			found = append(found, f)
		}
	}
	w.kept()
	return found
}

// KeptLoss is the held-out loss after a training on the teacher's k likeliest tokens, beside that on all its logits.
type KeptLoss struct {
	K     int     `json:"k"`     // 0 for all
	Loss  float64 `json:"loss"`  // in nats per token
	Worse float64 `json:"worse"` // than with all logits
}

// String is such as "16 likeliest tokens".
func (k KeptLoss) String() string {
	if k.K == 0 {
		return "logits of all tokens"
	}
	return fmt.Sprintf("%d likeliest tokens", k.K)
}

// KeptLosses are those that the records tell, all logits first.
func (e Efficiency) KeptLosses(done EfficiencyRecords) []KeptLoss {
	w := efficiencyWalk{study: e, done: done}
	w.tune()
	return w.kept()
}

// keptSteps are those of the runs that compare kept logits.
const keptSteps = 60

// kept trains the last start on kept logits of each size.
func (w *efficiencyWalk) kept() (losses []KeptLoss) {
	e := w.study
	if len(e.Kept) == 0 {
		return nil
	}
	p, ok := w.search(e.Seeds[0])
	if !ok {
		return nil
	}
	last := e.Starts[len(e.Starts)-1]
	for _, k := range append([]int{0}, e.Kept...) {
		s := last
		if k > 0 {
			s.Name, s.Loss = fmt.Sprintf("%s-top-%d", last.Name, k), last.Loss.Top(k)
		}
		c, ok := w.run(s, p.Best().Subnet, keptSteps, e.Seeds[0])
		if !ok {
			return losses
		}
		losses = append(losses, KeptLoss{K: k, Loss: c.Validation()})
		losses[len(losses)-1].Worse = c.Validation() - losses[0].Loss
	}
	return losses
}

// tune finds each start's learning rate on the first seed's architecture: of the peaks, the one with the lowest held-out loss after
// as many steps as the start's guess.
func (w *efficiencyWalk) tune() {
	e := &w.study
	if len(e.Peaks) == 0 {
		return
	}
	p, ok := w.search(e.Seeds[0])
	if !ok {
		return
	}
	e.Starts = slices.Clone(e.Starts)
	starts := []*Start{&e.Baseline}
	for i := range e.Starts {
		starts = append(starts, &e.Starts[i])
	}
	for _, s := range starts {
		least, best := math.Inf(1), s.Peak
		for _, peak := range e.Peaks {
			try := *s
			try.Peak = peak
			c, ok := w.run(try, p.Best().Subnet, s.Guess, e.Seeds[0])
			if !ok {
				return
			}
			if loss := c.Validation(); loss < least {
				least, best = loss, peak
			}
		}
		s.Peak = best
	}
}

// seed is what one seed found, once that is known.
func (w *efficiencyWalk) seed(seed uint64) (f Seeded, ok bool) {
	p, ok := w.search(seed)
	if !ok {
		return f, false
	}
	f = Seeded{Seed: seed, Search: p, Runs: map[string][]Curve{}}
	if f.Baseline, ok = w.run(w.study.Baseline, p.Best().Subnet, w.study.Budget, seed); !ok {
		return f, false
	}
	for _, s := range w.study.Starts {
		reach := Reach{Guess: s.Guess, Longest: w.study.Budget}
		for steps := reach.Next(); steps > 0; steps = reach.Next() {
			c, ok := w.run(s, p.Best().Subnet, steps, seed)
			if !ok {
				return f, false
			}
			f.Runs[s.Name] = append(f.Runs[s.Name], c)
			_, reached := c.Reaches(f.Target())
			reach.Tried = append(reach.Tried, Trying{steps, reached})
		}
	}
	return f, true
}

func (w *efficiencyWalk) search(seed uint64) (Population, bool) {
	name, search := w.study.SearchOf(seed)
	p, ok := w.done.Searches[name]
	if !ok && w.next == nil {
		w.next = &Task{Name: name, Search: &search}
	}
	return p, ok && w.next == nil
}

func (w *efficiencyWalk) run(s Start, subnet Subnet, steps int, seed uint64) (Curve, bool) {
	name, d := w.study.RunOf(s, subnet, steps, seed)
	c, ok := w.done.Runs[name]
	if ok = ok && c.Steps() >= steps; !ok && w.next == nil {
		w.next = &Task{Name: name, Run: &d, Steps: steps}
	}
	return c, ok && w.next == nil
}

// EfficiencyOf is the study of a teacher's students in a bin; the zero Bin is around half of its parameters. The search is in the
// coarse layer-wise space of the teacher with its important units first, and a candidate is judged after a short distillation.
// The quick study takes a few minutes and answers only roughly; its own bin is around a quarter.
func EfficiencyOf(teacher Config, bin Bin, quick bool) Efficiency {
	if bin == (Bin{}) {
		share := 2.0
		if quick {
			share = 4
		}
		bin = Around(oneDigit(float64(Subnet{}.Parameters(teacher).Total())/share), 0.05)
	}
	distilling := CE(0.3).Plus(ForwardKL(0.7))
	e := Efficiency{
		Name: teacher.Name + "-" + bin.Middle(),
		Search: Search{Teacher: teacher.Name, Bin: bin, Space: CoarseLayerWise, Reorder: ByActivationNorm, Population: 16, Generations: 2, Offspring: 8,
			Tokens: 4096, Warm: Warm{Steps: 10, Batch: 8, SeqLen: 128, Loss: distilling, Schedule: Schedule{Peak: 2e-3}}},
		// A straight line to almost nothing ends lower than a cosine to a tenth: Bergsma et al. 2025, arXiv 2502.15938.
		Run:      Distillation{Teacher: teacher.Name, Batch: 16, SeqLen: 128, EvalTokens: 8192, SaveEvery: 100, Schedule: Schedule{Decay: LinearDecay, Final: 0.01}},
		Budget:   1000,
		Baseline: Start{Name: "random", Init: FromRandom, Loss: CE(1), Peak: 4e-3, Guess: 250},
		Starts: []Start{
			{Name: "sub-network", Init: FromTeacher, Loss: CE(1), Peak: 2e-3, Guess: 32},
			{Name: "sub-network-distilled", Init: FromTeacher, Loss: distilling, Peak: 2e-3, Guess: 20},
		},
		Seeds:       []uint64{1, 2, 3},
		Peaks:       []float64{1e-3, 2e-3, 4e-3, 8e-3},
		Evaluations: 10,
		Kept:        []int{1, 4, 16, 64, 256},
	}
	if quick {
		e.Name += "-quick"
		e.Search.Population, e.Search.Generations, e.Search.Warm = 8, 1, Warm{}
		e.Search.Tokens, e.Run.EvalTokens = 1024, 2048
		e.Run.Batch, e.Budget, e.Seeds, e.Peaks = 2, 60, e.Seeds[:1], nil
		e.Kept, e.Evaluations = nil, 3
		e.Baseline.Peak, e.Starts[0].Guess, e.Starts[1].Guess = 2e-3, 30, 16
	}
	return e
}
