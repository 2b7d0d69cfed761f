package check

import (
	"fmt"
	"math"
	"slices"

	"github.com/offshoot-ml/offshoot/slm"
)

// CrossEntropy judges a function of the probabilities that a model gave to the tokens of a text: its mean surprise −ln p, in nats per
// token.
func CrossEntropy(answer func(probabilities []float64) float64) Verdict {
	type function = func([]float64) float64
	const byOwn = "that weighs each surprise by its own p, which is the formula of the entropy. The text has drawn its tokens already: each counts once."
	t := task[function]{
		exercise: exercise{"3.1 Cross-entropy", "add -math.Log(p) for each p, then divide by how many there are"},
		right: func(ps []float64) float64 {
			return sum(len(ps), func(i int) float64 { return -math.Log(ps[i]) }) / float64(len(ps))
		},
		slips: []slip[function]{
			{func(ps []float64) float64 { return sum(len(ps), func(i int) float64 { return -math.Log(ps[i]) }) },
				"that is the sum. A long text would look worse than a short one; the mean says how hard a token is.", ""},
			{func(ps []float64) float64 {
				return sum(len(ps), func(i int) float64 { return math.Log(ps[i]) }) / float64(len(ps))
			}, "the sign is missing: logarithms of probabilities are negative, a surprise is positive.", ""},
			{func(ps []float64) float64 {
				return sum(len(ps), func(i int) float64 { return -math.Log2(ps[i]) }) / float64(len(ps))
			}, "that is in bits. Losses here are in nats: the natural logarithm, math.Log.", ""},
			{func(ps []float64) float64 {
				return -math.Log(sum(len(ps), func(i int) float64 { return ps[i] }) / float64(len(ps)))
			},
				"that is the logarithm of the mean probability. One token that came as a full surprise would hardly count; take each token's logarithm first.", ""},
			{func(ps []float64) float64 {
				return math.Exp(sum(len(ps), func(i int) float64 { return -math.Log(ps[i]) }) / float64(len(ps)))
			}, "that is the perplexity. The cross-entropy is its logarithm.", ""},
			{func(ps []float64) float64 {
				return sum(len(ps), func(i int) float64 { return ps[i] }) / float64(len(ps))
			},
				"that is the mean probability: high where the model is good. A loss is low there.", ""},
			{func(ps []float64) float64 {
				return sum(len(ps), func(i int) float64 { return -ps[i] * math.Log(ps[i]) })
			}, byOwn, ""},
			{func(ps []float64) float64 {
				return sum(len(ps), func(i int) float64 { return -ps[i] * math.Log(ps[i]) }) / float64(len(ps))
			}, byOwn, ""},
		},
	}
	for _, ps := range [][]float64{{0.5}, {0.9, 0.1, 0.01, 0.6}, {1, 1, 0.25}} {
		t.trials = append(t.trials, trial[function]{fmt.Sprintf("crossEntropy(%v)", ps), func(f function) []float64 { return []float64{f(ps)} }, ""})
	}
	return t.judge(answer, fmt.Sprintf("0 where every token was certain; %.3f nats, as of a choice between two, where each had a probability of a half.", math.Ln2))
}

