// Package resident is the host: the process that stays while notebook cells come and go.
//
// It owns the accelerator and what is heavy, and serves all labs of one OFFSHOOT_HOME by name, over a NATS server of its
// own that listens on loopback only and wants the token of host.json. The story, file by file:
//
//   - One process holds the lock of a home; it starts, heals its host file, and ends after idle hours, on request,
//     or when its home was removed, at a step boundary (main.go, lock.go).
//   - Verbs arrive as NATS requests (server.go, verbs.go). What takes time becomes a job, which reports by events, stops
//     at a step boundary when it is cancelled or when nobody listens any more, and waits for its turn on the accelerator
//     (job.go, queue.go).
//   - The jobs load teachers (teachers.go), evaluate candidates (searches.go) and layers (layerdrop.go), and train students (runs.go) until an
//     increment's end (goal.go), through the interfaces of engine.go: the tensor library is behind them, so that all this is
//     tested without one. Runs keep a few checkpoints (kept.go), to undo to and to branch at (branches.go).
//     Teachers and students are written for other programs (exports.go), and measured on texts (evaluations.go) and, by lm-eval,
//     in tasks (tasks.go).
//   - Whatever is finished is a committed row in the lab's lab.db, or a checkpoint that replaced the last one in one go
//     (store.go, lab.go): killing the host loses no evaluation, and at most the steps since the last checkpoint.
package resident
