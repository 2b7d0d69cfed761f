package check

import "fmt"

// Outcome is how far an exercise has come.
type Outcome int

// The outcomes.
const (
	Open   Outcome = iota // there is no answer yet
	Wrong                 // there is one, and it is wrong
	Solved                // it is right
)

// Verdict is what a check says of an answer.
type Verdict struct {
	Exercise string // its number and name, such as "1.2 Attention in one layer"
	Outcome  Outcome
	Says     string // what the answer is worth, and why
	Hint     string // what to try next; empty of a solved exercise
}

// String is the verdict as text: a line of what the check says, and one with a hint.
func (v Verdict) String() string {
	text := fmt.Sprintf("%s %s: %s", v.mark().sign, v.Exercise, v.Says)
	if v.Hint != "" {
		text += "\n  " + hintLabel + v.Hint
	}
	return text
}

const hintLabel = "Hint: "

// exercise is the name of an exercise, and the hint for an answer of which nothing more special is to be said.
type exercise struct{ name, hint string }

// open says that there is no answer yet.
func (e exercise) open() Verdict {
	return Verdict{e.name, Open, "not answered yet. Fill in your answer above and run the cell again.", e.hint}
}

// wrong says what is wrong with an answer, and why.
func (e exercise) wrong(format string, args ...any) Verdict {
	return Verdict{e.name, Wrong, fmt.Sprintf(format, args...), e.hint}
}

// solved says what a right answer shows.
func (e exercise) solved(format string, args ...any) Verdict {
	return Verdict{e.name, Solved, fmt.Sprintf(format, args...), ""}
}

// hinting is the verdict with another hint.
func (v Verdict) hinting(format string, args ...any) Verdict {
	v.Hint = fmt.Sprintf(format, args...)
	return v
}
