package slm

import "fmt"

// Efficiency asks the paper's question (arXiv 2510.07227): with how few tokens and operations does a student that begins as a
// searched sub-network reach the held-out perplexity of the same architecture from random weights?
//
// For each seed a search chooses the architecture. The baseline trains it from random weights for all steps of the budget, and
// its last held-out loss is the target; then each start is trained for ever fewer or more steps: see [Reach]. The seed is that
// of the search, of the random weights and of the order of the text. It names and describes; who runs it is not its business.
type Efficiency struct {
	Name     string       // begins the names of the searches and runs
	Search   Search       // its seed is the study's
	Run      Distillation // what all runs have in common
	Budget   int          // steps of the baseline
	Baseline Start
	Starts   []Start
	Seeds    []uint64
	Peaks    []float64 // learning rates: see [Efficiency.Tuning]; none keeps those of the starts
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

// RunOf is the training of an architecture for so many steps, and its name. The schedule ends with them; the held-out loss is
// measured ten times on the way.
func (e Efficiency) RunOf(s Start, subnet Subnet, steps int, seed uint64) (string, Distillation) {
	d := e.Run
	d.Subnet, d.Init, d.Loss = subnet, s.Init, s.Loss
	d.Schedule.Peak, d.Schedule.Horizon, d.Schedule.Warmup, d.Schedule.Falling = s.Peak, steps, 0, 0
	d.EvalEvery = max(1, steps/10)
	d.ShuffleSeed, d.WeightsSeed = seed, seed
	return fmt.Sprintf("%s-%d-%s-%d-%g", e.Name, seed, s.Name, steps, s.Peak), d.WithDefaults()
}

// ReachOf is the search of a start for its shortest training.
func (e Efficiency) ReachOf(s Start, target float64) Reach {
	return Reach{Target: target, Guess: s.Guess, Longest: e.Budget}
}

// EfficiencyAt is the study of a teacher: a student of a quarter of its parameters, searched in the fine layer-wise space with
// a short distillation before each candidate is judged. The quick one takes a few minutes and answers only roughly.
func EfficiencyAt(teacher Config, quick bool) Efficiency {
	kd := CE(0.3).Plus(ForwardKL(0.7))
	e := Efficiency{
		Name: teacher.Name,
		Search: Search{Teacher: teacher.Name, Bin: Around(oneDigit(float64(Subnet{}.Parameters(teacher).Total())/4), 0.05), Space: FineLayerWise,
			Population: 16, Generations: 2, Offspring: 8, Tokens: 4096, Warm: Warm{Steps: 10, Batch: 8, SeqLen: 128, Loss: kd, Schedule: Schedule{Peak: 2e-3}}},
		Run:      Distillation{Teacher: teacher.Name, Batch: 16, SeqLen: 128, EvalTokens: 8192, SaveEvery: 100},
		Budget:   1000,
		Baseline: Start{Name: "random", Init: FromRandom, Loss: CE(1), Peak: 2e-3, Guess: 250},
		Starts: []Start{
			{Name: "sub-network", Init: FromTeacher, Loss: CE(1), Peak: 2e-3, Guess: 110},
			{Name: "sub-network-distilled", Init: FromTeacher, Loss: kd, Peak: 2e-3, Guess: 60},
		},
		Seeds: []uint64{1, 2, 3},
		Peaks: []float64{1e-3, 2e-3, 4e-3, 8e-3},
	}
	if quick {
		e.Name += "-quick"
		e.Search.Population, e.Search.Generations, e.Search.Warm.Steps = 8, 1, 4
		e.Run.Batch, e.Budget, e.Seeds, e.Peaks = 4, 200, e.Seeds[:1], nil
		for i := range e.Starts {
			e.Starts[i].Guess /= 4
		}
	}
	return e
}