// Softmax judges a function that turns logits into probabilities at a temperature: exp(z/T) over their sum.
func Softmax(answer func(logits []float64, temperature float64) []float64) Verdict {
	type function = func([]float64, float64) []float64
	t := task[function]{
		exercise: exercise{"3.2 Softmax", "math.Exp(z / temperature) for each logit z, then divide each by the sum of all"},
		right: func(z []float64, temperature float64) []float64 {
			return softmaxOf(z, func(x float64) float64 { return math.Exp(x / temperature) }, slices.Max(z))
		},
		slips: []slip[function]{
			{func(z []float64, _ float64) []float64 { return softmaxOf(z, math.Exp, slices.Max(z)) },
				"the temperature changes nothing in it.", ""},
			{func(z []float64, temperature float64) []float64 {
				return softmaxOf(z, func(x float64) float64 { return math.Exp(x * temperature) }, slices.Max(z))
			}, "the logits are multiplied by the temperature. That makes a high temperature sharper; it should make it flatter: divide.", ""},
			{func(z []float64, temperature float64) []float64 {
				return mapped(z, func(x float64) float64 { return math.Exp(x / temperature) })
			}, "these are not probabilities yet: they do not sum to 1.", "divide each by the sum of all"},
			{func(z []float64, temperature float64) []float64 {
				return mapped(softmaxOf(z, math.Exp, slices.Max(z)), func(p float64) float64 { return p / temperature })
			}, "the probabilities are divided by the temperature, and no longer sum to 1. Divide the logits, before the exponential.", ""},
			{func(z []float64, temperature float64) []float64 {
				return mapped(softmaxOf(z, math.Exp, 0), func(p float64) float64 { return p / temperature })
			}, "the probabilities are divided by the temperature, and no longer sum to 1. Divide the logits, before the exponential.", ""},
			{func(z []float64, temperature float64) []float64 {
				return softmaxOf(z, func(x float64) float64 { return x }, 0)
			},
				"that divides the logits by their sum. Logits may be negative; the exponential makes all of them positive first.", ""},
			{func(z []float64, temperature float64) []float64 {
				return softmaxOf(z, func(x float64) float64 { return math.Exp(x / temperature) }, 0)
			}, "it is right for small logits, but for [1000 999] gives no numbers: math.Exp(1000) is infinite, and infinity divided by itself is no number.",
				"subtract the largest logit from all of them first; that changes no ratio"},
			{func(z []float64, temperature float64) []float64 {
				return softmaxOf(z, func(x float64) float64 { return math.Exp(x / temperature) }, max(0, slices.Max(z)))
			}, "it is right where a logit is above 0, but for [-1000 -999] gives no numbers: 0 is taken for the largest logit, and is none of them.",
				"begin the search for the largest with logits[0], or ask slices.Max(logits)"},
			{func(z []float64, _ float64) []float64 { return softmaxOf(z, math.Exp, 0) },
				"the temperature changes nothing in it.", ""},
			{func(z []float64, temperature float64) []float64 {
				return softmaxOf(z, func(x float64) float64 { return math.Exp(x * temperature) }, 0)
			}, "the logits are multiplied by the temperature. That makes a high temperature sharper; it should make it flatter: divide.", ""},
		},
	}
	for _, c := range []struct {
		logits      []float64
		temperature float64
	}{{[]float64{2, 1, 0, -1}, 1}, {[]float64{2, 1, 0, -1}, 2}, {[]float64{3, 0.5, 0.5}, 0.5}, {[]float64{1000, 999}, 1}, {[]float64{-1000, -999}, 1}} {
		t.trials = append(t.trials, trial[function]{fmt.Sprintf("softmax(%v, %v)", c.logits, c.temperature), func(f function) []float64 {
			return f(append([]float64(nil), c.logits...), c.temperature)
		}, ""})
	}
	t.trials = append(t.trials, trial[function]{"softmax([1 0], 1), called again with the same slice,", func(f function) []float64 {
		logits := []float64{1, 0}
		f(logits, 1)
		return f(logits, 1)
	}, "The function writes into its argument, and so spoils it for whoever calls it: make a slice for the result."})
	return t.judge(answer, "they sum to 1, keep their order, and come closer to each other the higher the temperature is.")
}

