package check

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"

	"github.com/offshoot-ml/offshoot/slm"
)

// Project is what a learner's small model may cost.
type Project struct {
	Parameters int64 // of the student, in the middle of its bin
	Tokens     int64 // of training
	Own        bool  // the budget is the learner's, not the one that stands in for it
}

// What a project may cost: a session has 45 minutes.
const (
	leastParameters, mostParameters = 1_000_000, 2_000_000
	leastTokens, mostTokens         = 10_000, 60_000
)

// ProjectOf is a project with the learner's budget; while [Budget] has not found that right, another stands in for it, so that all later
// cells run. The number of steps is an int64 where it was computed from the tokens, and an int where it was written down.
func ProjectOf[N int | int64](parameters, tokens int64, steps N) Project {
	if Budget(parameters, tokens, steps).Outcome == Solved {
		return Project{parameters, tokens, true}
	}
	return Project{Parameters: 1_500_000, Tokens: 20_000}
}

// Bin is the project's: 5% to either side of its parameters.
func (p Project) Bin() slm.Bin { return slm.Around(float64(p.Parameters), 0.05) }

// Steps is how many whole steps the budget of tokens allows.
func (p Project) Steps() int { return int(p.Tokens) / slm.Distillation{}.WithDefaults().StepTokens() }

// Distillation is how the project's student is trained: with the learner's loss and schedule, or others while [Recipe] has not found these
// right.
func (p Project) Distillation(subnet slm.Subnet, loss slm.Loss, schedule slm.Schedule) slm.Distillation {
	if Recipe(p, loss, schedule).Outcome != Solved {
		loss, schedule = slm.CE(0.3).Plus(slm.ForwardKL(0.7)), slm.Schedule{Peak: 1e-3, Horizon: p.Steps()}
	}
	return slm.Distillation{Subnet: subnet, Loss: loss, Schedule: schedule}
}

// Baseline is the same architecture from random weights, without a teacher, trained for so many steps.
func (p Project) Baseline(subnet slm.Subnet, steps int) slm.Distillation {
	return slm.Distillation{Subnet: subnet, Init: slm.FromRandom, Loss: slm.CE(1), Schedule: slm.Schedule{Peak: 2e-3, Horizon: steps}}
}

// Named is a name for what is made with some options: with others it has another name, and a lab keeps both.
func Named(what string, options any) string {
	text, err := json.Marshal(options)
	if err != nil {
		panic(err) // options are records that the lab keeps as JSON
	}
	return fmt.Sprintf("%s-%.4x", what, sha256.Sum256(text))
}

// Budget judges the budget of a project, and how many steps of training it allows.
func Budget[N int | int64](parameters, tokens int64, steps N) Verdict {
	e := exercise{"4.1 Your budget", fmt.Sprintf("from %s to %s parameters, and from %s to %s tokens", slm.Thousands(leastParameters),
		slm.Thousands(mostParameters), slm.Thousands(leastTokens), slm.Thousands(mostTokens))}
	each := slm.Distillation{}.WithDefaults()
	allowed := Project{Tokens: tokens}.Steps()
	switch {
	case parameters == 0 && tokens == 0 && steps == 0:
		return e.open()
	case parameters >= 1 && parameters <= mostParameters/1e6:
		return e.wrong("%d parameters would be very few. In Go a million is 1_000_000, or 1e6.", parameters)
	case parameters < leastParameters:
		return e.wrong("%s parameters are too few: the embedding and the output head alone take most of a model as small.", slm.Thousands(parameters))
	case parameters > mostParameters:
		return e.wrong("%s parameters are more than a session has time to train.", slm.Thousands(parameters))
	case tokens < leastTokens:
		return e.wrong("%s tokens are too few steps, %d: the learning rate would hardly be up before it falls again.", slm.Thousands(tokens), max(0, allowed))
	case tokens > mostTokens:
		return e.wrong("%s tokens are %s steps, more than a session has time for.", slm.Thousands(tokens), slm.Thousands(int64(allowed)))
	case int64(steps) == int64(allowed):
		return e.solved("%d steps of %d tokens, %.3f tokens for each parameter. Large models see twenty and more: yours will only have begun to learn.",
			steps, each.StepTokens(), float64(tokens)/float64(parameters))
	}
	e.hint = fmt.Sprintf("a step has %d sequences of %d tokens; only whole steps are taken", each.Batch, each.SeqLen)
	switch steps := int64(steps); steps {
	case 0:
		return e.wrong("the number of steps is still missing.")
	case tokens:
		return e.wrong("that is the number of tokens. A step takes many at once.")
	case tokens / int64(each.SeqLen):
		return e.wrong("that is the number of sequences. A step takes %d at once.", each.Batch)
	case tokens / int64(each.Batch):
		return e.wrong("each of the %d sequences of a step has %d tokens.", each.Batch, each.SeqLen)
	case int64(allowed) + 1:
		return e.wrong("%d steps take %s tokens, which are more than your budget: round down.", steps, slm.Thousands(steps*int64(each.StepTokens())))
	}
	return e.wrong("%s steps take %s tokens, and your budget is %s.", slm.Thousands(int64(steps)), slm.Thousands(int64(steps)*int64(each.StepTokens())), slm.Thousands(tokens))
}

