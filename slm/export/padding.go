package export

import (
	"errors"
	"fmt"
	"math"

	"github.com/offshoot-ml/offshoot/slm"
)

// Every student can be written as a plain model of its family, whose layers are all alike and which computes the same
// logits, if it is given more parameters:
//
//   - A head, query group or neuron more is zero, in what it reads and in what is read of it.
//   - A rotated pair of head dimensions more is zero in queries, keys and values, so its frequency does not matter. The
//     pairs of the padded heads are those that any layer has.
//   - The factor by which attention scores are to be scaled, where it is not that of the larger heads, goes into the
//     queries' weights.
//   - Qwen3 normalizes queries and keys over the dimensions of a head. With D' instead of D of them, the new ones zero, the
//     mean square would shrink by D/D'; so queries and keys grow by √(D'/D), and the norms' scales shrink by it.
//   - GPT-NeoX's files imply that the embedding dimension is heads·headSize. Where it is smaller, it is padded too: all that
//     is added up along the layers grows by a = √(E'/E), and its new dimensions hold the mean of the old ones. So the mean
//     over E' is a times that over E, the variance is that over E, and LayerNorm gives a times what it gave; the norms'
//     scales shrink by a.
//
// ordinary is such a model.
type ordinary struct {
	config  slm.Config // the plain architecture
	teacher slm.Config
	subnet  slm.Subnet
	layers  []fit
	widened float64 // a, 1 where the embedding dimension stays
}

// fit is where a student's layer lies in the plain model's, which has as many or more of everything.
type fit struct {
	kept      slm.LayerSubnet
	heads     []int   // the student's heads among the plain model's
	headSize  []int   // likewise, a head's dimensions
	queries   float64 // multiplies queries
	normalize float64 // Qwen3's √(D'/D)
}

// newOrdinary finds the smallest plain model that holds a student.
func newOrdinary(teacher slm.Config, subnet slm.Subnet) (*ordinary, error) {
	layers := anatomies(teacher, subnet)
	frequencies, unscaled := pairs(layers)
	if len(frequencies) == 0 {
		return nil, errors.New("no dimension of its heads turns, which the family's files cannot say")
	}
	c := teacher
	c.Layers, c.Embd, c.FFN = len(layers), subnet.Embd.Len(teacher.Embd), 0
	groups, inGroup, still := 0, 0, 0
	for _, a := range layers {
		groups, still, c.FFN = max(groups, len(a.Groups)), max(still, a.still()), max(c.FFN, a.FFN)
		for _, heads := range a.Groups {
			inGroup = max(inGroup, heads)
		}
	}
	c.QueryGroups, c.Heads, c.HeadSize = groups, groups*inGroup, 2*len(frequencies)+still
	if c.Family == slm.GPTNeoX {
		c.Heads, c.HeadSize, c.Embd = square(c.Heads, c.HeadSize, c.Embd)
		c.QueryGroups = c.Heads
	}
	c, err := withFrequencies(c, frequencies, unscaled)
	if err != nil {
		return nil, err
	}
	o := &ordinary{config: c, teacher: teacher, subnet: subnet, widened: math.Sqrt(float64(c.Embd) / float64(subnet.Embd.Len(teacher.Embd)))}
	for i, l := range subnet.KeptLayers(teacher) {
		o.layers = append(o.layers, o.fit(l, layers[i], frequencies, inGroup))
	}
	return o, c.Validate()
}

// padding is how many parameters the plain model has beside the student's.
func (o *ordinary) padding() int64 {
	return slm.Subnet{}.Parameters(o.config).Total() - o.subnet.Parameters(o.teacher).Total()
}

// square finds the fewest embedding dimensions with embd = heads·headSize, all at least what they are.
func square(heads, headSize, embd int) (int, int, int) {
	for e := max(embd, heads*headSize); ; e++ { // ends at a multiple of headSize
		for h := heads; h*headSize <= e; h++ {
			if e%h == 0 {
				return h, e / h, e
			}
		}
	}
}

// fit lays a layer into the plain model's; inGroup is how many heads a query group has there.
func (o *ordinary) fit(kept slm.LayerSubnet, a anatomy, frequencies []float64, inGroup int) fit {
	f := fit{kept: kept, queries: a.Scale * math.Sqrt(float64(o.config.HeadSize)), normalize: 1}
	if math.Abs(f.queries-1) < 1e-15 {
		f.queries = 1
	}
	if o.config.Family == slm.Qwen3 {
		f.normalize = math.Sqrt(float64(o.config.HeadSize) / float64(a.HeadSize))
	}
	for group, heads := range a.Groups {
		for i := range heads {
			f.heads = append(f.heads, group*inGroup+i)
		}
	}
	turning, half := len(a.Frequencies), len(frequencies)
	for i := range a.HeadSize {
		switch {
		case i < turning:
			f.headSize = append(f.headSize, indexOf(frequencies, a.Frequencies[i]))
		case i < 2*turning: // the pair's other dimension
			f.headSize = append(f.headSize, half+indexOf(frequencies, a.Frequencies[i-turning]))
		default:
			f.headSize = append(f.headSize, 2*half+i-2*turning)
		}
	}
	return f
}

func indexOf(frequencies []float64, f float64) int {
	for i, other := range frequencies {
		if sameFrequency(other, f) {
			return i
		}
	}
	panic(fmt.Sprintf("export: frequency %g is not among %g", f, frequencies))
}

// withFrequencies gives an architecture the rotary options that give its heads the frequencies: the teacher's own where
// they do; else another base with the teacher's scaling, which every library understands; else a factor for each pair.
// unscaled are the frequencies before the teacher's scaling.
func withFrequencies(c slm.Config, frequencies, unscaled []float64) (slm.Config, error) {
	c.RotaryFraction = rotaryFraction(c, 2*len(frequencies))
	if n := len(frequencies); c.RopeScaling.Kind == slm.PerPairScaling && n <= len(c.RopeScaling.Factors) {
		c.RopeScaling.Factors = c.RopeScaling.Factors[:n]
	}
	if hasFrequencies(c, frequencies) {
		return c, nil
	}
	based := c
	if len(unscaled) > 1 { // pair i of n turns by base^(-i/n): a geometric series from 1
		based.RopeTheta = math.Pow(unscaled[0]/unscaled[1], float64(len(unscaled)))
	}
	if c.RopeScaling.Kind != slm.PerPairScaling && hasFrequencies(based, frequencies) {
		return based, nil
	}
	c.RopeScaling = slm.RopeScaling{Kind: slm.PerPairScaling, Factors: make([]float64, len(frequencies))}
	for i, f := range frequencies {
		c.RopeScaling.Factors[i] = math.Pow(c.RopeTheta, -float64(i)/float64(len(frequencies))) / f
	}
	if !hasFrequencies(c, frequencies) {
		return c, fmt.Errorf("its rotary frequencies %.4g have no plain form", frequencies)
	}
	return c, nil
}

func hasFrequencies(c slm.Config, frequencies []float64) bool {
	return c.Validate() == nil && sameFrequencies(c.Frequencies(c.HeadSize), frequencies)
}

// rotaryFraction is the part of a head that turns, such that a program which multiplies and cuts off the decimals, as
// transformers does, finds that many dimensions. Only GPT-NeoX turns less than all; 0 means all.
func rotaryFraction(c slm.Config, rotated int) float64 {
	if rotated == c.HeadSize {
		return 0
	}
	fraction := float64(rotated) / float64(c.HeadSize)
	for int(float64(c.HeadSize)*fraction) < rotated {
		fraction = math.Nextafter(fraction, 1)
	}
	return fraction
}
