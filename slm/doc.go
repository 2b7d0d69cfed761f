// Package slm holds the values and the arithmetic of growing small language models from large ones.
//
// The story, in the order of the files:
//
//   - A teacher has an architecture: [Config] (config.go), which a family turns into named weights (weights.go). The
//     published ones are known by name (published.go).
//   - A sub-network keeps some of its layers, heads, neurons and embedding dimensions: [Subnet], made of
//     [Indices] (subnet.go, indices.go); heads that lose dimensions turn by rotary.go. Its parameters, FLOPs and
//     key/value cache follow in closed form (count.go).
//   - A [Space] says which sub-networks a search may draw (space.go), a [Bin] how many parameters they may have (bin.go);
//     the one of a bin that keeps the teacher's proportions represents it (proportional.go).
//   - Not all units matter alike: an [Importance] scores them (importance.go), such as by an [Aggregate] of their
//     activations (aggregate.go), an [Order] puts the important first (order.go), and [Prune] keeps units by score, at
//     random or by place: the baselines of a search (prune.go).
//   - A [Search] evolves a [Population] of [Candidate] values inside a bin (search.go, population.go).
//   - A [Distillation] pretrains the best one, with a [Loss] that may listen to the teacher (distillation.go, loss.go,
//     schedule.go), and leaves a [Curve] (curve.go). What it takes on a [Device] says a [Plan] (plan.go, planmemory.go).
//
// The method is that of arXiv 2510.07227, "Where to Begin: Efficient Pretraining via Subnetwork Selection and
// Distillation". Everything here is a plain value: it links no tensor library, so that a notebook cell which imports it
// compiles in a fraction of a second, and it marshals to the JSON that files, the database and the wire share.
package slm