// mostEvaluations is how many candidates a project may judge.
const mostEvaluations = 40

// Searching judges the options of a project's search. The zero Search is no answer yet.
func Searching(p Project, teacher slm.Config, search slm.Search) Verdict {
	e := exercise{"4.2 Your search", "set Space, Bin: project.Bin(), Population, Generations and Offspring"}
	if search.Population == 0 && search.Generations == 0 && search.Bin == (slm.Bin{}) && search.Space.Name() == (slm.Space{}).Name() {
		return e.open()
	}
	search = search.WithDefaults()
	n := search.Evaluations()
	switch {
	case search.Bin == (slm.Bin{}):
		return e.wrong("it has no Bin: candidates of any size would do.")
	case search.Bin != p.Bin():
		return e.wrong("its bin is %s, your budget's is %s.", search.Bin, p.Bin())
	case search.Told:
		return e.wrong("with Told your own cells would have to judge the candidates.")
	case search.Warm.Steps > 0:
		return e.wrong("with Warm every candidate is trained, which takes longer than this session.")
	case n > mostEvaluations:
		return e.wrong("it judges %d candidates, and the budget is %d: a Population of %d, then %d generations of %d.", n, mostEvaluations,
			search.Population, max(0, search.Generations), search.Offspring)
	}
	if err := search.Validate(teacher); err != nil {
		return e.wrong("the library refuses it: %v.", err)
	}
	if search.Strategy != slm.RandomSearch && search.Generations < 1 {
		return e.wrong("it ends with its initial population: nothing is bred.").hinting("leave some of the %d evaluations to generations of Offspring", mostEvaluations)
	}
	return e.solved("%d candidates in %s, in the space %s.", n, search.Bin, search.Space.Name())
}

// SearchOf is the learner's search, or another one in the project's bin while [Searching] has not found that right.
func SearchOf(p Project, teacher slm.Config, search slm.Search) slm.Search {
	if Searching(p, teacher, search).Outcome == Solved {
		return search
	}
	return slm.Search{Space: slm.CoarseUniform, Bin: p.Bin(), Population: 8, Generations: 1, Offspring: 4, Tokens: 512}
}

