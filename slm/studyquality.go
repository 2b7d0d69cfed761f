package slm

import (
	"fmt"
	"math"
)

// Quality asks what the searches are worth on a teacher: the studies of `lab bench search`.
type Quality struct {
	Strategies Study // does evolution beat random search, and which space wins in which bin?
	Reordered  Study // does a coarse space gain when the first units are the important ones?
	Warm       Study // does the loss before training foretell that after a short distillation?
	Ladder     Study // does the loss on little text foretell that on more? Its variants differ in tokens alone
}

// Scale says how large the studies are.
type Scale struct {
	Name        string // begins the names of the searches, unless it is empty
	Bins        int
	Seeds       int
	Population  int
	Generations int
	Offspring   int
	Tokens      int // held-out, for a candidate
	Warmed      int // spaces with a warm search
	Drawn       int // its candidates, a multiple of four
	Steps       int // of their training
}

// The scales: hours on two cores with a teacher of 135M parameters, and some minutes.
var (
	FullScale  = Scale{Bins: 2, Seeds: 3, Population: 16, Generations: 3, Offspring: 8, Tokens: 512, Warmed: 3, Drawn: 12, Steps: 20}
	QuickScale = Scale{Name: "quick", Bins: 1, Seeds: 1, Population: 8, Generations: 2, Offspring: 6, Tokens: 512, Warmed: 1, Drawn: 8, Steps: 5}
)

// smallTeacher has up to so many parameters: twice the text and the warm candidates, and four times the generations, cost little.
const smallTeacher = 50e6

// Of is a scale's studies of a teacher. The bins are around a quarter and around a half of its parameters, rounded down to
// one digit: 30M and 60M of 135M.
func (c Scale) Of(teacher Config) Quality {
	size := float64(Subnet{}.Parameters(teacher).Total())
	if size <= smallTeacher {
		c.Tokens, c.Generations, c.Drawn = 2*c.Tokens, 4*c.Generations, 2*c.Drawn
	}
	bins := []Bin{Around(oneDigit(size/4), 0.05), Around(oneDigit(size/2), 0.05)}[:c.Bins]
	study := Study{Name: teacher.Name, Teacher: teacher.Name, Bins: bins}
	if c.Name != "" {
		study.Name += "-" + c.Name
	}
	for seed := range c.Seeds {
		study.Seeds = append(study.Seeds, uint64(seed+1))
	}
	return Quality{c.strategies(study), c.reordered(study), c.warm(study), c.ladder(study)}
}

// Studies lists them in the order in which they are run: what takes longest comes last.
func (q Quality) Studies() []Study { return []Study{q.Strategies, q.Reordered, q.Ladder, q.Warm} }

// oneDigit rounds a positive number down to one significant digit.
func oneDigit(v float64) float64 {
	unit := math.Pow10(int(math.Floor(math.Log10(v))))
	return math.Floor(v/unit) * unit
}

// evolved is a search of the scale by a strategy.
func (c Scale) evolved(strategy Strategy) Search {
	return Search{Population: c.Population, Generations: c.Generations, Offspring: c.Offspring, Tokens: c.Tokens, Strategy: strategy}
}

func (c Scale) strategies(s Study) Study {
	s.Spaces = []Space{CoarseUniform, CoarseLayerWise, FineUniform, FineLayerWise}
	s.Variants = []Variant{{"evolution", c.evolved(Evolution)}, {"random", c.evolved(RandomSearch)}}
	return s
}

func (c Scale) reordered(s Study) Study {
	s.Spaces = []Space{CoarseUniform, CoarseLayerWise}
	s.Variants = []Variant{{"reordered", c.evolved(Evolution)}, {"reordered-random", c.evolved(RandomSearch)}}
	for i := range s.Variants {
		s.Variants[i].Search.Reorder = ByActivationNorm
	}
	return s
}

// warm draws at random, so that nothing but the space decides what is trained.
func (c Scale) warm(s Study) Study {
	s.Bins, s.Seeds = s.Bins[:1], s.Seeds[:1]
	s.Spaces = []Space{CoarseUniform, CoarseLayerWise, FineLayerWise}[:c.Warmed]
	s.Variants = []Variant{{"warm", Search{Population: c.Drawn / 2, Generations: 2, Offspring: c.Drawn / 4, Tokens: 2 * c.Tokens,
		Strategy: RandomSearch, Warm: Warm{Steps: c.Steps, Loss: CE(0.3).Plus(ForwardKL(0.7))}}}}
	return s
}

// ladder judges the same candidates on a quarter of the text up to four times as much.
func (c Scale) ladder(s Study) Study {
	s.Bins, s.Seeds = s.Bins[:1], s.Seeds[:1]
	s.Spaces = []Space{CoarseUniform, FineLayerWise}
	for _, tokens := range []int{c.Tokens / 4, c.Tokens / 2, c.Tokens, 4 * c.Tokens} {
		search := c.evolved(RandomSearch)
		search.Tokens = tokens
		s.Variants = append(s.Variants, Variant{fmt.Sprintf("tokens-%d", tokens), search})
	}
	return s
}
