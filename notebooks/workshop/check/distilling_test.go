package check

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

func TestCrossEntropy(t *testing.T) {
	total := func(ps []float64, f func(p float64) float64) (sum float64) {
		for _, p := range ps {
			sum += f(p)
		}
		return sum
	}
	nats := func(ps []float64) float64 { return -total(ps, math.Log) / float64(len(ps)) }
	for _, s := range []said{
		{"none", CrossEntropy(func([]float64) float64 { return 0 }), Open, "not answered"},
		{"right", CrossEntropy(nats), Solved, "0.693"},
		{"sum", CrossEntropy(func(ps []float64) float64 { return -total(ps, math.Log) }), Wrong, "that is the sum"},
		{"sign", CrossEntropy(func(ps []float64) float64 { return -nats(ps) }), Wrong, "sign"},
		{"bits", CrossEntropy(func(ps []float64) float64 { return nats(ps) / math.Ln2 }), Wrong, "in bits"},
		{"logarithm of the mean", CrossEntropy(func(ps []float64) float64 {
			return -math.Log(total(ps, func(p float64) float64 { return p }) / float64(len(ps)))
		}), Wrong, "logarithm of the mean"},
		{"perplexity", CrossEntropy(func(ps []float64) float64 { return math.Exp(nats(ps)) }), Wrong, "perplexity"},
		{"mean probability", CrossEntropy(func(ps []float64) float64 {
			return total(ps, func(p float64) float64 { return p }) / float64(len(ps))
		}), Wrong, "mean probability"},
		{"entropy", CrossEntropy(func(ps []float64) float64 {
			return total(ps, func(p float64) float64 { return -p * math.Log(p) })
		}), Wrong, "formula of the entropy"},
		{"entropy, mean", CrossEntropy(func(ps []float64) (mean float64) {
			for _, p := range ps {
				mean -= p * math.Log(p) / float64(len(ps))
			}
			return mean
		}), Wrong, "formula of the entropy"},
		{"senseless", CrossEntropy(func([]float64) float64 { return 42 }), Wrong, "gives 42, and should give 0.6931"},
		{"a panic", CrossEntropy(func(ps []float64) float64 { return ps[len(ps)] }), Wrong, "crossEntropy([0.5]) panicked: runtime error: index out of range"},
	} {
		s.run(t)
	}
}

func TestSoftmax(t *testing.T) {
	normal := func(z []float64) []float64 {
		total := 0.0
		for _, x := range z {
			total += x
		}
		out := make([]float64, len(z))
		for i, x := range z {
			out[i] = x / total
		}
		return out
	}
	each := func(z []float64, f func(x float64) float64) []float64 {
		out := make([]float64, len(z))
		for i, x := range z {
			out[i] = f(x)
		}
		return out
	}
	most := func(z []float64) float64 {
		m := z[0]
		for _, x := range z {
			m = max(m, x)
		}
		return m
	}
	right := func(z []float64, temperature float64) []float64 {
		return normal(each(z, func(x float64) float64 { return math.Exp((x - most(z)) / temperature) }))
	}
	for _, s := range []said{
		{"none", Softmax(func([]float64, float64) []float64 { return nil }), Open, "not answered"},
		{"zeros", Softmax(func(z []float64, _ float64) []float64 { return make([]float64, len(z)) }), Open, "not answered"},
		{"right", Softmax(right), Solved, "sum to 1"},
		{"no temperature", Softmax(func(z []float64, _ float64) []float64 { return right(z, 1) }), Wrong, "changes nothing"},
		{"no temperature, overflowing", Softmax(func(z []float64, _ float64) []float64 { return normal(each(z, math.Exp)) }), Wrong, "changes nothing"},
		{"largest from 0 on", Softmax(func(z []float64, temperature float64) []float64 {
			largest := max(0, slices.Max(z))
			return normal(each(z, func(x float64) float64 { return math.Exp((x - largest) / temperature) }))
		}), Wrong, "[-1000 -999]"},
		{"multiplied", Softmax(func(z []float64, temperature float64) []float64 { return right(z, 1/temperature) }), Wrong, "multiplied"},
		{"multiplied, overflowing", Softmax(func(z []float64, temperature float64) []float64 {
			return normal(each(z, func(x float64) float64 { return math.Exp(x * temperature) }))
		}), Wrong, "multiplied"},
		{"no sum", Softmax(func(z []float64, temperature float64) []float64 {
			return each(z, func(x float64) float64 { return math.Exp(x / temperature) })
		}), Wrong, "do not sum to 1"},
		{"probabilities divided", Softmax(func(z []float64, temperature float64) []float64 {
			return each(right(z, 1), func(p float64) float64 { return p / temperature })
		}), Wrong, "probabilities are divided"},
		{"probabilities divided, overflowing", Softmax(func(z []float64, temperature float64) []float64 {
			return each(normal(each(z, math.Exp)), func(p float64) float64 { return p / temperature })
		}), Wrong, "probabilities are divided"},
		{"no exponential", Softmax(func(z []float64, _ float64) []float64 { return normal(z) }), Wrong, "divides the logits by their sum"},
		{"overflowing", Softmax(func(z []float64, temperature float64) []float64 {
			return normal(each(z, func(x float64) float64 { return math.Exp(x / temperature) }))
		}), Wrong, "math.Exp(1000) is infinite"},
		{"in place", Softmax(func(z []float64, temperature float64) []float64 {
			copy(z, right(z, temperature))
			return z
		}), Wrong, "writes into its argument"},
		{"too short", Softmax(func(z []float64, temperature float64) []float64 { return right(z, temperature)[1:] }), Wrong, "gives [0.2369 0.08714 0.03206]"},
		{"a panic", Softmax(func(z []float64, _ float64) []float64 { var out []float64; out[0] = 1; return out }), Wrong, "panicked"},
	} {
		s.run(t)
	}
}