// Rate judges a function that gives the learning rate of a step, counted from 0: a linear warm-up, half a cosine down to the final share of
// the peak, and that share from the horizon on.
func Rate(answer func(s slm.Schedule, step int) float64) Verdict {
	type function = func(s slm.Schedule, step int) float64
	// falling is a schedule with other heights, from 1 to 0, after its warm-up.
	falling := func(height func(progress float64) float64, rate func(s slm.Schedule, height float64) float64) function {
		return func(s slm.Schedule, step int) float64 {
			if step < s.Warmup {
				return s.Rate(step)
			}
			return rate(s, height(min(1, float64(step-s.Warmup)/float64(s.Horizon-s.Warmup))))
		}
	}
	cosine := func(x float64) float64 { return (1 + math.Cos(math.Pi*x)) / 2 }
	between := func(s slm.Schedule, height float64) float64 { return s.Peak * (s.Final + (1-s.Final)*height) }
	unclamped := func(s slm.Schedule, step int) float64 {
		if step < s.Warmup {
			return s.Rate(step)
		}
		return between(s, cosine(float64(step-s.Warmup)/float64(s.Horizon-s.Warmup)))
	}
	fromZero := func(s slm.Schedule, step int) float64 {
		return between(s, cosine(min(1, float64(step)/float64(s.Horizon))))
	}
	t := task[function]{
		exercise: exercise{"4.3 The learning rate", "three parts: step < s.Warmup, then the cosine of the progress from 0 to 1, and s.Peak*s.Final from s.Horizon on"},
		right:    slm.Schedule.Rate,
		slips: []slip[function]{
			{func(s slm.Schedule, step int) float64 {
				if step < s.Warmup {
					return s.Peak * float64(step) / float64(s.Warmup)
				}
				return s.Rate(step)
			}, "the first step has the number 0, and a rate of 0 would waste it: warm up by step+1.", ""},
			{func(s slm.Schedule, step int) float64 { return s.Rate(max(step, s.Warmup)) },
				"there is no warm-up: it begins at the peak, when the optimizer knows nothing of the gradients yet.", ""},
			{fromZero, "there is no warm-up: the cosine begins at step 0.", ""},
			{func(s slm.Schedule, step int) float64 {
				if step < s.Warmup {
					return s.Rate(step)
				}
				return fromZero(s, step)
			}, "the cosine's progress is counted from step 0. It begins at the end of the warm-up, or the rate jumps there.", ""},
			{falling(cosine, func(s slm.Schedule, height float64) float64 { return s.Peak * height }),
				"it falls to 0. It should end at Final, a share of the peak.", ""},
			{falling(cosine, func(s slm.Schedule, height float64) float64 { return s.Final + (s.Peak-s.Final)*height }),
				"Final is a share of the peak, not a learning rate: the end is s.Peak*s.Final.", ""},
			{falling(cosine, func(s slm.Schedule, height float64) float64 { return s.Peak*s.Final + s.Peak*height }),
				"what falls is only the part above the end, s.Peak*(1-s.Final): yours begins above the peak.", ""},
			{falling(func(x float64) float64 { return (1 + math.Cos(2*math.Pi*x)) / 2 }, between),
				"that is a whole cosine: the rate rises again in the second half. Half of one goes from 1 to -1: math.Pi*progress.", ""},
			{falling(func(x float64) float64 { return 1 + math.Cos(math.Pi*x) }, between),
				"1 + cos goes from 2 to 0. Halve it.", ""},
			{falling(func(x float64) float64 { return math.Cos(math.Pi * x) }, between),
				"a cosine goes from 1 to -1, and a learning rate must not be negative: (1 + cos)/2 goes from 1 to 0.", ""},
			{falling(func(x float64) float64 { return math.Cos(math.Pi / 2 * x) }, between),
				"that is a quarter of a cosine, steepest at its end. Half of one is steepest in the middle: (1 + cos(π·progress))/2.", ""},
			{falling(func(x float64) float64 { return 1 - x }, between),
				"that is a straight line. Training ends more gently on half a cosine: (1 + cos(π·progress))/2 in the place of 1 - progress.", ""},
			{falling(func(x float64) float64 { return cosine(math.Floor(x)) }, between), wholeNumbers, ""},
			{func(s slm.Schedule, step int) float64 {
				if step < s.Warmup {
					return s.Peak * float64((step+1)/s.Warmup)
				}
				return s.Rate(step)
			}, wholeNumbers, ""},
			{falling(func(x float64) float64 { return (1 + math.Cos(180*x)) / 2 }, between), "Go's math.Cos takes radians: half a turn is math.Pi, not 180.", ""},
			{func(s slm.Schedule, _ int) float64 { return s.Peak }, "that is the peak in every step. The rate rises to it, and falls again.", ""},
			{unclamped, "after the horizon the rate rises again. Let progress be 1 at most.", ""},
			{func(s slm.Schedule, step int) float64 {
				if step >= s.Horizon {
					return 0
				}
				return s.Rate(step)
			}, "from the horizon on the rate is the final share of the peak, not 0: whoever goes on training still learns.", ""},
		},
	}
	s := slm.Schedule{Peak: 2, Warmup: 4, Horizon: 20, Final: 0.1}
	for _, c := range []struct {
		when  string
		steps []int
	}{{"the warm-up", []int{0, 1, 3}}, {"the decay", []int{4, 8, 15, 19}}, {"the horizon and after it", []int{20, 30}}} {
		t.trials = append(t.trials, trial[function]{
			call: fmt.Sprintf("in %s, steps %v with peak %v, warm-up %d, horizon %d and final %v, rate", c.when, c.steps, s.Peak, s.Warmup, s.Horizon, s.Final),
			run: func(f function) (rates []float64) {
				for _, step := range c.steps {
					rates = append(rates, f(s, step))
				}
				return rates
			}})
	}
	return t.judge(answer, "up in a straight line, down in half a cosine, and level from the horizon on, as slm.Schedule's own Rate.")
}