// KL judges a function that gives the Kullback-Leibler divergence KL(p ‖ q) = Σ p·ln(p/q) of two distributions, in nats.
func KL(answer func(p, q []float64) float64) Verdict {
	type function = func(p, q []float64) float64
	of := func(term func(p, q float64) float64) function {
		return func(p, q []float64) float64 { return sum(len(p), func(i int) float64 { return term(p[i], q[i]) }) }
	}
	// nothing is what 0·ln 0 counts as: the limit of x·ln x.
	nothing := func(weight float64, value func() float64) float64 {
		if weight == 0 {
			return 0
		}
		return weight * value()
	}
	t := task[function]{
		exercise: exercise{"3.3 KL divergence", "add p[i] * math.Log(p[i]/q[i]) over all tokens, and leave out those with p[i] == 0"},
		right:    divergence,
		slips: []slip[function]{
			{of(func(p, q float64) float64 { return nothing(q, func() float64 { return math.Log(q / p) }) }),
				"that is KL(q ‖ p): the arguments are swapped, and the divergence is not symmetric. The weight of each token is p's.", ""},
			{of(func(p, q float64) float64 { return q * math.Log(q/p) }),
				"that is KL(q ‖ p): the arguments are swapped, and the divergence is not symmetric. The weight of each token is p's.", ""},
			{of(func(p, q float64) float64 { return p * math.Log(q/p) }),
				"the ratio is upside down: q/p gives the negative of what is asked. A divergence is never negative.", ""},
			{of(func(p, q float64) float64 { return nothing(p, func() float64 { return math.Log(q / p) }) }),
				"the ratio is upside down: q/p gives the negative of what is asked. A divergence is never negative.", ""},
			{of(func(p, q float64) float64 { return -p * math.Log(q) }),
				"that is the cross-entropy −Σ p·ln q. It is not 0 where p and q are equal: subtract the entropy of p.", ""},
			{of(func(p, q float64) float64 { return nothing(p, func() float64 { return -math.Log(q) }) }),
				"that is the cross-entropy −Σ p·ln q. It is not 0 where p and q are equal: subtract the entropy of p.", ""},
			{of(func(p, q float64) float64 { return math.Log(p / q) }),
				"the logarithms are not weighed: each counts as often as p draws its token.", ""},
			{of(func(p, q float64) float64 { return p * math.Log2(p/q) }),
				"that is in bits, and a token with p = 0 makes it no number. Use math.Log, and leave such tokens out.", ""},
			{of(func(p, q float64) float64 { return nothing(p, func() float64 { return math.Log2(p / q) }) }),
				"that is in bits. Losses here are in nats: math.Log.", ""},
			{of(func(p, q float64) float64 { return math.Abs(p - q) }),
				"that is how far the probabilities are apart (L1). It says little of a token to which q gives almost nothing; the logarithm does.", ""},
			{of(func(p, q float64) float64 { return (p - q) * (p - q) }),
				"that is the squared distance. The divergence has a logarithm of the ratio.", ""},
			{func(p, q []float64) float64 {
				return of(func(p, q float64) float64 { return p * math.Log(p/q) })(p, q) / float64(len(p))
			}, "that is divided by the number of tokens. The weights p sum to 1 already: it is a mean as it is.", ""},
			{func(p, q []float64) float64 {
				return divergence(p, q) / float64(len(p))
			}, "that is divided by the number of tokens. The weights p sum to 1 already: it is a mean as it is.", ""},
			{of(func(p, q float64) float64 { return p * math.Log(p/q) }),
				"right, but for tokens with p = 0: Go's 0 * math.Log(0) is no number. A token that p never draws counts nothing.", "if p[i] > 0"},
		},
	}
	for _, c := range []struct {
		p, q  []float64
		about string
	}{
		{[]float64{0.7, 0.2, 0.05, 0.05}, []float64{0.4, 0.3, 0.2, 0.1}, ""},
		{[]float64{0.1, 0.8, 0.1}, []float64{0.1, 0.8, 0.1}, "Equal distributions do not diverge."},
		{[]float64{0, 1}, []float64{0.5, 0.5}, "A token that p never draws counts nothing."},
		{[]float64{0.5, 0.5}, []float64{0, 1}, "Where q rules out what p draws, the divergence is infinite."},
	} {
		t.trials = append(t.trials, trial[function]{fmt.Sprintf("kl(%v, %v)", c.p, c.q), func(f function) []float64 { return []float64{f(c.p, c.q)} }, c.about})
	}
	return t.judge(answer, "it is 0 only where both are equal. kl(teacher, student) is the forward divergence, kl(student, teacher) the reverse one.")
}

