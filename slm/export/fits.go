package export

import (
	"fmt"
	"reflect"

	"github.com/offshoot-ml/offshoot/slm"
)

// Fits reports the first thing in which the student is not what a sub-network of a teacher is, perhaps another teacher than its
// own. Without an error the weights of the one, under the same names, are weights of the other, and compute the same logits.
func (s Student) Fits(teacher slm.Config, subnet slm.Subnet) error {
	own, asked := s.Teacher, teacher
	if err := firstDifference("", []property{
		{"family", own.Family, asked.Family},
		{"vocab", own.Vocab, asked.Vocab},
		{"embd", s.Subnet.Embd.Len(own.Embd), subnet.Embd.Len(asked.Embd)},
		{"layers", s.Subnet.Depth(own), subnet.Depth(asked)},
		{"tied", own.Tied, asked.Tied},
		{"norm_eps", own.NormEps, asked.NormEps},
		{"parallel_residual", own.ParallelResidual, asked.ParallelResidual},
	}); err != nil {
		return err
	}
	layers := anatomies(asked, subnet)
	for i, a := range anatomies(own, s.Subnet) {
		b := layers[i]
		if sameFrequencies(a.Frequencies, b.Frequencies) { // but for a rounding
			a.Frequencies = b.Frequencies
		}
		if err := firstDifference(fmt.Sprintf("layer %d: ", i), []property{
			{"heads in its query groups", a.Groups, b.Groups},
			{"head_size", a.HeadSize, b.HeadSize},
			{"ffn", a.FFN, b.FFN},
			{"frequencies of its rotated pairs", a.Frequencies, b.Frequencies},
			{"factor of its attention scores", a.Scale, b.Scale},
		}); err != nil {
			return err
		}
	}
	return nil
}

// property is one of an architecture's, in the student and where its weights are to go.
type property struct {
	name        string
	have, asked any
}

func firstDifference(where string, properties []property) error {
	for _, p := range properties {
		if !reflect.DeepEqual(p.have, p.asked) {
			return fmt.Errorf("%s%s is %v in the student, %v is asked for", where, p.name, p.have, p.asked)
		}
	}
	return nil
}
