package kernelext_test

import (
	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

// A teacher and its student read the same text: which tokens the student finds harder, what both expect after the fourth token, and
// where the heads of the first layer that the student keeps look.
func ExampleRun_Predict() {
	lab := kernelext.Open("quickstart")
	teacher := lab.Teacher("smollm2-135m")
	run := lab.Distill("from-30M", slm.Distillation{Subnet: lab.Found("30M").Best().Subnet})
	const text = "The old fisherman rowed out to sea before sunrise."
	before, after := teacher.Predict(text), run.Predict(text)
	plots.Show(plots.Text(before, after), plots.NextTokens(3, before, after))
	first := slm.IndicesOf(0)
	plots.Show(plots.Attention(teacher.Attention(text, first, slm.Indices{}), run.Attention(text, first, slm.Indices{})))
}

// What dropping each layer of a teacher costs: which layers a sub-network could do without.
func ExampleTeacher_LayerDrop() {
	lab := kernelext.Open("quickstart")
	teacher := lab.Teacher("smollm2-135m")
	plots.Show(plots.LayerImportance(teacher.Config, teacher.LayerDrop()))
}
