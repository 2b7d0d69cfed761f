package slm

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Search describes a bin-constrained evolutionary search (arXiv 2510.07227, section 3.2, algorithm 1): an initial
// population is drawn inside the bin; then, generation after generation, the elites breed candidates by mutation and
// crossover that stay in the bin. Zero fields take the defaults of [Search.WithDefaults].
type Search struct {
	Teacher     string `json:"teacher"` // a teacher's name in the lab; the lab fills it when it holds only one
	Space       Space  `json:"space"`
	Bin         Bin    `json:"bin"`
	Population  int    `json:"population"`    // candidates of the initial population
	Generations int    `json:"generations"`   // after the initial population; 0 is the default, [InitialOnly] none
	Elites      int    `json:"elites"`        // best candidates so far, from which a generation is bred
	Offspring   int    `json:"offspring"`     // new candidates in a generation
	Tokens      int    `json:"tokens"`        // held-out tokens on which a candidate is evaluated
	Data        Data   `json:"data,omitzero"` // of whose documents these are, as a run on it holds them out; none is the Go installation's text
	Seed        uint64 `json:"seed"`

	Strategy   Strategy    `json:"strategy,omitzero"`    // zero is Evolution
	Objectives []Objective `json:"objectives,omitempty"` // none is MinimizeLoss
	Warm       Warm        `json:"warm,omitzero"`        // train each candidate for some steps before it is judged
	Halving    Halving     `json:"halving,omitzero"`     // judge on little text first, the better ones on more
	Reorder    Reorder     `json:"reorder,omitempty"`    // search the teacher with its important units first; the host measures them
	Order      *Order      `json:"order,omitempty"`      // instead of Reorder: any order of the teacher's units
	Told       bool        `json:"told,omitzero"`        // a cell judges the candidates, not the host: any score to make small
}

// InitialOnly, as the Generations of a search, ends it with its initial population.
const InitialOnly = -1

// bred is how many generations follow the initial population.
func (s Search) bred() int { return max(0, s.Generations) }

// WithDefaults fills zero fields: 16 candidates, 4 generations after them, a quarter of the population as elites, three quarters
// as offspring, 1,024 tokens, and the coarse layer-wise space.
func (s Search) WithDefaults() Search {
	s.Population = cmp.Or(s.Population, 16)
	s.Generations = cmp.Or(s.Generations, 4)
	s.Elites = cmp.Or(s.Elites, max(2, s.Population/4))
	s.Offspring = cmp.Or(s.Offspring, max(1, s.Population-s.Elites))
	s.Tokens = cmp.Or(s.Tokens, 1024)
	s.Seed = cmp.Or(s.Seed, 1)
	s.Warm = s.Warm.WithDefaults()
	s.Halving = s.Halving.WithDefaults()
	s.Space.Granularity = cmp.Or(s.Space.Granularity, Coarse)
	s.Space.Scope = cmp.Or(s.Space.Scope, LayerWise)
	return s
}

// Validate reports the first field that cannot work with the teacher, among them a bin that the space cannot reach.
func (s Search) Validate(teacher Config) error {
	if s.Population < 2 || s.Population > 1<<16 || s.Generations < InitialOnly || s.Offspring < 1 || s.Elites < 1 || s.Elites > s.Population {
		return fmt.Errorf("search: population %d, generations %d, elites %d, offspring %d: want at least 2, %d (the initial population only), 1 (at most the population) and 1",
			s.Population, s.Generations, s.Elites, s.Offspring, InitialOnly)
	}
	if err := s.Bin.Validate(); err != nil {
		return fmt.Errorf("search: %w", err)
	}
	if err := s.validateStrategy(); err != nil {
		return err
	}
	if err := s.Warm.Validate(); err != nil {
		return fmt.Errorf("search: %w", err)
	}
	if err := s.validateData(); err != nil {
		return err
	}
	if err := s.Halving.validate(); err != nil {
		return err
	}
	if err := s.validateOrder(teacher); err != nil {
		return fmt.Errorf("search: %w", err)
	}
	space, err := s.Space.For(teacher)
	if err != nil {
		return err
	}
	if err := space.unreachable(teacher, s.Bin); err != nil {
		return fmt.Errorf("search: %w", err)
	}
	return nil
}

// validateData checks the text. What trains candidates reads the Go installation's in any case, and what measures the units of
// [Reorder] does so, too: there a few thousand tokens of other text do for the order.
func (s Search) validateData() error {
	if err := s.Data.Validate(); err != nil {
		return fmt.Errorf("search: %w", err)
	}
	if !s.Data.IsZero() && !s.Warm.IsZero() {
		return fmt.Errorf("search: a warm search trains its candidates on the Go installation's text, and cannot judge them on %s: leave out one of them", s.Data)
	}
	return nil
}

