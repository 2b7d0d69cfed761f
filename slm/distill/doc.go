// Package distill pretrains a student, step by step, alone or listening to its teacher.
//
// A [Trainer] is made for increments: it holds the student, the optimizer's state and the compiled step, so that the
// next call of [Trainer.Step] continues where the last one stopped, without a reload or a compilation (trainer.go).
// Learning rates, weights and temperatures are inputs of the compiled step: [Trainer.Follow] changes them between steps.
// Everything that the next step depends on can be saved to a file and loaded again (state.go): weights, moments, the
// step and the position in the data. A trainer that loads a checkpoint takes the very steps that the saved one would
// have taken.
//
// The losses are in loss.go: cross-entropy, and the divergences of the student from its teacher that [slm.Divergence] lists; the
// projection through which hidden states are compared is in hidden.go. The teacher is asked just before each step, on the same
// device; or its likeliest tokens come from a file of [Logits] that is computed once, for any number of runs on the same batches
// (logits.go, teach.go), and that need no teacher in memory (ondemand.go).
//
// [Trainer.Spread] lets several of the accelerator's devices share every step, data parallel (devices.go): the steps stay the same.
package distill
