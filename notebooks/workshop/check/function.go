package check

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// task is an exercise whose answer is a function of type F. The answer is called in a few trials, and so are a right function and those
// that people write by mistake: an answer that gives what one of these gives is told why it is wrong. Everything else is told the
// first trial in which it goes astray.
type task[F any] struct {
	exercise
	right  F
	trials []trial[F]
	slips  []slip[F]
}

// trial calls a function, and gives the numbers that it returned.
type trial[F any] struct {
	call  string // as it is written, such as "softmax([2 1 0], 2)"
	run   func(f F) []float64
	about string // what it tries that others do not: a sentence; it may be empty
}

// slip is a function that people write by mistake.
type slip[F any] struct {
	wrong F
	why   string
	hint  string // instead of the exercise's
}

// judge judges an answer. The lesson is what a right one shows.
func (t task[F]) judge(answer F, lesson string) Verdict {
	got, trouble := t.results(answer)
	if trouble != "" {
		return t.wrong("%s", trouble)
	}
	right, _ := t.results(t.right)
	if agree(got, right) {
		return t.solved("%s", lesson)
	}
	if !slices.ContainsFunc(got, func(numbers []float64) bool {
		return slices.ContainsFunc(numbers, func(x float64) bool { return x != 0 })
	}) {
		return t.open()
	}
	for _, s := range t.slips {
		if given, _ := t.results(s.wrong); agree(got, given) {
			return t.mistaken(mistake{why: s.why, hint: s.hint})
		}
	}
	for i, trial := range t.trials {
		if !same(got[i], right[i]) {
			v := t.wrong("%s gives %s, and should give %s.", trial.call, written(got[i]), written(right[i]))
			if trial.about != "" {
				v.Says += " " + trial.about
			}
			return v
		}
	}
	panic("unreachable: results that agree in every trial agree")
}

// results calls a function in each trial; the trouble is a sentence about a call that returned nothing.
func (t task[F]) results(f F) (results [][]float64, trouble string) {
	for _, trial := range t.trials {
		numbers, trouble := call(func() []float64 { return trial.run(f) })
		if trouble != "" {
			return nil, fmt.Sprintf("%s %s", trial.call, trouble)
		}
		results = append(results, numbers)
	}
	return results, ""
}

// wholeNumbers is why a formula that is right on paper is wrong in Go.
const wholeNumbers = "Go divides whole numbers to a whole number: make both float64 before they are divided."

// closeness is how far a learner's numbers may be off: they are not asked to round alike.
const closeness = 1e-6

func agree(a, b [][]float64) bool { return slices.EqualFunc(a, b, same) }

// same compares numbers up to rounding; none equals none, and an infinite one itself.
func same(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool {
		if x == y || math.IsNaN(x) && math.IsNaN(y) {
			return true
		}
		return !math.IsInf(x, 0) && !math.IsInf(y, 0) && math.Abs(x-y) <= closeness*max(1, math.Abs(y))
	})
}

// written are numbers as Go prints a slice, short; a single one without brackets.
func written(numbers []float64) string {
	texts := make([]string, len(numbers))
	for i, x := range numbers {
		texts[i] = fmt.Sprintf("%.4g", x)
	}
	if len(texts) == 1 {
		return texts[0]
	}
	return "[" + strings.Join(texts, " ") + "]"
}