func TestKL(t *testing.T) {
	of := func(term func(p, q float64) float64) func(p, q []float64) float64 {
		return func(p, q []float64) (sum float64) {
			for i := range p {
				sum += term(p[i], q[i])
			}
			return sum
		}
	}
	weighed := func(w float64, value func() float64) float64 {
		if w == 0 {
			return 0
		}
		return w * value()
	}
	right := func(p, q float64) float64 { return weighed(p, func() float64 { return math.Log(p / q) }) }
	for _, s := range []said{
		{"none", KL(func(p, q []float64) float64 { return 0 }), Open, "not answered"},
		{"right", KL(of(right)), Solved, "0 only where both are equal"},
		{"swapped", KL(of(func(p, q float64) float64 { return right(q, p) })), Wrong, "swapped"},
		{"swapped, with 0·ln 0", KL(of(func(p, q float64) float64 { return q * math.Log(q/p) })), Wrong, "swapped"},
		{"negative", KL(of(func(p, q float64) float64 { return -right(p, q) })), Wrong, "upside down"},
		{"negative, with 0·ln 0", KL(of(func(p, q float64) float64 { return p * math.Log(q/p) })), Wrong, "upside down"},
		{"cross-entropy", KL(of(func(p, q float64) float64 { return -p * math.Log(q) })), Wrong, "cross-entropy"},
		{"cross-entropy without 0·ln 0", KL(of(func(p, q float64) float64 { return weighed(p, func() float64 { return -math.Log(q) }) })), Wrong, "cross-entropy"},
		{"unweighed", KL(of(func(p, q float64) float64 { return math.Log(p / q) })), Wrong, "not weighed"},
		{"bits", KL(of(func(p, q float64) float64 { return right(p, q) / math.Ln2 })), Wrong, "in bits"},
		{"bits, with 0·ln 0", KL(of(func(p, q float64) float64 { return p * math.Log2(p/q) })), Wrong, "in bits"},
		{"L1", KL(of(func(p, q float64) float64 { return math.Abs(p - q) })), Wrong, "L1"},
		{"squares", KL(of(func(p, q float64) float64 { return (p - q) * (p - q) })), Wrong, "squared"},
		{"a mean", KL(func(p, q []float64) float64 { return of(right)(p, q) / float64(len(p)) }), Wrong, "divided by the number"},
		{"a mean, with 0·ln 0", KL(func(p, q []float64) float64 {
			return of(func(p, q float64) float64 { return p * math.Log(p/q) })(p, q) / float64(len(p))
		}), Wrong, "divided by the number"},
		{"with 0·ln 0", KL(of(func(p, q float64) float64 { return p * math.Log(p/q) })), Wrong, "0 * math.Log(0)"},
		{"finite where q is 0", KL(of(func(p, q float64) float64 {
			if q == 0 {
				return 0
			}
			return right(p, q)
		})), Wrong, "should give +Inf. Where q rules out"},
		{"symmetric", KL(of(func(p, q float64) float64 { return (right(p, q) + right(q, p)) / 2 })), Wrong, "kl([0.7 0.2 0.05 0.05], [0.4 0.3 0.2 0.1]) gives"},
	} {
		s.run(t)
	}
}

