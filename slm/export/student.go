package export

import (
	"fmt"
	"maps"
	"slices"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// Student is a student to be written, or one that was read: a sub-network of a teacher's architecture with weights of its
// own, under the names that [slm.Subnet.Tensors] gives them, its layers numbered from 0.
type Student struct {
	Teacher    slm.Config
	Subnet     slm.Subnet
	Weights    checkpoint.Source
	Tokenizer  Tokenizer
	Provenance Provenance
}

// Parameters is how many weights the student has.
func (s Student) Parameters() int64 { return s.Subnet.Parameters(s.Teacher).Total() }

// checkArchitecture reports what is wrong with the teacher's architecture or the sub-network.
func (s Student) checkArchitecture() error {
	if err := s.Teacher.Validate(); err != nil {
		return err
	}
	if err := s.Subnet.Validate(s.Teacher); err != nil {
		return fmt.Errorf("student: %w", err)
	}
	return nil
}

// check also reports the first tensor that is missing, surplus or of another shape.
func (s Student) check() error {
	if err := s.checkArchitecture(); err != nil {
		return err
	}
	known := map[string]bool{}
	for name, t := range s.Subnet.Tensors(s.Teacher) {
		shape, ok := s.Weights.Shape(name)
		want := t.MatrixShape(s.Subnet.Sizes(s.Teacher, t.Layer, t.Weight))
		switch {
		case !ok:
			return fmt.Errorf("student: tensor %q is missing (shape %v)", name, want)
		case !slices.Equal(shape, want):
			return fmt.Errorf("student: tensor %q has shape %v, want %v", name, shape, want)
		}
		known[name] = true
	}
	if all, ok := s.Weights.(checkpoint.Weights); ok && len(all) != len(known) {
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if !known[name] {
				return fmt.Errorf("student: tensor %q is not part of this architecture", name)
			}
		}
	}
	return nil
}

// Plain is the student as a plain model of its teacher's family, all of whose layers are alike: a new architecture, and
// the weights in it, made when they are read. It computes the same logits. Where the student's layers differ, or differ
// from what the family's files can say, it has more parameters, see padding.go.
func (s Student) Plain() (slm.Config, checkpoint.Source, error) {
	if err := s.check(); err != nil {
		return slm.Config{}, nil, err
	}
	o, err := newOrdinary(s.Teacher, s.Subnet)
	if err != nil {
		return slm.Config{}, nil, fmt.Errorf("student: %w", err)
	}
	return o.config, o.weights(s.Weights), nil
}
