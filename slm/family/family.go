// Package family has the small family of models on which the paper's experiments run at the scale of a laptop, as Pythia is the
// one at its own: sprout-8m, the teacher, and three reference students of smaller sizes, all GPT-NeoX with the same vocabulary of
// 4,096 tokens, pretrained from random weights on as much of the same text, the Go installation's.
//
// Each is a folder that transformers loads, and the set-up installs them, so that they are loaded by name. README.md has the
// commands that made them. This package reads what is recorded about them: recipe, curve and held-out loss.
package family

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/offshoot-ml/offshoot/slm"
)

//go:embed */offshoot.json */curve.csv
var records embed.FS

// Teacher is the name of the teacher.
const Teacher = "sprout-8m"

// Member is a model of the family.
type Member struct {
	Config     slm.Config
	Parameters int64
	Loss       float64   // held-out cross-entropy when its training had ended, in nats per token
	Tokens     int64     // of its training
	Curve      slm.Curve // of its training: each tenth step, and those with a held-out loss
}

// Members are the teacher and its reference students, from the smallest on.
func Members() ([]Member, error) {
	var all []Member
	for _, name := range names() {
		m, err := Named(name)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b Member) int { return int(a.Parameters - b.Parameters) })
	return all, nil
}

// Named is a member by its name, such as "sprout-1m".
func Named(name string) (Member, error) {
	text, err := records.ReadFile(path.Join(name, "offshoot.json"))
	if err != nil {
		return Member{}, fmt.Errorf("no model %q in the family; it has %s", name, strings.Join(names(), ", "))
	}
	var r struct {
		Parameters int64
		Model      slm.Config
		Provenance struct {
			Training struct {
				Distillation slm.Distillation
				Tokens       int64
			}
			Measured []struct{ Loss float64 }
		}
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return Member{}, fmt.Errorf("record of %s: %w", name, err)
	}
	points, err := points(name)
	if err != nil {
		return Member{}, fmt.Errorf("curve of %s: %w", name, err)
	}
	training := r.Provenance.Training
	return Member{Config: r.Model, Parameters: r.Parameters, Loss: r.Provenance.Measured[0].Loss, Tokens: training.Tokens,
		Curve: slm.Curve{Name: name, Teacher: r.Model, Distillation: training.Distillation, Parameters: r.Parameters, Points: points}}, nil
}

// names are those of all members.
func names() (all []string) {
	entries, err := records.ReadDir(".")
	if err != nil {
		panic(err) // embedded: cannot be missing
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func points(name string) ([]slm.Point, error) {
	file, err := records.Open(path.Join(name, "curve.csv"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return slm.ReadPoints(file)
}