func TestPrefers(t *testing.T) {
	teacher, broad, narrow := []float64{0.5, 0.5, 0, 0}, []float64{0.3, 0.3, 0.2, 0.2}, []float64{0.96, 0.04, 0, 0}
	ask := func(forward, reverse string) Verdict { return Prefers(teacher, broad, narrow, forward, reverse) }
	for _, s := range []said{
		{"none", ask("", ""), Open, "not answered"},
		{"half", ask("broad", ""), Wrong, "still missing"},
		{"senseless", ask("broad", "both"), Wrong, `no student "both"`},
		{"right", ask("broad", "narrow"), Solved, "0.511 of the broad one"},
		{"swapped", ask("narrow", "broad"), Wrong, "directions are swapped"},
		{"narrow twice", ask("narrow", "narrow"), Wrong, "the forward divergence is 0.511"},
		{"broad twice", ask("broad", "broad"), Wrong, "the reverse divergence is +Inf"},
	} {
		s.run(t)
	}
}

// trained is a run of a small student that validated after every step.
func trained(name string, loss slm.Loss, validations ...float64) slm.Curve {
	d := slm.Distillation{Subnet: slm.Subnet{Embd: slm.First(10)}, Loss: loss, Batch: 2, SeqLen: 8}.WithDefaults()
	c := slm.Curve{Name: name, Teacher: small, Distillation: d, Points: []slm.Point{{Validation: 6}}}
	return slm.Curve{Name: c.Name, Teacher: c.Teacher, Distillation: d, Points: append(c.Points, points(int64(d.StepTokens()), validations...)...)}
}