// Recipe judges the loss and the schedule by which a project's student is to be trained. The zero Loss is no answer yet.
func Recipe(p Project, loss slm.Loss, schedule slm.Schedule) Verdict {
	e := exercise{"4.4 Your recipe", "for example slm.CE(0.5).Plus(slm.ForwardKL(0.5)), and a Schedule with Peak and Horizon"}
	if loss.IsZero() && schedule == (slm.Schedule{}) {
		return e.open()
	}
	d := slm.Distillation{Loss: loss, Schedule: schedule}.WithDefaults()
	s := d.Schedule
	steps := p.Steps()
	switch err := loss.Validate(); {
	case loss.IsZero():
		return e.wrong("the loss is still missing.")
	case err != nil:
		return e.wrong("the library refuses the loss: %v.", err)
	case !loss.NeedsTeacher():
		return e.wrong("the loss %s does not listen to the teacher: nothing is distilled.", loss).hinting("add a divergence, such as slm.ForwardKL, with Plus")
	case schedule.Peak == 0 || schedule.Horizon == 0:
		return e.wrong("the schedule needs a Peak and a Horizon.")
	}
	if err := s.Validate(); err != nil {
		return e.wrong("the library refuses the schedule: %v.", err)
	}
	end := s.Rate(steps-1) / s.Peak
	switch {
	case s.Warmup > steps:
		return e.wrong("your %d steps are over before the warm-up is: it takes %d steps, with the horizon at %d.", steps, s.Warmup, s.Horizon).
			hinting("let the schedule end with the training: Horizon: project.Steps()")
	case s.Horizon > steps+1:
		return e.wrong("after your %d steps the rate is still at %.0f%% of its peak, since the horizon is at %d. What is learned at a high rate is not settled yet.",
			steps, 100*end, s.Horizon).hinting("let the schedule end with the training: Horizon: project.Steps()")
	case s.Horizon < steps-1:
		return e.wrong("the horizon is at step %d of %d: for the rest of the training the rate stays at its lowest.", s.Horizon, steps).
			hinting("let the schedule end with the training: Horizon: project.Steps()")
	case 2*s.Warmup > s.Horizon:
		return e.wrong("more than half of the training is warm-up (%d steps of %d).", s.Warmup, s.Horizon).hinting("a tenth is usual; a Warmup of 0 gives that")
	case s.Peak > 1e-2:
		return e.wrong("a peak of %g makes steps so large that the loss may explode.", s.Peak).hinting("0.001 is a good beginning for a model of this size")
	case s.Peak < 1e-4:
		return e.wrong("with a peak of %g hardly anything is learned in %d steps.", s.Peak, steps).hinting("0.001 is a good beginning for a model of this size")
	}
	return e.solved("%s; %s.", loss, s)
}

