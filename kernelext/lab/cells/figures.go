package cells

import (
	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

// Population: parameters against perplexity, by generation.
func Population() {
	plots.Show(plots.Population(lab.Search("30M", evolution).Population))
}

// Mask: what the best sub-network keeps of its teacher.
func Mask() {
	found := lab.Search("30M", evolution)
	plots.Show(plots.Mask(found.Teacher, found.Best().Subnet))
}

// Curves: losses of the lab's runs against their steps.
func Curves() {
	plots.Show(plots.Curves(lab.Curves()...))
}

// Progress: the lowest loss so far, of evolution and of random search.
func Progress() {
	study := slm.Study{
		Name: "progress", Teacher: evolution.Teacher, Bins: []slm.Bin{evolution.Bin}, Spaces: []slm.Space{slm.CoarseUniform},
		Variants: []slm.Variant{{Name: "evolution"}, {Name: "random", Search: slm.Search{Strategy: slm.RandomSearch}}},
		Seeds:    []uint64{1, 2}, // more seeds, narrower bands
	}
	plots.Show(plots.Progress(searched(study)...))
}

// Spaces: the best loss in each search space.
func Spaces() {
	study := slm.Study{
		Name: "spaces", Teacher: evolution.Teacher, Bins: []slm.Bin{evolution.Bin},
		Spaces:   []slm.Space{slm.CoarseUniform, slm.CoarseLayerWise, slm.FineUniform, slm.FineLayerWise},
		Variants: []slm.Variant{{Name: "evolution"}},
		Seeds:    []uint64{1}, // one seed shows little: luck counts as much as the space
	}
	plots.Show(plots.Spaces(searched(study), evolution.Bin))
}

// Correlation: loss before training against loss after a few steps of it.
func Correlation() {
	warm := evolution
	warm.Generations, warm.Warm = slm.InitialOnly, slm.Warm{Steps: 10}
	plots.Show(plots.Correlation(lab.Search("30M-warm", warm).Population))
}
