package check

import (
	"math"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

func TestBudget(t *testing.T) {
	for _, s := range []said{
		{"none", Budget(0, 0, 0), Open, "not answered"},
		{"right", Budget(1_200_000, 24_000, 46), Solved, "46 steps of 512 tokens, 0.020 tokens for each parameter"},
		{"right, computed", Budget(1_200_000, 24_000, int64(24_000)/512), Solved, "46 steps"},
		{"in millions", Budget(2, 24_000, 46), Wrong, "1_000_000"},
		{"too small", Budget(200_000, 24_000, 46), Wrong, "too few"},
		{"negative", Budget(-5, 24_000, 46), Wrong, "too few"},
		{"only tokens", Budget(0, 24_000, 46), Wrong, "too few"},
		{"too large", Budget(8_000_000, 24_000, 46), Wrong, "more than a session"},
		{"few tokens", Budget(1_200_000, 100, 1), Wrong, "100 tokens are too few steps, 0"},
		{"many tokens", Budget(1_200_000, 1_000_000, 1953), Wrong, "1,953 steps"},
		{"no steps", Budget(1_200_000, 24_000, 0), Wrong, "still missing"},
		{"steps are tokens", Budget(1_200_000, 24_000, 24_000), Wrong, "number of tokens"},
		{"steps are sequences", Budget(1_200_000, 24_000, 187), Wrong, "number of sequences"},
		{"tokens of a sequence forgotten", Budget(1_200_000, 24_000, 6000), Wrong, "has 128 tokens"},
		{"rounded up", Budget(1_200_000, 24_000, 47), Wrong, "round down"},
		{"senseless", Budget(1_200_000, 24_000, 10), Wrong, "10 steps take 5,120 tokens"},
	} {
		s.run(t)
	}
}

func TestProject(t *testing.T) {
	own := ProjectOf(1_200_000, 24_000, 46)
	if !own.Own || own.Steps() != 46 || own.Bin() != slm.Around(1.2e6, 0.05) {
		t.Errorf("a right budget makes %+v, %d steps in %s", own, own.Steps(), own.Bin())
	}
	other := ProjectOf(1_200_000, 24_000, 47)
	if other.Own || Budget(other.Parameters, other.Tokens, other.Steps()).Outcome != Solved {
		t.Errorf("while the budget is wrong, %+v stands in", other)
	}
	loss, schedule := slm.CE(0.5).Plus(slm.ForwardKL(0.5)), slm.Schedule{Peak: 2e-3, Horizon: 46}
	if d := own.Distillation(slm.Subnet{}, loss, schedule); d.Schedule != schedule {
		t.Errorf("a right recipe is replaced by %s", d.Schedule)
	}
	if d := own.Distillation(slm.Subnet{}, slm.CE(1), schedule); Recipe(own, d.Loss, d.Schedule).Outcome != Solved {
		t.Errorf("while the recipe is wrong, %s stands in", d.Loss)
	}
	if got := SearchOf(own, small, slm.Search{}); got.Bin != own.Bin() || got.Evaluations() > mostEvaluations {
		t.Errorf("while the search is open, %+v stands in", got)
	}
}

func TestNamed(t *testing.T) {
	names := map[string]bool{}
	for _, seed := range []uint64{1, 2, 1} {
		names[Named("start", slm.Search{Seed: seed})] = true
	}
	if len(names) != 2 {
		t.Errorf("%v: want a name for each of two searches, the same one when the first is named again", names)
	}
}

// medium is an architecture with sub-networks of the size of a project's.
var medium = slm.Config{Name: "medium", Family: slm.GPTNeoX, Layers: 6, Embd: 256, Heads: 8, QueryGroups: 8, HeadSize: 32, FFN: 1024, Vocab: 4000,
	Context: 256, NormEps: 1e-5, RopeTheta: 1e4}

func TestSearching(t *testing.T) {
	p := ProjectOf(1_500_000, 24_000, 46)
	good := slm.Search{Space: slm.FineUniform, Bin: p.Bin(), Population: 12, Generations: 4, Offspring: 6}
	with := func(change func(s *slm.Search)) Verdict {
		s := good
		change(&s)
		return Searching(p, medium, s)
	}
	for _, s := range []said{
		{"none", Searching(p, medium, slm.Search{}), Open, "not answered"},
		{"right", Searching(p, medium, good), Solved, "36 candidates in 1.43M-1.57M, in the space fine-uniform"},
		{"right, at random", with(func(s *slm.Search) {
			s.Strategy, s.Population, s.Generations = slm.RandomSearch, 40, slm.InitialOnly
		}), Solved, "40 candidates"},
		{"no bin", with(func(s *slm.Search) { s.Bin = slm.Bin{} }), Wrong, "no Bin"},
		{"another bin", with(func(s *slm.Search) { s.Bin = slm.Around(2e6, 0.05) }), Wrong, "your budget's is 1.43M-1.57M"},
		{"told", with(func(s *slm.Search) { s.Told = true }), Wrong, "your own cells"},
		{"warm", with(func(s *slm.Search) { s.Warm.Steps = 10 }), Wrong, "trained"},
		{"too many", with(func(s *slm.Search) { s.Generations = 5 }), Wrong, "judges 42 candidates"},
		{"nothing bred", with(func(s *slm.Search) { s.Generations = slm.InitialOnly }), Wrong, "nothing is bred"},
		{"refused", with(func(s *slm.Search) { s.Strategy = "luck" }), Wrong, "the library refuses it"},
		{"defaults that are too many", with(func(s *slm.Search) { s.Population, s.Generations, s.Offspring = 0, 0, 0 }), Wrong, "judges 64 candidates"},
	} {
		s.run(t)
	}
}

func TestRate(t *testing.T) {
	progress := func(s slm.Schedule, step int) float64 { return float64(step-s.Warmup) / float64(s.Horizon-s.Warmup) }
	half := func(x float64) float64 { return (1 + math.Cos(math.Pi*x)) / 2 }
	falling := func(rate func(s slm.Schedule, x float64) float64) func(slm.Schedule, int) float64 {
		return func(s slm.Schedule, step int) float64 {
			if step < s.Warmup {
				return s.Peak * float64(step+1) / float64(s.Warmup)
			}
			return rate(s, min(1, progress(s, step)))
		}
	}
	between := func(s slm.Schedule, height float64) float64 { return s.Peak * (s.Final + (1-s.Final)*height) }
	right := falling(func(s slm.Schedule, x float64) float64 { return between(s, half(x)) })
	for _, s := range []said{
		{"none", Rate(func(slm.Schedule, int) float64 { return 0 }), Open, "not answered"},
		{"right", Rate(right), Solved, "half a cosine"},
		{"from 0", Rate(func(s slm.Schedule, step int) float64 {
			if step < s.Warmup {
				return s.Peak * float64(step) / float64(s.Warmup)
			}
			return right(s, step)
		}), Wrong, "step+1"},
		{"no warm-up", Rate(func(s slm.Schedule, step int) float64 { return right(s, max(step, s.Warmup)) }), Wrong, "no warm-up: it begins at the peak"},
		{"cosine from step 0", Rate(func(s slm.Schedule, step int) float64 {
			return between(s, half(min(1, float64(step)/float64(s.Horizon))))
		}), Wrong, "the cosine begins at step 0"},
		{"progress from step 0", Rate(func(s slm.Schedule, step int) float64 {
			if step < s.Warmup {
				return right(s, step)
			}
			return between(s, half(min(1, float64(step)/float64(s.Horizon))))
		}), Wrong, "counted from step 0"},
		{"to 0", Rate(falling(func(s slm.Schedule, x float64) float64 { return s.Peak * half(x) })), Wrong, "falls to 0"},
		{"final as a rate", Rate(falling(func(s slm.Schedule, x float64) float64 { return s.Final + (s.Peak-s.Final)*half(x) })), Wrong, "not a learning rate"},
		{"added", Rate(falling(func(s slm.Schedule, x float64) float64 { return s.Peak*s.Final + s.Peak*half(x) })), Wrong, "above the peak"},
		{"a whole cosine", Rate(falling(func(s slm.Schedule, x float64) float64 { return between(s, half(2*x)) })), Wrong, "whole cosine"},
		{"not halved", Rate(falling(func(s slm.Schedule, x float64) float64 { return between(s, 2*half(x)) })), Wrong, "Halve it"},
		{"a bare cosine", Rate(falling(func(s slm.Schedule, x float64) float64 { return between(s, math.Cos(math.Pi*x)) })), Wrong, "must not be negative"},
		{"a quarter", Rate(falling(func(s slm.Schedule, x float64) float64 { return between(s, math.Cos(math.Pi/2*x)) })), Wrong, "quarter of a cosine"},
		{"a line", Rate(falling(func(s slm.Schedule, x float64) float64 { return between(s, 1-x) })), Wrong, "straight line"},
		{"rising again", Rate(func(s slm.Schedule, step int) float64 {
			if step < s.Warmup {
				return right(s, step)
			}
			return between(s, half(progress(s, step)))
		}), Wrong, "rises again"},
		{"0 at the end", Rate(func(s slm.Schedule, step int) float64 {
			if step >= s.Horizon {
				return 0
			}
			return right(s, step)
		}), Wrong, "not 0"},
		{"constant", Rate(func(s slm.Schedule, step int) float64 { return s.Peak }), Wrong, "in every step"},
		{"whole progress", Rate(falling(func(s slm.Schedule, x float64) float64 { return between(s, half(float64(int(x)))) })), Wrong, "whole number"},
		{"whole warm-up", Rate(func(s slm.Schedule, step int) float64 {
			if step < s.Warmup {
				return s.Peak * float64((step+1)/s.Warmup)
			}
			return right(s, step)
		}), Wrong, "whole number"},
		{"degrees", Rate(falling(func(s slm.Schedule, x float64) float64 { return between(s, (1+math.Cos(180*x))/2) })), Wrong, "radians"},
		{"senseless", Rate(func(s slm.Schedule, step int) float64 { return 7 }), Wrong, "in the warm-up, steps [0 1 3]"},
		{"a panic", Rate(func(s slm.Schedule, step int) float64 { return float64(step / (s.Warmup - 4)) }), Wrong, "divide by zero"},
	} {
		s.run(t)
	}
}

func TestRecipe(t *testing.T) {
	p := ProjectOf(1_500_000, 24_000, 46)
	loss, good := slm.CE(0.5).Plus(slm.ForwardKL(0.5)), slm.Schedule{Peak: 1e-3, Horizon: 46}
	with := func(change func(s *slm.Schedule)) Verdict {
		s := good
		change(&s)
		return Recipe(p, loss, s)
	}
	for _, s := range []said{
		{"none", Recipe(p, slm.Loss{}, slm.Schedule{}), Open, "not answered"},
		{"right", Recipe(p, loss, good), Solved, "0.5 cross-entropy + 0.5 forward-kl; warm-up to 0.001"},
		{"right, the teacher alone", Recipe(p, slm.ReverseKL(1).At(2), good), Solved, "reverse-kl"},
		{"no loss", Recipe(p, slm.Loss{}, good), Wrong, "loss is still missing"},
		{"refused loss", Recipe(p, slm.CE(-1).Plus(slm.ForwardKL(1)), good), Wrong, "refuses the loss"},
		{"no teacher", Recipe(p, slm.CE(1), good), Wrong, "does not listen"},
		{"no schedule", Recipe(p, loss, slm.Schedule{}), Wrong, "needs a Peak and a Horizon"},
		{"refused schedule", with(func(s *slm.Schedule) { s.Final = 2 }), Wrong, "refuses the schedule"},
		{"warm-up to the end", with(func(s *slm.Schedule) { s.Horizon = 1000 }), Wrong, "takes 100 steps, with the horizon at 1000"},
		{"late horizon", with(func(s *slm.Schedule) { s.Horizon = 200 }), Wrong, "the horizon is at 200"},
		{"early horizon", with(func(s *slm.Schedule) { s.Horizon = 20 }), Wrong, "step 20 of 46"},
		{"long warm-up", with(func(s *slm.Schedule) { s.Warmup = 40 }), Wrong, "40 steps of 46"},
		{"high", with(func(s *slm.Schedule) { s.Peak = 1 }), Wrong, "explode"},
		{"low", with(func(s *slm.Schedule) { s.Peak = 1e-6 }), Wrong, "hardly anything"},
	} {
		s.run(t)
	}
}

func TestEqualCompute(t *testing.T) {
	run := trained("student", slm.ForwardKL(1), 5, 4.5, 4, 3.8)
	judge := func(f func(n, s, t int64) int64) Verdict { return EqualCompute(f, run) }
	for _, s := range []said{
		{"none", judge(func(n, s, t int64) int64 { return 0 }), Open, "not answered"},
		{"right", judge(func(n, s, t int64) int64 { return n + n*t/(3*s) }), Solved, "as much as your 4 with the teacher"},
		{"as many", judge(func(n, s, t int64) int64 { return n }), Wrong, "no teacher to ask"},
		{"fewer", judge(func(n, s, t int64) int64 { return n * 3 * s / (3*s + t) }), Wrong, "that is fewer"},
		{"no backward passes", judge(func(n, s, t int64) int64 { return n * (s + t) / s }), Wrong, "backward pass is missing"},
		{"a baseline that does not learn", judge(func(n, s, t int64) int64 { return n * (3*s + t) / s }), Wrong, "baseline learns"},
		{"a student that does not learn", judge(func(n, s, t int64) int64 { return n * (s + t) / (3 * s) }), Wrong, "student learns"},
		{"only the teacher", judge(func(n, s, t int64) int64 { return n * t / (3 * s) }), Wrong, "teacher's part only"},
		{"sizes", judge(func(n, s, t int64) int64 { return n * t / s }), Wrong, "compares the sizes"},
		{"divided early", judge(func(n, s, t int64) int64 { return n * ((3*s + t) / (3 * s)) }), Wrong, "multiply first"},
		{"FLOPs", judge(func(n, s, t int64) int64 { return n * (3*s + t) }), Wrong, "these are FLOPs"},
		{"a panic", judge(func(n, s, t int64) int64 { return n / (s - 2e6) }), Wrong, "divide by zero"},
		{"senseless", judge(func(n, s, t int64) int64 { return 7 }), Wrong, "gives 7, and should give 160"},
	} {
		s.run(t)
	}
}

func TestBitsPerByte(t *testing.T) {
	judge := func(f func(loss, bytes float64) float64) Verdict {
		return BitsPerByte(f, slm.Evaluated{Loss: 4 * math.Ln2, BytesPerToken: 2})
	}
	for _, s := range []said{
		{"none", judge(func(l, b float64) float64 { return 0 }), Open, "not answered"},
		{"right", judge(func(l, b float64) float64 { return math.Log2(math.E) * l / b }), Solved, "needs 2.00 bits"},
		{"nats", judge(func(l, b float64) float64 { return l / b }), Wrong, "nats per byte"},
		{"a token", judge(func(l, b float64) float64 { return l / math.Ln2 }), Wrong, "bits per token"},
		{"multiplied by ln 2", judge(func(l, b float64) float64 { return l * math.Ln2 / b }), Wrong, "do not multiply"},
		{"multiplied by bytes", judge(func(l, b float64) float64 { return l / math.Ln2 * b }), Wrong, "shared among its bytes"},
		{"nats, multiplied by bytes", judge(func(l, b float64) float64 { return l * b }), Wrong, "shared among its bytes"},
		{"another logarithm", judge(func(l, b float64) float64 { return math.Log2(l) / b }), Wrong, "logarithm already"},
		{"perplexity", judge(func(l, b float64) float64 { return math.Exp(l) / b }), Wrong, "perplexity among the bytes"},
		{"bits of the text", judge(func(l, b float64) float64 { return l / math.Ln2 / b / 8 }), Wrong, "bits per bit"},
		{"digits", judge(func(l, b float64) float64 { return l / math.Ln10 / b }), Wrong, "decimal digits"},
		{"senseless", judge(func(l, b float64) float64 { return 1 }), Wrong, "bitsPerByte(3.5, 2.5) gives 1"},
	} {
		s.run(t)
	}
}

// finished is a project that came out well; its parts are small.
func finished() Report {
	p := Project{Parameters: 10_000, Tokens: 64, Own: true}
	student := trained("student", slm.ForwardKL(1), append(make([]float64, 39), 3.8)...)
	p.Parameters = student.Distillation.Subnet.Parameters(small).Total()
	p.Tokens = last(student.Points).Tokens
	student.Parameters = p.Parameters
	baseline := trained("random", slm.CE(1), make([]float64, StepsAtEqualFLOPs(student))...)
	baseline.Distillation.Init, baseline.Parameters = slm.FromRandom, student.Parameters
	baseline.Points[len(baseline.Points)-1].Validation = 5
	return Report{
		Project: p, Student: student, Baseline: baseline,
		Search: slm.Population{Teacher: small, Search: slm.Search{Tokens: 64}, Candidates: []slm.Candidate{
			{ID: 0, Subnet: slm.Subnet{Embd: slm.First(9)}, Loss: 9, FLOPs: 1000}, {ID: 1, Subnet: student.Distillation.Subnet, Loss: 6, FLOPs: 1000}}},
		Evaluated: slm.Evaluated{Tokens: 100, Loss: 4}, Loaded: slm.Evaluated{Tokens: 100, Loss: 4.0002, Perplexity: 54.6, BitsPerByte: 2.5},
	}
}

func TestReportCard(t *testing.T) {
	const budget, bin, start, training, comparison, export = 0, 1, 2, 3, 4, 5
	for i, v := range ReportCard(finished()) {
		said{"a good project", v, Solved, []string{"tokens", "are in", "at 6.00", "from 6.00 to 3.80", "random weights end at 5.00", "perplexity 54.6"}[i]}.run(t)
	}
	for _, v := range ReportCard(Report{}) {
		said{"nothing done", v, Open, ""}.run(t)
	}
	for _, c := range []struct {
		name    string
		point   int
		change  func(r *Report)
		outcome Outcome
		says    string
	}{
		{"a stand-in", budget, func(r *Report) { r.Project.Own = false }, Open, "stands in for yours"},
		{"outside the bin", bin, func(r *Report) { r.Student.Parameters *= 2 }, Wrong, "and the bin is"},
		{"a random student", start, func(r *Report) { r.Student.Distillation.Init = slm.FromRandom }, Wrong, "baseline's part"},
		{"not the best", start, func(r *Report) { r.Search.Candidates[0].Loss = 1 }, Wrong, "not the best candidate"},
		{"too many tokens", training, func(r *Report) { r.Project.Tokens-- }, Wrong, "budget is"},
		{"interrupted", training, func(r *Report) { r.Student.Points, r.Project.Tokens = r.Student.Points[:3], 2048 }, Wrong, "2 of the 4 steps"},
		{"a loss that rose", training, func(r *Report) { r.Student.Points[0].Validation = 3 }, Wrong, "did not fall"},
		{"no random baseline", comparison, func(r *Report) { r.Baseline.Distillation.Init = slm.FromTeacher }, Wrong, "did not begin with random"},
		{"another size", comparison, func(r *Report) { r.Baseline.Parameters++ }, Wrong, "an advantage"},
		{"a short baseline", comparison, func(r *Report) { r.Baseline.Points = r.Baseline.Points[:3] }, Wrong, "may still go on"},
		{"a long baseline", comparison, func(r *Report) { r.Baseline.Points[len(r.Baseline.Points)-1].Step *= 2 }, Wrong, "more than fair"},
		{"not better", comparison, func(r *Report) { r.Baseline.Points[len(r.Baseline.Points)-1].Validation = 3 }, Wrong, "random weights end at 3.000"},
		{"another model", export, func(r *Report) { r.Loaded.Loss = 5 }, Wrong, "another model"},
		{"no loss", export, func(r *Report) { r.Loaded.Loss = math.NaN() }, Wrong, "another model"},
		{"another text", export, func(r *Report) { r.Loaded.Tokens = 50 }, Wrong, "different lengths"},
	} {
		r := finished()
		c.change(&r)
		said{c.name, ReportCard(r)[c.point], c.outcome, c.says}.run(t)
	}
}
