package paper

import (
	"fmt"

	"github.com/offshoot-ml/offshoot/slm"
)

// The starts of a student. Rates were tuned at the laptop's scale, on students of half the teacher (`lab bench distill`).
var (
	Random = slm.Start{Name: "random", Init: slm.FromRandom, Loss: slm.CE(1), Peak: 4e-3}
	Subnet = slm.Start{Name: "sub-network", Init: slm.FromTeacher, Loss: slm.CE(1), Peak: 2e-3}
	// Distilled has the weights of the notebooks on distillation: 0.3 cross-entropy and 0.7 forward KL.
	Distilled = slm.Start{Name: "distilled", Init: slm.FromTeacher, Loss: slm.CE(0.3).Plus(slm.ForwardKL(0.7)), Peak: 2e-3}
)

// On is the start from the teacher's weights that trains on a loss. One that reads as the loss of [Subnet] or [Distilled] is that start,
// whatever the name, so that no run of it is done twice; another is [Distilled] with this loss under this name.
func On(name string, loss slm.Loss) slm.Start {
	for _, start := range []slm.Start{Subnet, Distilled} {
		if start.Loss.String() == loss.String() {
			return start
		}
	}
	start := Distilled
	start.Name, start.Loss = name, loss
	return start
}

// Spaces are the paper's four search spaces.
var Spaces = []slm.Space{slm.CoarseUniform, slm.CoarseLayerWise, slm.FineUniform, slm.FineLayerWise}

// Study is the grid of all searches: every size in every space by each strategy, once for each seed of Repeats.
func (s Scale) Study(strategies ...slm.Strategy) slm.Study {
	study := slm.Study{Teacher: s.Teacher, Spaces: Spaces, Seeds: s.Repeats}
	for _, size := range s.Sizes {
		study.Bins = append(study.Bins, size.Bin)
	}
	for _, strategy := range strategies {
		search := s.Search
		search.Strategy = strategy
		study.Variants = append(study.Variants, slm.Variant{Name: string(strategy), Search: search})
	}
	return study
}

// SearchOf is one search of [Scale.Study], and its name in the lab.
func (s Scale) SearchOf(size Size, space slm.Space, strategy slm.Strategy, seed uint64) (string, slm.Search) {
	study := s.Study(strategy)
	study.Bins, study.Spaces, study.Seeds = []slm.Bin{size.Bin}, []slm.Space{space}, []uint64{seed}
	trial := study.Trials()[0]
	return trial.Name, trial.Search
}

// FirstN is the sub-network that nobody searched for: the first units of every dimension and evenly spaced layers, as near to the
// teacher's proportions as the size's bin allows: see [slm.Space.Proportional].
func (s Scale) FirstN(size Size) (slm.Subnet, error) {
	teacher, err := s.Architecture()
	if err != nil {
		return slm.Subnet{}, err
	}
	sizes, err := slm.CoarseUniform.Proportional(teacher, size.Bin)
	if err != nil {
		return slm.Subnet{}, err
	}
	return sizes.Subnet(teacher), nil
}

// RunOf is the training of a sub-network that a search of a size found, for a budget of tokens, and its name in the lab. what tells
// the sub-network apart from others of that size, such as "coarse-layer-wise". The seed is that of random weights and of the order
// of the text.
func (s Scale) RunOf(size Size, what string, subnet slm.Subnet, start slm.Start, tokens int64, seed uint64) (string, slm.Distillation) {
	run := s.Run
	run.Teacher, run.Subnet, run.Init, run.Loss = s.Teacher, subnet, start.Init, start.Loss
	run.ShuffleSeed, run.WeightsSeed = seed, seed
	steps := int(tokens) / run.StepTokens()
	run.Schedule.Peak, run.Schedule.Horizon, run.Schedule.Warmup = start.Peak, steps, max(1, steps/20)
	run.EvalEvery = max(1, steps/10)
	run.SaveEvery = max(1, min(1000, steps))
	return fmt.Sprintf("%s-%s-%s-%s-%d", size.Bin.Middle(), what, start.Name, slm.Count(tokens), seed), run
}
