package cells

import (
	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

// Mask: what the best sub-network found keeps of its teacher.
func Mask() {
	found := lab.Search("30M", evolution)
	plots.Show(plots.Mask(found.Teacher, found.Best().Subnet))
}

// Overlap: what two sub-networks have in common, here the two best.
func Overlap() {
	found := lab.Search("30M", evolution)
	best := slm.Elites(found.Candidates, 2)
	plots.Show(plots.Overlap(found.Teacher, best[0].Subnet, best[1].Subnet))
}

// Kept units: how often the best candidates keep each unit of their teacher.
func Kept() {
	found := lab.Search("30M", evolution)
	plots.Show(plots.Kept(found.Teacher, slm.Elites(found.Candidates, 8))) // or all: found.Candidates
}

// Mask history: the best mask of each generation, with a slider.
func MaskHistory() {
	plots.Show(plots.MaskHistory(lab.Search("30M", evolution).Population))
}

// Importance: scores of the teacher's units, by their activations on the training text.
func Importance() {
	teacher := lab.Teacher("smollm2-135m")
	plots.Show(plots.Importance(teacher.Config, teacher.Importance(slm.Norm)))
}

// Layers dropped: the perplexity of the teacher without each of its layers; an evaluation for each, some minutes.
func LayerImportance() {
	teacher := lab.Teacher("smollm2-135m")
	plots.Show(plots.LayerImportance(teacher.Config, teacher.LayerDrop()))
}

// Architectures: the sizes of the teacher and of the best sub-network found, side by side.
func Architectures() {
	found := lab.Search("30M", evolution)
	plots.Show(plots.Architectures(found.Teacher, found.Best().Subnet.Architecture(found.Teacher, "found"))) // and more of them
}

// Population: parameters against perplexity, by generation.
func Population() {
	found := lab.Search("30M", evolution)
	plots.Show(plots.Population(found.Population)) // or PopulationBy(found.Population, slm.MinimizeFLOPs)
}

// Search history: every evaluation, the best so far, and the median of each generation.
func History() {
	plots.Show(plots.History(lab.Search("30M", evolution).Population))
}

// Ancestry: the family tree of the search's winner.
func Ancestry() {
	plots.Show(plots.Ancestry(lab.Search("30M", evolution).Population))
}

// Parallel coordinates: the architectures of a search, coloured by loss.
func ParallelCoordinates() {
	plots.Show(plots.ParallelCoordinates(lab.Search("30M", evolution).Population))
}

// Parameters by part: where those of the best candidates are.
func Parts() {
	found := lab.Search("30M", evolution)
	plots.Show(plots.Parts(found.Teacher, slm.Elites(found.Candidates, 8)...))
}

// Diversity: how different the candidates of each generation are.
func Diversity() {
	plots.Show(plots.Diversity(lab.Search("30M", evolution).Population))
}

// Prediction: the perplexity by which the search judged, against that of the candidates that the lab has trained since.
func Prediction() {
	plots.Show(plots.Prediction(lab.Search("30M", evolution).Population, lab.Curves()...))
}

// Progress: the lowest loss so far, of evolution and of random search.
func Progress() {
	study := slm.Study{
		Name: "progress", Teacher: evolution.Teacher, Bins: []slm.Bin{evolution.Bin}, Spaces: []slm.Space{slm.CoarseUniform},
		Variants: []slm.Variant{{Name: "evolution"}, {Name: "random", Search: slm.Search{Strategy: slm.RandomSearch}}},
		Seeds:    []uint64{1, 2}, // more of them tell luck from skill
	}
	plots.Show(plots.Progress(searched(study)...))
}

// Spaces: the best loss in each search space.
func Spaces() {
	study := slm.Study{
		Name: "spaces", Teacher: evolution.Teacher, Bins: []slm.Bin{evolution.Bin},
		Spaces:   []slm.Space{slm.CoarseUniform, slm.CoarseLayerWise, slm.FineUniform, slm.FineLayerWise},
		Variants: []slm.Variant{{Name: "evolution"}},
		Seeds:    []uint64{1}, // more of them tell luck from a better space
	}
	plots.Show(plots.Spaces(searched(study), evolution.Bin))
}

// Correlation: loss before training against loss after a few steps of it.
func Correlation() {
	warm := evolution
	warm.Generations, warm.Warm = slm.InitialOnly, slm.Warm{Steps: 10}
	plots.Show(plots.Correlation(lab.Search("30M-warm", warm).Population))
}

// Curves: losses of the lab's runs against the tokens they were trained on.
func Curves() {
	plots.Show(plots.CurvesBy(plots.Tokens, lab.Curves()...)) // or plots.Steps, plots.FLOPs, plots.Time
}

// Savings: tokens that distilling the sub-network saves, beside random weights; it trains both for 150 steps, some minutes.
func Saved() {
	plots.Show(plots.Saved(plots.Tokens, trained(random(), 150), trained(distilled(), 150))) // or plots.FLOPs, plots.Time
}

// Dynamics: learning rate, norm of the gradient, throughput and shares of time of the lab's runs.
func Dynamics() {
	plots.Show(plots.Dynamics(lab.Curves()...))
}

// Text: which of its tokens the student predicts worse than its teacher, and which better.
func Text() {
	teacher := lab.Teacher("smollm2-135m")
	plots.Show(plots.Text(teacher.Predict(passage), distilled().Predict(passage))) // or of one model: its loss
}

// Next tokens: what teacher and student expect after a token of a text, side by side.
func NextTokens() {
	teacher := lab.Teacher("smollm2-135m")
	after := 3 // tokens are counted from 0
	plots.Show(plots.NextTokens(after, teacher.Predict(passage), distilled().Predict(passage)))
}

// Attention: where heads of the teacher look in a text, and the same heads of the student.
func Attention() {
	teacher := lab.Teacher("smollm2-135m")
	layers, heads := slm.IndicesOf(0), slm.Indices{} // all heads of the first layer
	plots.Show(plots.Attention(teacher.Attention(passage, layers, heads), distilled().Attention(passage, layers, heads)))
}