// Prefers judges which of two students each direction of the divergence takes for the better one: "broad", or "narrow".
func Prefers(teacher, broad, narrow []float64, forward, reverse string) Verdict {
	e := exercise{"3.4 Two students", `call kl with each student, in both orders; answer "broad" or "narrow"`}
	if forward == "" && reverse == "" {
		return e.open()
	}
	for _, answer := range []string{forward, reverse} {
		if answer == "" {
			return e.wrong("one of the two answers is still missing.")
		}
		if answer != "broad" && answer != "narrow" {
			return e.wrong("there is no student %q: there are \"broad\" and \"narrow\".", answer)
		}
	}
	numbers := func(direction string, ofBroad, ofNarrow float64) string {
		return fmt.Sprintf("the %s divergence is %.3f of the broad one, and %.3f of the narrow one", direction, ofBroad, ofNarrow)
	}
	ahead := numbers("forward", divergence(teacher, broad), divergence(teacher, narrow))
	back := numbers("reverse", divergence(broad, teacher), divergence(narrow, teacher))
	rightForward := lower("broad", divergence(teacher, broad), "narrow", divergence(teacher, narrow))
	rightReverse := lower("broad", divergence(broad, teacher), "narrow", divergence(narrow, teacher))
	switch {
	case forward == rightForward && reverse == rightReverse:
		return e.solved("%s; %s. Forward punishes a student that misses what its teacher says, reverse one that says what its teacher does not.", ahead, back)
	case forward == rightReverse && reverse == rightForward:
		return e.wrong("the directions are swapped: %s. Forward weighs by the teacher's probabilities.", ahead)
	case forward != rightForward:
		return e.wrong("%s: the lower one is better.", ahead)
	}
	return e.wrong("%s: the lower one is better.", back)
}

// divergence is KL(p ‖ q), in nats.
func divergence(p, q []float64) float64 {
	return sum(len(p), func(i int) float64 {
		if p[i] == 0 {
			return 0
		}
		return p[i] * math.Log(p[i]/q[i])
	})
}

