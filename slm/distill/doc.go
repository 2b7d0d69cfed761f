// Package distill pretrains a student, step by step, alone or listening to its teacher.
//
// A [Trainer] is made for increments: it holds the student, the optimizer's state and the compiled step, so that the
// next call of [Trainer.Step] continues where the last one stopped, without a reload or a compilation. Everything that
// the next step depends on can be saved to a file and loaded again (state.go): weights, moments, the step and the
// position in the data. A trainer that loads a checkpoint takes the very steps that the saved one would have taken.
//
// The losses are in loss.go: cross-entropy, and the forward Kullback-Leibler divergence from the teacher's
// next-token distribution, which the teacher computes on the same device just before each step.
package distill