func TestTokensSaved(t *testing.T) {
	baseline, run := trained("subnet", slm.CE(1), 5, 4.5, 4, 3.8), trained("distilled", slm.ForwardKL(1), 4.4, 3.8, 3.6, 3.5)
	judge := func(f func(baseline, run []slm.Point) float64) Verdict { return TokensSaved(f, baseline, run) }
	end := func(points []slm.Point) slm.Point { return points[len(points)-1] }
	reach := func(run []slm.Point, hit func(p slm.Point) bool, otherwise slm.Point) slm.Point {
		for _, p := range run {
			if hit(p) {
				return p
			}
		}
		return otherwise
	}
	never := slm.Point{Tokens: math.MaxInt64}
	right := func(b, r []slm.Point) float64 {
		p := reach(r, func(p slm.Point) bool { return p.Validation > 0 && p.Validation <= end(b).Validation }, never)
		if p.Tokens == never.Tokens {
			return 0
		}
		return float64(end(b).Tokens) / float64(p.Tokens)
	}
	instead := func(other func(b, r []slm.Point) float64) func(b, r []slm.Point) float64 {
		return func(b, r []slm.Point) float64 {
			if saved := right(b, r); saved > 0 {
				return saved
			}
			return other(b, r)
		}
	}
	for _, s := range []said{
		{"none", judge(func(b, r []slm.Point) float64 { return 0 }), Open, "not answered"},
		{"right", judge(right), Solved, "subnet ended at 3.800 after 64 tokens; distilled needed 2.0 times fewer"},
		{"right, of a run that is too short", TokensSaved(right, run, baseline), Solved, "subnet did not reach the 3.500 of distilled"},
		{"upside down", judge(func(b, r []slm.Point) float64 {
			if saved := right(b, r); saved > 0 {
				return 1 / saved
			}
			return 0
		}), Wrong, "the other way round"},
		{"a difference", judge(func(b, r []slm.Point) float64 {
			if saved := right(b, r); saved > 0 {
				return float64(end(b).Tokens) - float64(end(b).Tokens)/saved
			}
			return 0
		}), Wrong, "the difference in tokens"},
		{"above the target", judge(func(b, r []slm.Point) float64 {
			p := reach(r, func(p slm.Point) bool { return p.Validation >= end(b).Validation }, never)
			return float64(end(b).Tokens) / float64(p.Tokens)
		}), Wrong, "still above"},
		{"the last time", judge(func(b, r []slm.Point) (saved float64) {
			for _, p := range r {
				if p.Validation > 0 && p.Validation <= end(b).Validation {
					saved = float64(end(b).Tokens) / float64(p.Tokens)
				}
			}
			return saved
		}), Wrong, "return as soon as"},
		{"whole numbers", judge(func(b, r []slm.Point) float64 { return float64(int(right(b, r))) }), Wrong, "whole number"},
		{"validations of 0", judge(func(b, r []slm.Point) float64 {
			p := reach(r, func(p slm.Point) bool { return p.Validation <= end(b).Validation }, slm.Point{})
			if p.Tokens == 0 {
				return 0
			}
			return float64(end(b).Tokens) / float64(p.Tokens)
		}), Wrong, "a Validation of 0 is none"},
		{"lengths", judge(func(b, r []slm.Point) float64 { return float64(end(b).Tokens) / float64(end(r).Tokens) }), Wrong, "how long both were trained"},
		{"training loss", judge(func(b, r []slm.Point) float64 {
			p := reach(r, func(p slm.Point) bool { return p.CE <= end(b).Validation }, slm.Point{})
			if p.Tokens == 0 {
				return 0
			}
			return float64(end(b).Tokens) / float64(p.Tokens)
		}), Wrong, "that looks at CE"},
		{"steps", judge(func(b, r []slm.Point) float64 {
			p := reach(r, func(p slm.Point) bool { return p.Validation > 0 && p.Validation <= end(b).Validation }, slm.Point{})
			if p.Step == 0 {
				return 0
			}
			return float64(end(b).Step) / float64(p.Step)
		}), Wrong, "counts steps"},
		{"the other's target", judge(func(b, r []slm.Point) float64 {
			p := reach(b, func(p slm.Point) bool { return p.Validation > 0 && p.Validation <= end(r).Validation }, slm.Point{})
			if p.Tokens == 0 {
				return 0
			}
			return float64(end(b).Tokens) / float64(p.Tokens)
		}), Wrong, "when the baseline reached"},
		{"1 for never", judge(instead(func(b, r []slm.Point) float64 { return 1 })), Wrong, "return 0 for it"},
		{"lengths for never", judge(instead(func(b, r []slm.Point) float64 { return float64(end(b).Tokens) / float64(end(r).Tokens) })), Wrong, "return 0 for it"},
		{"infinite for never", judge(instead(func(b, r []slm.Point) float64 { return math.Inf(1) })), Wrong, "not infinity"},
		{"the last time", judge(func(b, r []slm.Point) float64 {
			var reached int64
			for i := len(r) - 1; i >= 0 && (r[i].Validation == 0 || r[i].Validation <= end(b).Validation); i-- {
				if r[i].Validation > 0 {
					reached = r[i].Tokens
				}
			}
			if reached == 0 {
				return 0
			}
			return float64(end(b).Tokens) / float64(reached)
		}), Wrong, "The first time counts."},
		{"a panic", judge(func(b, r []slm.Point) float64 { return float64(b[len(b)].Tokens) }), Wrong, "panicked"},
		{"without curves", TokensSaved(right, slm.Curve{Name: "a"}, slm.Curve{Name: "b"}), Solved, "b did not reach"},
	} {
		s.run(t)
	}
}

func TestStepFLOPs(t *testing.T) {
	run := trained("distilled", slm.ForwardKL(1), 4)
	judge := func(f func(s, t, n int64) int64) Verdict { return StepFLOPs(f, run) }
	for _, s := range []said{
		{"none", judge(func(s, t, n int64) int64 { return 0 }), Open, "not answered"},
		{"right", judge(func(s, t, n int64) int64 { return n*s + 2*n*s + n*t }), Solved, "times those of a step without it"},
		{"no backward pass", judge(func(s, t, n int64) int64 { return n * (s + t) }), Wrong, "backward pass is missing"},
		{"backward like forward", judge(func(s, t, n int64) int64 { return n * (2*s + t) }), Wrong, "twice the operations"},
		{"a teacher that learns", judge(func(s, t, n int64) int64 { return n * 3 * (s + t) }), Wrong, "does not learn"},
		{"no teacher", judge(func(s, t, n int64) int64 { return n * 3 * s }), Wrong, "teacher is missing"},
		{"swapped", judge(func(s, t, n int64) int64 { return n * (3*t + s) }), Wrong, "swapped"},
		{"one token", judge(func(s, t, n int64) int64 { return 3*s + t }), Wrong, "for one token"},
		{"the teacher once", judge(func(s, t, n int64) int64 { return 3*n*s + t }), Wrong, "all tokens"},
		{"no parentheses", judge(func(s, t, n int64) int64 { return 3*s + t*n }), Wrong, "parentheses"},
		{"a product", judge(func(s, t, n int64) int64 { return 3 * n * s * t }), Wrong, "do not multiply"},
		{"senseless", judge(func(s, t, n int64) int64 { return 7 }), Wrong, "stepFLOPs(5, 17, 1) gives 7, and should give 32"},
	} {
		s.run(t)
	}
	d := run.Distillation
	want := fmt.Sprintf("%.1f times", float64(d.StepFLOPs(small))/float64(3*d.Subnet.ForwardFLOPs(small, d.SeqLen)*int64(d.StepTokens())))
	said{"as slm counts", judge(func(s, t, n int64) int64 { return n * (3*s + t) }), Solved, want}.run(t)
}