// TokensSaved judges a function that says how many times fewer tokens a run needed than a baseline to reach the held-out loss at which
// the baseline ended; 0 where it did not reach it. The two curves are the learner's own: a right function is told what it says of them.
func TokensSaved(answer func(baseline, run []slm.Point) float64, baseline, run slm.Curve) Verdict {
	type function = func(baseline, run []slm.Point) float64
	ratio := func(reached func(run []slm.Point, target float64) float64) function {
		return func(baseline, run []slm.Point) float64 {
			return divided(float64(last(baseline).Tokens), reached(run, last(baseline).Validation))
		}
	}
	first := func(hit func(p slm.Point, target float64) bool) func([]slm.Point, float64) float64 {
		return func(run []slm.Point, target float64) float64 {
			for _, p := range run {
				if hit(p, target) {
					return float64(p.Tokens)
				}
			}
			return 0
		}
	}
	measured := func(p slm.Point, target float64) bool { return p.Validation > 0 && p.Validation <= target }
	right := ratio(first(measured))
	unmeasured := "a Validation of 0 is none: held-out text is not read after every step. Such a point is no perfect model."
	t := task[function]{
		exercise: exercise{"3.5 Tokens saved", "the target is the last Validation of the baseline; find the first point of the run with 0 < Validation <= target"},
		right:    right,
		slips: []slip[function]{
			{func(baseline, run []slm.Point) float64 { return divided(1, right(baseline, run)) },
				"that is the run's tokens over the baseline's. How many times fewer is the other way round.", ""},
			{func(baseline, run []slm.Point) float64 {
				if reached := first(measured)(run, last(baseline).Validation); reached > 0 {
					return float64(last(baseline).Tokens) - reached
				}
				return 0
			}, "that is the difference in tokens. How many times fewer is a ratio: it can be compared between budgets.", ""},
			{ratio(first(func(p slm.Point, target float64) bool { return p.Validation <= target })), unmeasured, ""},
			{ratio(first(func(p slm.Point, target float64) bool { return p.Validation >= target })),
				"that stops at the first point that is still above the target. A loss is better the lower it is: look for the first at most as high.", ""},
			{ratio(func(run []slm.Point, target float64) (reached float64) {
				for _, p := range run {
					if measured(p, target) {
						reached = float64(p.Tokens)
					}
				}
				return reached
			}), "that goes on to the last point that is as good. The run was there earlier: return as soon as one is.", ""},
			{func(baseline, run []slm.Point) float64 { return math.Floor(right(baseline, run)) },
				wholeNumbers, ""},
			{func(baseline, run []slm.Point) float64 {
				return divided(float64(last(baseline).Tokens), float64(last(run).Tokens))
			}, "that compares how long both were trained, whatever their losses. Look for the point at which the run reached the target.", ""},
			{ratio(first(func(p slm.Point, target float64) bool { return p.CE > 0 && p.CE <= target })),
				"that looks at CE, the loss on the text it trains on. What counts is Validation, on text that it has never seen.", ""},
			{func(baseline, run []slm.Point) float64 {
				for _, p := range run {
					if measured(p, last(baseline).Validation) {
						return divided(float64(last(baseline).Step), float64(p.Step))
					}
				}
				return 0
			}, "that counts steps. Runs may take more tokens in a step than others: count Tokens.", ""},
			{func(baseline, run []slm.Point) float64 {
				return divided(float64(last(baseline).Tokens), first(measured)(baseline, last(run).Validation))
			}, "that asks when the baseline reached the end of the run. Ask when the run reached the end of the baseline.", ""},
			{func(baseline, run []slm.Point) float64 {
				if saved := right(baseline, run); saved > 0 {
					return saved
				}
				return 1
			}, "a run that never reached the target did not save anything: return 0 for it.", ""},
			{func(baseline, run []slm.Point) float64 {
				if saved := right(baseline, run); saved > 0 {
					return saved
				}
				return divided(float64(last(baseline).Tokens), float64(last(run).Tokens))
			}, "a run that never reached the target did not save anything: return 0 for it.", ""},
			{func(baseline, run []slm.Point) float64 {
				if saved := right(baseline, run); saved > 0 {
					return saved
				}
				return math.Inf(1)
			}, "a run that never reached the target did not save anything: return 0 for it, not infinity, which 1/0 makes.", ""},
		},
	}
	for _, c := range []struct {
		call          string
		baseline, run []slm.Point
		about         string
	}{
		{"saved, of a run with half as many tokens in a step,", points(1000, 5.0, 0, 4.6, 0, 4.2), points(500, 4.8, 0, 4.4, 4.1, 3.9), ""},
		{"saved, of a run that reached the target twice,", points(1000, 5.0, 0, 4.6, 4.4, 4.2, 0, 4.0), points(1000, 4.6, 3.9, 4.3, 0, 3.8), "The first time counts."},
		{"saved, of a run that never reached the target,", points(1000, 5.0, 4.2, 4.0), points(1000, 4.9, 0, 4.1), "There is nothing saved: 0."},
	} {
		t.trials = append(t.trials, trial[function]{c.call, func(f function) []float64 { return []float64{f(c.baseline, c.run)} }, c.about})
	}
	return t.judge(answer, savedLesson(right, baseline, run))
}

// savedLesson is what tokens were saved by a learner's own run.
func savedLesson(saved func(baseline, run []slm.Point) float64, baseline, run slm.Curve) string {
	if times := saved(baseline.Points, run.Points); times > 0 {
		return fmt.Sprintf("%s ended at %.3f after %s tokens; %s needed %.1f times fewer.", baseline.Name, baseline.Validation(),
			slm.Thousands(last(baseline.Points).Tokens), run.Name, times)
	}
	return fmt.Sprintf("%s did not reach the %.3f of %s.", run.Name, baseline.Validation(), baseline.Name)
}

// points make a curve with a validation, or none where it is 0, after each step of so many tokens. The training loss is well below.
func points(tokens int64, validations ...float64) (made []slm.Point) {
	for i, v := range validations {
		p := slm.Point{Step: i + 1, Tokens: tokens * int64(i+1), Validation: v, CE: 4.5 - 0.2*float64(i)}
		made = append(made, p)
	}
	return made
}

