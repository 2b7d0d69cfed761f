// Package slm holds the values and the arithmetic of growing small language models from large ones.
//
// The story, in the order of the files:
//
//   - A teacher has an architecture: [Config] (config.go), which a family turns into named weights (weights.go). The
//     published ones are known by name (published.go).
//   - A sub-network keeps some of its layers, heads, neurons and embedding dimensions: [Subnet], made of
//     [Indices] (subnet.go, indices.go); heads that lose dimensions turn by rotary.go. Its parameters, FLOPs and
//     key/value cache follow in closed form (count.go).
//   - A [Space] says which sub-networks a search may draw (space.go), by a [Dim] for each size (dim.go); whittle's are known by
//     name (preset.go). A [Bin] says how many parameters they may have (bin.go). A sampler draws uniformly inside it
//     (sampler.go), and a bin that a space cannot hit is answered by what it can (nearest.go). The sub-network of a bin that
//     keeps the teacher's proportions represents it (proportional.go). Sub-networks are compared by what they share (overlap.go), by
//     how often units are kept (frequency.go) and by their [Architecture] (architecture.go).
//   - Not all units matter alike: an [Importance] scores them (importance.go), such as by an [Aggregate] of their
//     activations (aggregate.go), an [Order] puts the important first (order.go), and [Prune] keeps units by score, at
//     random or by place: the baselines of a search (prune.go).
//   - A [Search] proposes each [Candidate] of a [Population] inside a bin, from those evaluated before (search.go,
//     population.go): by a [Strategy] (strategy.go) for one [Objective] or several (objective.go), breeding sizes and index
//     sets (genome.go, genomesets.go). Candidates may be trained for some steps before they are judged: [Warm] (warm.go);
//     judged on any [Data], or on little text first: [Halving] (halving.go); drawn from a teacher with its important units first: [Reorder]
//     (reorder.go). A population tells its generations (bygeneration.go), whom a candidate descends from (ancestry.go), and its
//     [Diversity] (diversity.go). [RankCorrelation] says whether one judgement foretells another (correlation.go).
//   - A [Study] is a grid of searches by name (study.go), each [Repeated] with several seeds (studyrepeated.go). What they
//     found is plain numbers: gains and rankings (studyfindings.go), [Foresight] of early losses and what halving costs
//     (studyrank.go). The [Quality] of the searches of a teacher is a few studies and their [Answers] (studyquality.go,
//     studyanswers.go, studytable.go).
//   - A [Distillation] pretrains the best one, with a [Loss] that may listen to the teacher (distillation.go, loss.go,
//     mix.go, schedule.go) on some [Data] (data.go), in increments (until.go), between which it may change (change.go). It leaves a
//     [Curve] (curve.go) that tells where the time went (spent.go), which is paired with what a search foresaw (trained.go), and is stopped when its loss rises (drift.go).
//     What it takes on a [Device] says a [Plan] (plan.go, planmemory.go), in units that people read (quantity.go).
//   - An [Evaluation] asks how well a model predicts any text (evaluation.go), a [Score] says how often it is right in a task
//     (score.go). [Predicted] is what it expects of one, token by
//     token (predicted.go), and [Attention] where its heads look meanwhile (attention.go).
//
// The method is that of arXiv 2510.07227, "Where to Begin: Efficient Pretraining via Subnetwork Selection and
// Distillation". Everything here is a plain value: it links no tensor library, so that a notebook cell which imports it
// compiles in a fraction of a second, and it marshals to the JSON that files, the database and the wire share.
package slm
