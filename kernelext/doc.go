// Package kernelext is what a notebook cell imports to work in an Offshoot lab.
//
// GoNB compiles and runs every cell as a process of its own, so nothing in memory survives a cell. What is heavy and
// must stay, a loaded teacher, compiled programs, an optimizer's state, lives in a host: one process for each machine
// and OFFSHOOT_HOME, which owns the accelerator and serves every lab by name. This package is its thin client:
//
//	var lab = kernelext.Open("quickstart")
//
//	lab.Teacher("smollm2-135m").Show()
//	found := lab.Search("30M", slm.Search{Bin: slm.Around(30e6, 0.05)})
//	run := lab.Distill("from-30M", slm.Distillation{Subnet: found.Best().Subnet})
//	run.Steps(20)
//	run.Perplexity(slm.Data{})
//	run.Export("student")
//
// [Open] starts the host the first time and attaches to it in milliseconds from then on, also after the kernel, the
// browser or the host itself was restarted. Everything in a lab has a name, and naming it again continues it: a finished
// search comes back at once, a run goes on from its last step. Interrupting a cell stops the work at the next step
// boundary and keeps what was done.
//
// There are two levels. [Lab] is for cells: its methods show live progress, and a failure ends the cell with a message
// in plain words. [Client] is for programs: every method takes a context and returns an error.
//
// The files, in the order of the story: the words that client and host speak (protocol.go), where things lie (home.go),
// how a host is found, started and replaced (hostfile.go, start.go, connect.go), how a long piece of work is followed
// and interrupted (work.go), the calls of a program (client.go), those of a cell (lab.go, teacher.go, found.go, study.go, run.go,
// export.go, evaluate.go, tasks.go, and for a text token by token reading.go), searches that a cell judges by itself (told.go)
// or watches (audience.go), what a reader does while a cell runs (controls.go, steering.go, dashboard.go), and what a cell shows
// (card.go, markup.go, progress.go, sparkline.go, display.go).
package kernelext