// StepFLOPs judges a function of the operations of a step, from those of a student's and of a teacher's forward pass over a token, and
// the tokens of a step: a backward pass takes twice the operations of the forward one, and the teacher has none. The curve is the learner's own.
func StepFLOPs(answer func(student, teacher, tokens int64) int64, run slm.Curve) Verdict {
	type function = func(student, teacher, tokens int64) int64
	right := func(s, t, n int64) int64 { return n * (3*s + t) }
	t := task[function]{
		exercise: exercise{"3.6 FLOPs of a step", "for each token: the student forward and backward, the teacher forward only"},
		right:    right,
		slips: []slip[function]{
			{func(s, t, n int64) int64 { return n * (s + t) }, "the backward pass is missing: the student learns by it, for twice the operations of its forward pass.", ""},
			{func(s, t, n int64) int64 { return n * (2*s + t) }, "the backward pass takes twice the operations of the forward one: once for the gradient of what went in, once for that of the weights.", ""},
			{func(s, t, n int64) int64 { return n * 3 * (s + t) }, "the teacher does not learn: it has no backward pass.", ""},
			{func(s, t, n int64) int64 { return n * 3 * s }, "the teacher is missing: it reads the same tokens, forward.", ""},
			{func(s, t, n int64) int64 { return n * (3*t + s) }, "the two are swapped: it is the student that learns.", ""},
			{func(s, t, _ int64) int64 { return 3*s + t }, "that is for one token. A step has many.", ""},
			{func(s, t, n int64) int64 { return n*3*s + t }, "the teacher reads all tokens of the step, too.", ""},
			{func(s, t, n int64) int64 { return 3*s + n*t }, "that multiplies the teacher's only by the tokens: set parentheses around the sum.", ""},
			{func(s, t, n int64) int64 { return n * 3 * s * t }, "the operations of student and teacher add up; they do not multiply.", ""},
		},
	}
	for _, c := range [][3]int64{{5, 17, 1}, {4e6, 18e6, 512}} {
		t.trials = append(t.trials, trial[function]{fmt.Sprintf("stepFLOPs(%d, %d, %d)", c[0], c[1], c[2]), func(f function) []float64 {
			return []float64{float64(f(c[0], c[1], c[2]))}
		}, ""})
	}
	d := run.Distillation
	student, teacher := d.Subnet.ForwardFLOPs(run.Teacher, d.SeqLen), slm.Subnet{}.ForwardFLOPs(run.Teacher, d.SeqLen)
	return t.judge(answer, fmt.Sprintf("of your own run: %.2g with the teacher, %.1f times those of a step without it.",
		float64(right(student, teacher, int64(d.StepTokens()))), float64(3*student+teacher)/float64(3*student)))
}

// AheadAtEqualFLOPs judges which of two runs has the lower held-out loss when both have spent as many operations, or "tie" where they
// are closer than a twentieth of a nat.
func AheadAtEqualFLOPs(answer string, first, second slm.Curve) Verdict {
	e := exercise{"3.7 At equal FLOPs", "find where the shorter line of the figure ends, and look straight up or down from there"}
	if answer == "" {
		return e.open()
	}
	flops := min(first.FLOPs(), second.FLOPs())
	a, b := lossAt(first, flops), lossAt(second, flops)
	found := fmt.Sprintf("after %.2g FLOPs each, %s is at %.3f, %s at %.3f", flops, first.Name, a, second.Name, b)
	right := lower(first.Name, a, second.Name, b)
	if math.Abs(a-b) < 0.05 {
		right = "tie"
	}
	switch {
	case math.IsNaN(a) || math.IsNaN(b):
		return e.wrong("one of the runs has no held-out loss yet: train both first.")
	case answer == right && right == "tie":
		return e.solved("%s: too close to call. Per token, the run with the teacher is the better one; per operation the teacher has its price.", found)
	case answer == right:
		return e.solved("%s.", found)
	case answer == "tie":
		return e.wrong("%s: that is more than a twentieth of a nat.", found)
	case answer != first.Name && answer != second.Name:
		return e.wrong("there is no %q: answer %q, %q or \"tie\".", answer, first.Name, second.Name)
	case right == "tie":
		return e.wrong("%s: less than a twentieth of a nat, which another seed may turn round.", found)
	case answer == lower(first.Name, first.Validation(), second.Name, second.Validation()):
		return e.wrong("%s does end lower, but it has spent more: %s.", answer, found)
	}
	return e.wrong("%s: lower is better.", found)
}