// Bounds of drawing.
const (
	mostDraws  = 400  // before giving up: what was drawn is known already, or cannot be repaired
	maxRepairs = 2000 // changes that may bring a bred child into the bin
)

// Sample draws one sub-network uniformly from the space's choices, conditioned on the bin.
func (s Search) Sample(teacher Config, seed uint64) (Candidate, error) {
	s.Population, s.Generations, s.Seed = 1, InitialOnly, seed
	s = s.WithDefaults()
	proposer, err := newProposer(s, teacher, 0, nil)
	if err != nil {
		return Candidate{}, err
	}
	return proposer.random()
}

// Next proposes the candidates to evaluate next: those of the first generation that done does not hold in full.
// With [Halving] they may have been evaluated before, and are to be judged on more text: see [Search.Rung]. It returns none
// when the search is finished, and [Search.AllFailed]'s error when it cannot go on. It is a pure function of the search, the teacher and the evaluated candidates, so a search
// continues from its records exactly as if it had never stopped. Where the space holds fewer sub-networks in the bin than the search
// would evaluate, it ends with the first generation that many draws cannot fill.
func (s Search) Next(teacher Config, done []Candidate) ([]Candidate, error) {
	if err := s.AllFailed(done); err != nil {
		return nil, err
	}
	for generation := 0; generation <= s.bred(); generation++ {
		var before, within []Candidate
		for _, c := range done {
			switch {
			case c.Generation < generation:
				before = append(before, c)
			case c.Generation == generation:
				within = append(within, c)
			}
		}
		want := s.Offspring
		if generation == 0 {
			want = s.Population
		}
		if len(within) < want {
			proposed, err := s.propose(teacher, generation, before, want)
			if err != nil {
				return nil, err
			}
			pending := slices.DeleteFunc(proposed, func(p Candidate) bool {
				return slices.ContainsFunc(within, func(c Candidate) bool { return c.ID == p.ID })
			})
			if len(pending) > 0 {
				return pending, nil
			}
		}
		if promoted := s.promoted(within); len(promoted) > 0 || len(within) < want {
			return promoted, nil
		}
	}
	return nil, nil
}

// propose draws one generation from those before it. It is shorter, or empty, where many draws found no more.
func (s Search) propose(teacher Config, generation int, before []Candidate, want int) ([]Candidate, error) {
	p, err := newProposer(s, teacher, generation, before)
	if err != nil {
		return nil, err
	}
	out := make([]Candidate, 0, want)
	for i := range want {
		c, err := p.propose(generation, i)
		if errors.Is(err, errExhausted) && len(before)+len(out) > 0 {
			break
		}
		if err != nil {
			return nil, err
		}
		c.ID, c.Generation = len(before)+i, generation
		out = append(out, c)
	}
	return out, nil
}

// proposer draws the candidates of one generation, none of them equal to an earlier one.
type proposer struct {
	search  Search
	space   Space
	teacher Config
	rand    *rand.Rand
	elites  []Candidate
	barren  bool // all around the elites is known; there may be others elsewhere
	seen    map[string]bool
	sampler *sampler // made when the first random candidate is drawn
	strata  []*sampler
	inverse *Order // of the search's
}

func newProposer(s Search, teacher Config, generation int, before []Candidate) (*proposer, error) {
	if err := s.Bin.Validate(); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	space, err := s.Space.For(teacher)
	if err != nil {
		return nil, err
	}
	if s.Order != nil && space.layersFollow() && space.LayerOrder == nil {
		space.LayerOrder = s.Order.Layers
	}
	p := &proposer{search: s, space: space, teacher: teacher, seen: map[string]bool{},
		rand: rand.New(rand.NewPCG(s.Seed, uint64(generation)))}
	for _, c := range before {
		p.seen[c.Subnet.Key()] = true
	}
	p.elites = s.elites(before)
	return p, nil
}

// Elites are the n candidates with the lowest loss, best first; fewer where fewer have one.
func Elites(candidates []Candidate, n int) []Candidate { return lowest(candidates, MinimizeLoss, n) }

// rank puts a loss that is not a number behind all others.
func rank(loss float64) float64 {
	if math.IsNaN(loss) {
		return math.Inf(1)
	}
	return loss
}