// EqualCompute judges a function of how many steps from random weights, without a teacher, take as many FLOPs as so many steps with one;
// student and teacher are the FLOPs of a token's forward pass. The curve is the learner's own.
func EqualCompute(answer func(steps, student, teacher int64) int64, run slm.Curve) Verdict {
	type function = func(steps, student, teacher int64) int64
	t := task[function]{
		exercise: exercise{"4.5 A fair baseline", "multiply by the FLOPs of a step with the teacher, then divide by those of a step without it (exercise 3.6)"},
		right:    func(n, s, t int64) int64 { return n * (3*s + t) / (3 * s) },
		slips: []slip[function]{
			{func(n, s, t int64) int64 { return n }, "as many steps see as many tokens, but cost less: the baseline has no teacher to ask.", ""},
			{func(n, s, t int64) int64 { return n * 3 * s / (3*s + t) }, "that is fewer. Its steps are cheaper, so the baseline may take more.", ""},
			{func(n, s, t int64) int64 { return n * (s + t) / s }, "the backward pass is missing: a step of the baseline takes three times its forward pass.", ""},
			{func(n, s, t int64) int64 { return n * (3*s + t) / s }, "the baseline learns, too: its step takes three times its forward pass.", ""},
			{func(n, s, t int64) int64 { return n * (s + t) / (3 * s) }, "the student learns, too: its step takes three times its forward pass, beside the teacher's.", ""},
			{func(n, s, t int64) int64 { return n * t / (3 * s) }, "that pays for the teacher's part only. Student and teacher have worked.", ""},
			{func(n, s, t int64) int64 { return n * t / s }, "that only compares the sizes. Count a step of each: 3 times the student, and once the teacher.", ""},
			{func(n, s, t int64) int64 { return n * (1 + t/(3*s)) }, "dividing whole numbers too early loses the rest: multiply first.", ""},
			{func(n, s, t int64) int64 { return n * ((3*s + t) / (3 * s)) }, "dividing whole numbers too early loses the rest: multiply first.", ""},
			{func(n, s, t int64) int64 { return n * (3*s + t) }, "these are FLOPs. How many steps of the baseline do they pay for?", ""},
		},
	}
	for _, c := range [][3]int64{{40, 2e6, 18e6}, {30, 1e6, 16e6}} {
		t.trials = append(t.trials, trial[function]{fmt.Sprintf("baselineSteps(%d, %d, %d)", c[0], c[1], c[2]), func(f function) []float64 {
			return []float64{float64(f(c[0], c[1], c[2]))}
		}, ""})
	}
	return t.judge(answer, fmt.Sprintf("%d steps from random weights cost as much as your %d with the teacher. Now the comparison is fair.", StepsAtEqualFLOPs(run), run.Steps()))
}

// StepsAtEqualFLOPs is how many steps of the same student without a teacher a run's FLOPs pay for.
func StepsAtEqualFLOPs(run slm.Curve) int {
	alone := run.Distillation
	alone.Loss = slm.CE(1)
	return int(run.FLOPs() / float64(alone.StepFLOPs(run.Teacher)))
}