// lossAt is a run's held-out loss when it had spent so many operations, on straight lines between where it was measured.
func lossAt(c slm.Curve, flops float64) float64 {
	before := slm.Point{Validation: math.NaN()}
	for _, p := range c.Points {
		if p.Validation == 0 {
			continue
		}
		at := c.Distillation.FLOPs(c.Teacher, p.Step, c.Changes)
		if at >= flops {
			from := c.Distillation.FLOPs(c.Teacher, before.Step, c.Changes)
			if at == from || math.IsNaN(before.Validation) {
				return p.Validation
			}
			return before.Validation + (p.Validation-before.Validation)*(flops-from)/(at-from)
		}
		before = p
	}
	return before.Validation
}

// KeptBytes judges how many bytes it takes to keep a teacher's likeliest tokens for so many tokens of text: for each of them a logit of
// 16 bits, and the token's number, which has 16 bits where the vocabulary has at most 65,536 tokens and 32 elsewhere.
func KeptBytes(teacher slm.Config, k, tokens, answer int64) Verdict {
	e := exercise{"3.8 Keeping the likeliest", "each of the k tokens has a logit and a number, and there are k of them for every token of the text"}
	number := int64(2)
	if teacher.Vocab > 1<<16 {
		number = 4
	}
	right := tokens * k * (2 + number)
	all := float64(tokens) * float64(teacher.Vocab)
	return e.count(answer, right, fmt.Sprintf("%s bytes. All %s logits of each token, at 16 bits, would take %.0f times as much.",
		slm.Thousands(right), slm.Thousands(int64(teacher.Vocab)), 2*all/float64(right)),
		mistake{float64(tokens * k * 2), "that keeps the logits, but not of which tokens they are.", ""},
		mistake{float64(tokens * k * number), "that keeps which tokens are likeliest, but not how likely.", ""},
		mistake{float64(k * (2 + number)), "that is for one token of the text.", ""},
		mistake{float64(tokens * (2 + number)), "that is for one likely token each. There are k.", ""},
		mistake{float64(tokens * k), "that is how many are kept. Each takes bytes.", ""},
		mistake{float64(tokens * k * (4 + number)), "that takes 32 bits a logit. Halves (float16) are enough for a distribution.", ""},
		mistake{float64(tokens * k * 8 * (2 + number)), "that is in bits. A byte has 8.", ""},
		mistake{2 * all, "that keeps the whole vocabulary, without need: almost all of the probability is with the likeliest.", ""},
		mistake{4 * all, "that keeps the whole vocabulary, without need: almost all of the probability is with the likeliest.", ""},
		mistake{float64(right) / 1e3, "that is in kilobytes; the answer is to be in bytes.", ""},
		mistake{float64(right) / 1024, "that is in kibibytes; the answer is to be in bytes.", ""})
}

func sum(n int, term func(i int) float64) (total float64) {
	for i := range n {
		total += term(i)
	}
	return total
}

func mapped(numbers []float64, f func(float64) float64) []float64 {
	made := make([]float64, len(numbers))
	for i, x := range numbers {
		made[i] = f(x)
	}
	return made
}

// softmaxOf is each number, less an offset, put through a function, and divided by the sum.
func softmaxOf(numbers []float64, f func(float64) float64, offset float64) []float64 {
	made := mapped(numbers, func(x float64) float64 { return f(x - offset) })
	total := sum(len(made), func(i int) float64 { return made[i] })
	return mapped(made, func(x float64) float64 { return x / total })
}

// lower is the name with the lower number.
func lower(first string, a float64, second string, b float64) string {
	if a <= b {
		return first
	}
	return second
}

// divided is a/b; 0 for a b of 0.
func divided(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func last(points []slm.Point) slm.Point {
	if len(points) == 0 {
		return slm.Point{}
	}
	return points[len(points)-1]
}
