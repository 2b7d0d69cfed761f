package distill

import (
	"encoding/json"
	"fmt"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// Saved is the student in a trainer's checkpoint.
type Saved struct {
	Distillation slm.Distillation // as the run began
	Changes      []slm.Change     // made since, in their order
	Steps        int
	Tokens       int64              // predicted in them
	Position     json.RawMessage    // where the next batch of [Data] begins
	Weights      checkpoint.Weights // the student's, its layers numbered from 0
}

// ReadSaved reads a checkpoint without training on: it needs no device, and no more of the teacher than its architecture.
// The file may be replaced by a trainer at the same time.
func ReadSaved(path string, teacher slm.Config) (Saved, error) {
	variables, metadata, err := checkpoint.LoadSafetensors(path)
	if err != nil {
		return Saved{}, err
	}
	s, err := parseState(metadata)
	if err != nil {
		return Saved{}, fmt.Errorf("checkpoint %s: %w", path, err)
	}
	out := Saved{Distillation: s.Distillation, Changes: s.Changes, Steps: s.Steps, Tokens: s.Tokens, Position: s.Position, Weights: checkpoint.Weights{}}
	subnet := s.Distillation.Subnet
	if err := subnet.Validate(teacher); err != nil {
		return Saved{}, fmt.Errorf("checkpoint %s: it is of another teacher: %w", path, err)
	}
	for name, t := range subnet.Tensors(teacher) {
		shape := t.MatrixShape(subnet.Sizes(teacher, t.Layer, t.Weight)) // a variable has an axis for each of the weight's
		v, ok := variables["/"+name]
		if !ok || len(v.Data) != product(shape) {
			return Saved{}, fmt.Errorf("checkpoint %s: weight %s has shape %v, want the values of %v", path, name, v.Shape, shape)
		}
		out.Weights[name] = checkpoint.Tensor{Shape: shape, Data: v.Data}
	}
	return out, nil
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