// BitsPerByte judges a function that turns a loss in nats per token, and a text's bytes per token, into bits per byte. The evaluation is
// the learner's own.
func BitsPerByte(answer func(loss, bytesPerToken float64) float64, student slm.Evaluated) Verdict {
	type function = func(loss, bytesPerToken float64) float64
	t := task[function]{
		exercise: exercise{"4.6 Bits per byte", "from nats to bits: divide by math.Ln2; from a token to its bytes: divide by how many it has"},
		right:    slm.BitsPerByte,
		slips: []slip[function]{
			{func(loss, bytes float64) float64 { return loss / bytes }, "that is in nats per byte. A bit has ln 2 nats.", ""},
			{func(loss, _ float64) float64 { return loss / math.Ln2 }, "that is in bits per token. A token has several bytes.", ""},
			{func(loss, bytes float64) float64 { return loss * math.Ln2 / bytes }, "a nat is more than a bit: divide by ln 2, do not multiply.", ""},
			{func(loss, bytes float64) float64 { return loss / math.Ln2 * bytes }, "the loss of a token is shared among its bytes: divide.", ""},
			{func(loss, bytes float64) float64 { return loss * bytes }, "the loss of a token is shared among its bytes: divide. And a bit has ln 2 nats.", ""},
			{func(loss, bytes float64) float64 { return math.Log2(loss) / bytes }, "the loss is a logarithm already: taking another one does not change its unit. Divide by ln 2.", ""},
			{func(loss, bytes float64) float64 { return math.Exp(loss) / bytes }, "that shares the perplexity among the bytes. Take the loss itself.", ""},
			{func(loss, bytes float64) float64 { return loss / math.Ln2 / (8 * bytes) }, "that is bits per bit of the text. A byte is one character of plain English: leave it whole.", ""},
			{func(loss, bytes float64) float64 { return loss / math.Ln10 / bytes }, "that counts decimal digits. Bits are of the logarithm to the base 2: divide by ln 2.", ""},
		},
	}
	for _, c := range [][2]float64{{math.Ln2, 1}, {3.5, 2.5}, {5, 4}} {
		t.trials = append(t.trials, trial[function]{fmt.Sprintf("bitsPerByte(%.4g, %v)", c[0], c[1]), func(f function) []float64 { return []float64{f(c[0], c[1])} }, ""})
	}
	return t.judge(answer, fmt.Sprintf("your student needs %.2f bits for each byte of the text, whatever its tokens are.", slm.BitsPerByte(student.Loss, student.BytesPerToken)))
}

// Report is what a project ends with.
type Report struct {
	Project   Project
	Search    slm.Population
	Student   slm.Curve
	Baseline  slm.Curve     // from random weights
	Evaluated slm.Evaluated // the student
	Loaded    slm.Evaluated // the exported student, loaded from its folder, on the same text
}

// ReportCard judges a whole project, point by point.
func ReportCard(r Report) []Verdict {
	return []Verdict{r.budget(), r.bin(), r.start(), r.training(), r.comparison(), r.export()}
}

func (r Report) budget() Verdict {
	e := exercise{"Report: your own budget", "answer exercise 4.1, and run the notebook again from there"}
	if !r.Project.Own {
		v := e.open()
		v.Says = fmt.Sprintf("this is the project that stands in for yours, of %s parameters and %s tokens.", slm.Count(r.Project.Parameters), slm.Thousands(r.Project.Tokens))
		return v
	}
	return e.solved("%s parameters, %s tokens.", slm.Count(r.Project.Parameters), slm.Thousands(r.Project.Tokens))
}

func (r Report) bin() Verdict {
	e := exercise{"Report: in the bin", "search with Bin: project.Bin(), and distil the best of that search"}
	n, bin := r.Student.Parameters, r.Project.Bin()
	switch {
	case n == 0:
		return e.open()
	case !bin.Contains(n):
		return e.wrong("the student has %s parameters, and the bin is %s.", slm.Thousands(n), bin)
	}
	return e.solved("%s parameters are in %s.", slm.Thousands(n), bin)
}

func (r Report) start() Verdict {
	e := exercise{"Report: the start", "lab.Distill takes the Subnet of found.Best()"}
	best, d := r.Search.Best(), r.Student.Distillation
	switch {
	case len(r.Search.Candidates) == 0 || len(r.Student.Points) == 0:
		return e.open()
	case d.Init == slm.FromRandom:
		return e.wrong("the student began with random weights: that is the baseline's part.")
	case d.Subnet.Normalize(r.Student.Teacher).Key() != best.Subnet.Normalize(r.Student.Teacher).Key():
		return e.wrong("the student is not the best candidate of the search.")
	}
	first := r.Search.Candidates[0]
	return e.solved("the best of %d candidates, at %.2f nats per token before training; the first one that was drawn had %.2f.", r.Search.Evaluations(), best.Loss, first.Loss)
}

