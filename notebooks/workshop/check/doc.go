// Package check judges the answers to the workshop's exercises.
//
// An exercise is a variable or a small function in a notebook's cell, which a learner fills in; the cell ends by asking what that
// is worth:
//
//	var heads int = 0 // your answer
//
//	%%
//	check.Heads(lab.Teacher("sprout-8m").Config, heads).Show()
//
// Each exercise has one function, which computes the right answer from what the cell gives it (an architecture, a measurement, a
// search's population), never from a number written down here, and returns a [Verdict]: the exercise is open, solved, or the answer
// is wrong, and why, as far as it is one of the mistakes that people make. Functions are pure; [Verdict.Show] alone puts something
// below the cell.
//
// The files: what a verdict is (verdict.go) and how it is shown (show.go), numbers that are compared with the right one and with
// usual mistakes (number.go), learners' functions that may panic or not return (call.go) and are compared with the right one and with those that people write
// by mistake (function.go), and a file for each session of the
// workshop: parts.go, searching.go, distilling.go, project.go.
package check
