// Package paper has the experiments of "Where to Begin: Efficient Pretraining via Subnetwork Selection and Distillation"
// (arXiv 2510.07227) as values, for the notebooks in notebooks/paper.
//
// A [Scale] says how large they are: the same code runs them in minutes on a laptop, in an hour on a GPU, or as the paper did
// (scale.go, scales.go). It names and describes the searches and runs (experiments.go), so that the notebooks share them in one lab
// and continue each other's, plans what they take (plan.go), and names the tasks of exported students (tasks.go). What the paper reports is in reported.go, each with its source.
package paper

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/family"
)

// Variable is the environment variable that overrides a notebook's scale, as `lab run --scale gpu` does.
const Variable = "OFFSHOOT_SCALE"

// Size is a bin of parameters, and the model of that size from random weights that the paper compares with.
type Size struct {
	Name      string // such as "410M"
	Bin       slm.Bin
	Reference string // a model's name
}

// Scale says how large the experiments are.
type Scale struct {
	Name    string
	Teacher string           // a model's name
	Sizes   []Size           // from the smallest
	Search  slm.Search       // what all searches have in common
	Run     slm.Distillation // what all runs have in common
	Budgets []int64          // tokens of a run, the first one where a notebook asks for one
	Seeds   []uint64         // of runs, and of the search whose winner they train, which is the first one's
	Repeats []uint64         // seeds of searches that are compared
	Device  string           // that the plan is for, as [slm.ParseDevice] reads it
	Asks    bool             // it takes so much that it wants to be confirmed before it begins

	Tasks      []Task // of lm-eval, for exported students
	LocalTasks bool   // they are those of notebooks/paper/tasks, not lm-eval's own
	TaskLimit  int    // only the first so many documents of each; 0 is all
}

// At is the scale of that name, or that which the environment names in [Variable]. It panics with the known names on another, as
// befits the first cell of a notebook.
func At(name string) Scale {
	if override := os.Getenv(Variable); override != "" {
		name = override
	}
	s, err := Named(name)
	if err != nil {
		panic(err)
	}
	return s
}

// Named is the scale of that name.
func Named(name string) (Scale, error) {
	i := slices.IndexFunc(scales, func(s Scale) bool { return s.Name == name })
	if i < 0 {
		return Scale{}, fmt.Errorf("no scale %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return scales[i], nil
}

// Names are those of all scales, the smallest first.
func Names() (names []string) {
	for _, s := range scales {
		names = append(names, s.Name)
	}
	return names
}

// Lab is the name of the lab that the notebooks share.
func (s Scale) Lab() string { return "paper-" + s.Name }

// Architecture is the teacher's, which is known without its weights.
func (s Scale) Architecture() (slm.Config, error) { return architecture(s.Teacher) }

// Architecture is the reference's.
func (s Size) Architecture() (slm.Config, error) { return architecture(s.Reference) }

// architecture is that of a model of the two families.
func architecture(name string) (slm.Config, error) {
	if m, err := family.Named(name); err == nil {
		return m.Config, nil
	}
	return slm.Published(name)
}