func (r Report) training() Verdict {
	e := exercise{"Report: the training", "run the cell that trains, in section 4"}
	tokens := last(r.Student.Points).Tokens
	switch {
	case tokens == 0:
		return e.open()
	case tokens > r.Project.Tokens:
		return e.wrong("the student has seen %s tokens, and the budget is %s.", slm.Thousands(tokens), slm.Thousands(r.Project.Tokens))
	case r.Student.Steps() < r.Project.Steps():
		return e.wrong("the student has taken %d of the %d steps that the budget allows.", r.Student.Steps(), r.Project.Steps()).
			hinting("run the cell that trains it again: it goes on where it stopped")
	case r.Student.Validation() >= r.Student.Points[0].Validation:
		return e.wrong("the loss on held-out text did not fall: from %.3f to %.3f.", r.Student.Points[0].Validation, r.Student.Validation()).
			hinting("look at the curve: a lower Peak, or a longer Warmup?")
	}
	return e.solved("%s tokens took the held-out loss from %.2f to %.2f nats per token.", slm.Thousands(tokens), r.Student.Points[0].Validation, r.Student.Validation())
}

func (r Report) comparison() Verdict {
	e := exercise{"Report: better than random weights", "train the baseline of exercise 4.5 to its end"}
	student, baseline := r.Student.Validation(), r.Baseline.Validation()
	switch {
	case r.Student.Steps() == 0 || r.Baseline.Steps() == 0:
		return e.open()
	case r.Baseline.Distillation.Init != slm.FromRandom:
		return e.wrong("the baseline did not begin with random weights.")
	case r.Baseline.Parameters != r.Student.Parameters:
		return e.wrong("the baseline has %s parameters, the student %s: the larger one would have an advantage.", slm.Thousands(r.Baseline.Parameters), slm.Thousands(r.Student.Parameters))
	case r.Baseline.FLOPs() < 0.95*r.Student.FLOPs():
		return e.wrong("the baseline has spent %.0f%% of the student's FLOPs: it may still go on.", 100*r.Baseline.FLOPs()/r.Student.FLOPs())
	case r.Baseline.FLOPs() > 1.05*r.Student.FLOPs():
		return e.wrong("the baseline has spent %.1f times the student's FLOPs, which is more than fair.", r.Baseline.FLOPs()/r.Student.FLOPs())
	case student >= baseline:
		return e.wrong("with as many FLOPs random weights end at %.3f, your student at %.3f.", baseline, student).
			hinting("another loss or peak (exercise 4.4), or more tokens; a teacher that is asked for little is dear")
	}
	return e.solved("with as many FLOPs random weights end at %.2f nats per token, your student at %.2f. The search's FLOPs would have paid for %d more of its steps.", baseline, student,
		int(float64(r.Search.FLOPs())/float64(r.Baseline.Distillation.StepFLOPs(r.Baseline.Teacher))))
}

func (r Report) export() Verdict {
	e := exercise{"Report: others can read it", "export the student once more after training, and load that folder"}
	switch {
	case r.Evaluated.Tokens == 0 || r.Loaded.Tokens == 0:
		return e.open()
	case r.Evaluated.Tokens != r.Loaded.Tokens:
		return e.wrong("the two were evaluated on texts of different lengths: %s and %s tokens.", slm.Thousands(int64(r.Evaluated.Tokens)), slm.Thousands(int64(r.Loaded.Tokens)))
	case math.Abs(r.Evaluated.Loss-r.Loaded.Loss) > 1e-3 || math.IsNaN(r.Loaded.Loss):
		return e.wrong("what was loaded from the folder has a loss of %.4f, your student %.4f: it is another model, or an earlier state.", r.Loaded.Loss, r.Evaluated.Loss)
	}
	return e.solved("loaded from its folder it predicts as before: perplexity %.1f, %.2f bits per byte.", r.Loaded.Perplexity, r.Loaded.BitsPerByte)
}
