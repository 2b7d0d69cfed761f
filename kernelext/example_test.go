package kernelext_test

import (
	"fmt"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// A cell that judges sub-networks by a score of its own: here by how many layers they have. Run again after an interruption,
// it goes on with the candidates that still lack their score.
func ExampleLab_Ask() {
	lab := kernelext.Open("quickstart")
	search := slm.Search{Space: slm.FineLayerWise, Bin: slm.Around(30e6, 0.05)}
	score := func(c slm.Candidate) float64 { return float64(len(c.Subnet.Layers)) }
	for pending := lab.Ask("shallow", search); len(pending) > 0; pending = lab.Ask("shallow", search) {
		for i := range pending {
			pending[i].Loss = score(pending[i])
		}
		lab.Tell("shallow", pending...)
	}
	lab.Export("smollm2-135m", lab.Found("shallow").Best().Subnet, "shallow-student")
}

// A run goes on by steps, tokens, time or until a perplexity. Between cells it may be changed, taken back, or branched to
// compare two ways on.
func ExampleRun_Branch() {
	lab := kernelext.Open("quickstart")
	best := lab.Found("30M").Best()
	run := lab.Distill("from-30M", slm.Distillation{Subnet: best.Subnet, Loss: slm.CE(0.3).Plus(slm.ForwardKL(0.7))})
	run.Steps(40)
	hotter := run.Branch("hotter")
	hotter.SetLoss(slm.CE(0.3).Plus(slm.ForwardKL(0.7).At(2)))
	hotter.For(2 * time.Minute)
	run.SetRate(5e-4)
	run.UntilPerplexity(60)
	run.Undo(40)
}

// Stories of the hub and one's own notes, two to one, of which 20 million tokens are used; and logits that the teacher computes
// once for all runs on them.
func ExampleLab_Distill() {
	lab := kernelext.Open("quickstart")
	stories, err := slm.NamedData("tinystories")
	if err != nil {
		panic(err)
	}
	text := slm.Data{Mixture: []slm.Share{{Data: stories, Weight: 2}, {Data: slm.Data{Paths: []string{"notes"}}, Weight: 1}}, Tokens: 20e6}
	lab.Distill("stories", slm.Distillation{Subnet: lab.Found("30M").Best().Subnet, Data: text,
		Loss: slm.CE(0.3).Plus(slm.ForwardKL(0.7).Top(64)), KeepLogits: true}).Tokens(1_000_000)
}

// A student and its teacher on the same held-out stories, the student as of its best checkpoint; and on the first 200 documents of
// two tasks.
func ExampleRun_Evaluate() {
	lab := kernelext.Open("quickstart")
	stories, err := slm.NamedData("tinystories")
	if err != nil {
		panic(err)
	}
	asked := slm.Evaluation{Data: stories, Tokens: 100_000}
	lab.Teacher("smollm2-135m").Evaluate(asked)
	run := lab.Distill("stories", slm.Distillation{Subnet: lab.Found("30M").Best().Subnet, Data: stories})
	asked.Best = true
	run.Evaluate(asked)
	run.EvaluateTasks(kernelext.Tasks{Names: []string{"lambada_openai", "arc_easy"}, Limit: 200})
}

// Two ways to search, each with three seeds, in two bins: twelve searches, which go on where they were stopped.
func ExampleLab_Study() {
	lab := kernelext.Open("quickstart")
	found := lab.Study(slm.Study{Teacher: "smollm2-135m", Bins: []slm.Bin{slm.Around(30e6, 0.05), slm.Around(60e6, 0.05)},
		Spaces:   []slm.Space{slm.FineUniform},
		Variants: []slm.Variant{{Name: "evolution"}, {Name: "random", Search: slm.Search{Strategy: slm.RandomSearch}}}, Seeds: []uint64{1, 2, 3}})
	for _, gain := range found.Gains("evolution", "random") {
		fmt.Println(gain.Bin, gain.Spread)
	}
}
