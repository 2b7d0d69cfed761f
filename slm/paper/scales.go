package paper

import "github.com/offshoot-ml/offshoot/slm"

// sprouts are the sizes of the family in slm/family.
var sprouts = []Size{
	{"0.7M", slm.Around(0.7e6, 0.05), "sprout-0.7m"},
	{"1M", slm.Around(1e6, 0.05), "sprout-1m"},
	{"2M", slm.Around(2e6, 0.05), "sprout-2m"},
}

// pythias are the paper's sizes.
var pythias = []Size{
	{"410M", slm.Around(410e6, 0.05), "pythia-410m"},
	{"1B", slm.Around(1e9, 0.05), "pythia-1b"},
	{"2.8B", slm.Around(2.8e9, 0.05), "pythia-2.8b"},
}

// linear ends lower than a cosine to a tenth: Bergsma et al. 2025, arXiv 2502.15938.
var linear = slm.Schedule{Decay: slm.LinearDecay, Final: 0.01}

// scales are all there are, the smallest first. Bins, teachers, text and budgets of the last two are the paper's. Their batches,
// learning rates, sizes of searches and downstream tasks are not stated where we could read it, and are ours; a step's sequences are
// computed in parts that fit one device.
var scales = []Scale{
	{
		Name: "short", Teacher: "sprout-8m", Sizes: []Size{sprouts[0], sprouts[2]}, Device: "cpu",
		Search:  slm.Search{Population: 8, Generations: 2, Offspring: 6, Tokens: 1024, Reorder: slm.ByActivationNorm},
		Run:     slm.Distillation{Batch: 4, SeqLen: 128, EvalTokens: 2048, Schedule: linear},
		Budgets: []int64{20 * 512},
		Seeds:   []uint64{1},
		Repeats: []uint64{1, 2},
		Tasks:   goTasks, LocalTasks: true, TaskLimit: 40,
	},
	{
		Name: "laptop", Teacher: "sprout-8m", Sizes: sprouts, Device: "cpu",
		Search:  slm.Search{Population: 24, Generations: 6, Offspring: 12, Tokens: 2048, Reorder: slm.ByActivationNorm},
		Run:     slm.Distillation{Batch: 16, SeqLen: 128, EvalTokens: 8192, Schedule: linear},
		Budgets: []int64{200 * 2048, 400 * 2048},
		Seeds:   []uint64{1},
		Repeats: []uint64{1, 2, 3},
		Tasks:   goTasks, LocalTasks: true,
	},
	{
		Name: "gpu", Teacher: "pythia-410m", Device: "h200",
		Sizes: []Size{
			{"31M", slm.Around(30.5e6, 0.05), "pythia-31m"},
			{"70M", slm.Around(70.4e6, 0.05), "pythia-70m"},
			{"160M", slm.Around(162e6, 0.05), "pythia-160m"},
		},
		Search:  slm.Search{Data: data("fineweb-edu"), Population: 32, Generations: 6, Offspring: 16, Tokens: 16384, Reorder: slm.ByActivationNorm},
		Run:     slm.Distillation{Data: data("fineweb-edu"), Batch: 32, SeqLen: 1024, EvalTokens: 65536, Schedule: linear, Type: slm.BFloat16},
		Budgets: []int64{20e6, 50e6},
		Seeds:   []uint64{1},
		Repeats: []uint64{1, 2, 3},
		Tasks:   publishedTasks,
	},
	whole("paper", "pythia-6.9b"),
	whole("paper-12b", "pythia-12b"),
}

// whole is the paper's own recipe for a teacher.
func whole(name, teacher string) Scale {
	return Scale{
		Name: name, Teacher: teacher, Sizes: pythias, Device: "h200", Asks: true,
		Search: slm.Search{Data: data("nemotron-cc"), Population: 100, Generations: 100, Offspring: 50, Tokens: 65536},
		Run: slm.Distillation{Data: data("nemotron-cc"), Batch: 8, Accumulate: 32, SeqLen: 2048, EvalTokens: 1 << 20, Schedule: linear,
			Type: slm.BFloat16, Checkpointing: true},
		Budgets: []int64{2e9, 10e9, 100e9},
		Seeds:   []uint64{1},
		Repeats: []uint64{1},
		Tasks:   publishedTasks,
	}
}

func data(preset string) slm.Data {
	d, err := slm.NamedData(preset)
	if err != nil {
		panic(err) // a name that this file wrote
	}
	return d
}
