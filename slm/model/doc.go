// Package model turns the values of package slm into a running transformer: a GoMLX graph, and weights on a device.
//
// The graph is transformer.go, one for all families: a handful of functions from nodes to nodes, with shapes in the
// comments. Which weights a layer has, and along which axes a sub-network shortens them, says the table in slm/weights.go.
// Two things are built from it:
//
//   - A [Teacher] holds all weights on the device, layer by layer (teacher.go), and evaluates any of its sub-networks in
//     place (view.go, evaluate.go): compiled programs for the padded shapes of an attention and of a feed-forward network
//     (programs.go) are called once for each kept layer, and gather inside them what the sub-network keeps (selection.go);
//     the loss is taken over the vocabulary piece by piece (losses.go). So neither a candidate nor a cell costs a
//     compilation. Which sizes a search's programs have, a plan says (plan.go); it weighs padding (planwork.go) against
//     compiling (planner.go), and is compiled before the search begins (prepare.go). In training it
//     also gives its logits and hidden states, and can read document by document (read.go).
//   - A [Student] is a dense model with exactly the sub-network's sizes, its weights extracted from the teacher or drawn
//     at random (student.go, extract.go). It is what package slm/distill trains.
//
// The teacher also tells how much its units matter, an [slm.Importance]: by their weights (importance.go), by what they do on
// a text, which an observer of the graph sums up on the device (activations.go), and for layers by how far they turn what
// they read or by the loss without them (layers.go). [Reorder] puts its units in an order of one's choice (reorder.go).
//
// Both continue a prompt, with the keys and values of what was read kept: generate.go; and tell of a text, token by token, what
// they expect (predict.go) and where their heads look (attention.go). Weights are read straight into the
// device's memory (weight.go).
package model
