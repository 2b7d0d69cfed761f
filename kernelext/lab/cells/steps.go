package cells

import (
	"fmt"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

// Open a lab: the host's device and memory, and what the lab holds.
func OpenLab() {
	lab.Show()
}

// Load a teacher: its architecture, its perplexity, and how it goes on with a prompt.
func LoadTeacher() {
	// Or a published one ("pythia-70m"), a repository of the hub ("EleutherAI/pythia-70m"), a folder, a GGUF file.
	teacher := lab.Teacher("smollm2-135m")
	teacher.Show()
	fmt.Println(teacher.Continue("The main parts of a computer are", 40))
}

// Show a mask: a sub-network drawn at random inside a parameter bin.
func ShowMask() {
	teacher := lab.Teacher("smollm2-135m")
	space := slm.Search{Space: slm.FineLayerWise, Bin: slm.Around(30e6, 0.05)}
	drawn := teacher.Sample(space, 1) // another number draws another one
	plots.Show(plots.Mask(teacher.Config, drawn.Subnet))
}

// Start a search: a population evolves inside the parameter bin, and is drawn while it grows.
func StartSearch() {
	// Run it again to go on where it was interrupted. Other options need another name.
	found := lab.Search("30M", evolution, plots.Live())
	plots.Show(plots.Mask(found.Teacher, found.Best().Subnet))
}

// Run 50 steps: distils the best sub-network found, from where it stopped.
func Run50Steps() {
	distilled().Watch(plots.LiveCurves(plots.Steps)).Steps(50) // or Tokens(100_000), For(2*time.Minute), UntilPerplexity(300)
}

// Compare runs: the curves of all runs of the lab.
func CompareRuns() {
	plots.Show(plots.Curves(lab.Curves()...)) // or of some: lab.Curves("subnet-distilled", "random")
}

// Export a student: a folder for transformers, and a GGUF file for llama.cpp.
func ExportStudent() {
	distilled().Export("student", kernelext.WithGGUF())
}

// Controls: buttons and sliders that train the student, pause it, and set its learning rate, temperature and α.
func Controls() {
	distilled().Watch(plots.LiveCurves(plots.Steps)).Controls()
}

// Pick a candidate: click a point of a search for that candidate's mask, its ancestors and its words.
func Pick() {
	found := lab.Search("30M", evolution)
	plots.Pick(found.Population, func(c slm.Candidate) string { return found.Continue(c, "The main parts of a computer are", 20) })
}

// Dashboard: all that the host does and holds, with its devices and their memory.
func Dashboard() {
	lab.Dashboard() // until the cell is interrupted; or for a while: lab.Dashboard(time.Minute)
}