func TestAheadAtEqualFLOPs(t *testing.T) {
	cheap := trained("subnet", slm.CE(1), 5, 4.5, 4, 3.8)
	dear := trained("distilled", slm.ForwardKL(1), 4.9, 4.2, 3.6, 3.5)
	alike := trained("distilled", slm.ForwardKL(1), 3.79, 3.79, 3.79, 3.79)
	for _, s := range []said{
		{"none", AheadAtEqualFLOPs("", cheap, dear), Open, "not answered"},
		{"right", AheadAtEqualFLOPs("subnet", cheap, dear), Solved, "each, subnet is at 3.800"},
		{"the lower end", AheadAtEqualFLOPs("distilled", cheap, dear), Wrong, "but it has spent more"},
		{"a tie that is none", AheadAtEqualFLOPs("tie", cheap, dear), Wrong, "more than a twentieth"},
		{"senseless", AheadAtEqualFLOPs("yes", cheap, dear), Wrong, `there is no "yes"`},
		{"a tie", AheadAtEqualFLOPs("tie", cheap, alike), Solved, "too close to call"},
		{"no tie", AheadAtEqualFLOPs("distilled", cheap, alike), Wrong, "another seed may turn round"},
		{"the other order", AheadAtEqualFLOPs("distilled", trained("distilled", slm.CE(1), 3, 2), trained("subnet", slm.CE(1), 4, 3)), Solved, "distilled is at 2.000"},
		{"plainly wrong", AheadAtEqualFLOPs("subnet", trained("distilled", slm.CE(1), 3, 2), trained("subnet", slm.CE(1), 4, 3)), Wrong, "lower is better"},
		{"untrained", AheadAtEqualFLOPs("subnet", slm.Curve{Name: "subnet"}, dear), Wrong, "train both first"},
	} {
		s.run(t)
	}
}

func TestLossAt(t *testing.T) {
	c := trained("subnet", slm.CE(1), 5, 0, 4)
	step := c.FLOPs() / 3
	for _, at := range []struct{ flops, want float64 }{{0, 6}, {step / 2, 5.5}, {step, 5}, {2 * step, 4.5}, {3 * step, 4}, {5 * step, 4}} {
		if got := lossAt(c, at.flops); math.Abs(got-at.want) > 1e-9 {
			t.Errorf("after %.3g steps: %g, want %g", at.flops/step, got, at.want)
		}
	}
}

func TestKeptBytes(t *testing.T) {
	large := small
	large.Vocab = 100_000
	ask := func(n int64) Verdict { return KeptBytes(small, 20, 1000, n) }
	for _, s := range []said{
		{"none", ask(0), Open, "not answered"},
		{"right", ask(80_000), Solved, "would take 12 times as much"},
		{"right of a large vocabulary", KeptBytes(large, 20, 1000, 120_000), Solved, "120,000 bytes"},
		{"no numbers of tokens, or no logits", ask(40_000), Wrong, "not of which tokens"},
		{"no logits of a large vocabulary", KeptBytes(large, 20, 1000, 80_000), Wrong, "not how likely"},
		{"one token", ask(80), Wrong, "one token of the text"},
		{"k forgotten", ask(4000), Wrong, "There are k"},
		{"a count", ask(20_000), Wrong, "Each takes bytes"},
		{"32 bits", ask(120_000), Wrong, "32 bits a logit"},
		{"bits", ask(640_000), Wrong, "A byte has 8"},
		{"all, halves", ask(1_000_000), Wrong, "whole vocabulary"},
		{"all", ask(2_000_000), Wrong, "whole vocabulary"},
		{"kilobytes", KeptBytes(small, 20, 1_000_000, 80_000), Wrong, "in kilobytes"},
		{"kibibytes", KeptBytes(small, 20, 1_000_000, 78_125), Wrong, "in kibibytes"},
		{"senseless", ask(12), Wrong, "too few"},
		{"negative", ask(-1), Wrong, "negative"},
	} {
		s.run(t)
	}
}
