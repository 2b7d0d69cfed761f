package check

import (
	"math"

	"github.com/offshoot-ml/offshoot/slm"
)

// mistake is a wrong number that people give, and why it is one.
type mistake struct {
	number float64
	why    string
	hint   string // instead of the exercise's
}

// count judges a whole number: 0 stands for no answer yet. What is neither right nor a known mistake is told by how much it is off. The
// lesson is what a right answer shows.
func (e exercise) count(answer, right int64, lesson string, mistakes ...mistake) Verdict {
	switch {
	case answer == 0 && right != 0:
		return e.open()
	case answer == right:
		return e.solved("%s", lesson)
	case answer < 0:
		return e.wrong("%s is negative, and a count is not.", slm.Thousands(answer))
	}
	for _, m := range mistakes {
		if answer == int64(math.Round(m.number)) {
			return e.mistaken(m)
		}
	}
	if answer > right {
		return e.wrong("%s is too many, by %s.", slm.Thousands(answer), slm.Thousands(answer-right))
	}
	return e.wrong("%s is too few, by %s.", slm.Thousands(answer), slm.Thousands(right-answer))
}

// measure judges a number that is right within a share of itself, such as 0.01: 0 stands for no answer yet.
func (e exercise) measure(answer, right, within float64, lesson string, mistakes ...mistake) Verdict {
	near := func(a, b float64) bool { return math.Abs(a-b) <= within*math.Abs(b) }
	switch {
	case math.IsNaN(answer) || math.IsInf(answer, 0):
		return e.wrong("%g is no number to compare: something was divided by 0, or the logarithm of 0 was taken.", answer)
	case answer == 0 && !near(0, right):
		return e.open()
	case near(answer, right):
		return e.solved("%s", lesson)
	}
	for _, m := range mistakes {
		if near(answer, m.number) {
			return e.mistaken(m)
		}
	}
	if answer > right {
		return e.wrong("%.4g is too much.", answer)
	}
	return e.wrong("%.4g is too little.", answer)
}

func (e exercise) mistaken(m mistake) Verdict {
	v := e.wrong("%s", m.why)
	if m.hint != "" {
		v = v.hinting("%s", m.hint)
	}
	return v
}