func (p *proposer) random() (Candidate, error) {
	if p.sampler == nil {
		p.sampler = newSampler(p.space, p.teacher, p.search.Bin)
	}
	return p.untilInside(func() (genome, string, []int, bool) {
		g, ok := p.sampler.draw(p.rand)
		return g, "random", nil, ok
	})
}

// breed mutates an elite or crosses two, with equal probability. A child outside the bin is repaired: most changes of
// the width or the depth alone would leave a narrow bin, and no search could make them.
func (p *proposer) breed() (Candidate, error) {
	pick := func() Candidate { return p.elites[p.rand.IntN(len(p.elites))] }
	return p.untilInside(func() (genome, string, []int, bool) {
		a := pick()
		if len(p.elites) < 2 || p.rand.IntN(2) == 0 {
			return p.mutated(a), "mutation", []int{a.ID}, true
		}
		parent, b := p.genome(a), pick()
		for b.ID == a.ID {
			b = pick()
		}
		child := p.space.cross(parent, p.genome(b), p.rand)
		return p.repair(child), "crossover", []int{a.ID, b.ID}, true
	})
}

// mutation mutates an elite.
func (p *proposer) mutation() (Candidate, error) {
	return p.untilInside(func() (genome, string, []int, bool) {
		a := p.elites[p.rand.IntN(len(p.elites))]
		return p.mutated(a), "mutation", []int{a.ID}, true
	})
}

func (p *proposer) mutated(c Candidate) genome {
	return p.repair(p.space.mutate(p.teacher, p.genome(c), p.rand))
}

// subnet expresses a genome of the reordered teacher in the teacher itself, and genome leads back.
func (p *proposer) subnet(g genome) Subnet {
	s := p.space.subnet(p.teacher, g)
	if p.search.Order != nil {
		s = p.search.Order.Subnet(p.teacher, s)
	}
	return s
}

func (p *proposer) genome(c Candidate) genome {
	s := c.Subnet
	if p.search.Order != nil {
		if p.inverse == nil {
			inverse := p.search.Order.Inverse()
			p.inverse = &inverse
		}
		s = p.inverse.Subnet(p.teacher, s)
	}
	return p.space.genome(p.teacher, s, p.rand)
}

// untilInside draws until a genome lies in the space and the bin and is new.
func (p *proposer) untilInside(draw func() (genome, string, []int, bool)) (Candidate, error) {
	for range mostDraws {
		g, origin, parents, ok := draw()
		if !ok {
			break
		}
		if !p.space.contains(g) || p.distance(g) > 0 {
			continue
		}
		p.space.settle(p.teacher, &g, p.rand)
		subnet := p.subnet(g)
		key := subnet.Key()
		if p.seen[key] {
			continue
		}
		p.seen[key] = true
		return Candidate{Origin: origin, Parents: parents, Subnet: subnet, Parameters: subnet.Parameters(p.teacher).Total(),
			FLOPs: subnet.ForwardFLOPs(p.teacher, p.teacher.Context), KVBytes: subnet.KVCacheBytes(p.teacher, 1, 2)}, nil
	}
	if err := p.space.unreachable(p.teacher, p.search.Bin); err != nil {
		return Candidate{}, fmt.Errorf("search: %w", err)
	}
	return Candidate{}, fmt.Errorf("search: %w with %s parameters was found in the %s space of %s: "+
		"there are few, and they are known; widen the bin or the space", errExhausted, p.search.Bin, p.space.Name(), p.teacher.Name)
}

// errExhausted is that of a space whose sub-networks inside the bin are all known, as far as drawing many times can tell.
var errExhausted = errors.New("no new sub-network")

// repair changes sizes of a genome's layers again and again, and keeps each change that does not lead away from the bin. Where
// these do not suffice, width and depth follow: what a child was bred for comes last.
func (p *proposer) repair(g genome) genome {
	distance := p.distance(g)
	for i := 0; i < maxRepairs && distance > 0; i++ {
		changed := g.clone()
		for range 1 + p.rand.IntN(3) {
			if i < maxRepairs/4 {
				p.space.mutateSizes(&changed, p.rand)
			} else {
				p.space.changeSize(&changed, p.rand)
			}
		}
		if d := p.distance(changed); d <= distance && (p.space.contains(changed) || !p.space.contains(g)) {
			g, distance = changed, d
		}
	}
	return g
}

// distance is how many parameters a genome is away from the bin.
func (p *proposer) distance(g genome) int64 {
	n := p.space.parameters(p.teacher, g)
	return max(0, p.search.Bin.Lower-n, n-p.search.Bin.Upper)
}
