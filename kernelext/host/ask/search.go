package ask

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/offshoot-ml/offshoot/slm"
)

// spaces are the search spaces by name.
var spaces = map[string]slm.Space{"coarse-uniform": slm.CoarseUniform, "coarse-layer-wise": slm.CoarseLayerWise,
	"fine-uniform": slm.FineUniform, "fine-layer-wise": slm.FineLayerWise}

// Search is a search as a batch job, whose records are a file.
type Search struct {
	Teacher, Space, Bin, Strategy, Objectives, Out string
	Generations, Population, Tokens, Warm          int
	Seed                                           uint64
	JSON                                           bool
}

// Flags implements Request.
func (s *Search) Flags(set *flag.FlagSet) {
	set.StringVar(&s.Teacher, "teacher", "smollm2-135m", modelUsage)
	set.StringVar(&s.Space, "space", "coarse-uniform", "coarse-uniform, coarse-layer-wise, fine-uniform or fine-layer-wise")
	set.StringVar(&s.Bin, "bin", "", "the parameter `BIN`: 30M (±5%) or 28M-32M")
	set.StringVar(&s.Strategy, "strategy", string(slm.Evolution), "evolution, random, stratified, local or nsga2")
	set.StringVar(&s.Objectives, "objective", string(slm.MinimizeLoss), "what to make small, such as loss or, with nsga2, loss,flops: of loss, parameters, flops, kv_cache, latency")
	set.IntVar(&s.Generations, "generations", 4, "generations after the initial population")
	set.IntVar(&s.Population, "population", 16, "candidates of the initial population")
	set.IntVar(&s.Tokens, "tokens", 1024, "held-out tokens on which a candidate is judged")
	set.IntVar(&s.Warm, "warm", 0, "train each candidate for so many steps before it is judged")
	set.Uint64Var(&s.Seed, "seed", 1, "the same seed gives the same search")
	set.StringVar(&s.Out, "out", "", "the `FILE` of the records, a line of JSON each; an interrupted search goes on from it")
	set.BoolVar(&s.JSON, "json", false, "print the best candidate as JSON")
}

// Check implements Request.
func (s *Search) Check() error {
	if s.Out == "" {
		return errors.New("--out is missing: name the file for the records, such as search.jsonl")
	}
	_, err := s.Options()
	return err
}

// Options are the search that the flags describe.
func (s *Search) Options() (slm.Search, error) {
	if s.Bin == "" {
		return slm.Search{}, errors.New("--bin is missing: name the parameters of the students, such as --bin 30M")
	}
	bin, err := slm.ParseBin(s.Bin)
	if err != nil {
		return slm.Search{}, err
	}
	space, ok := spaces[s.Space]
	if !ok {
		return slm.Search{}, fmt.Errorf("--space is %q, want coarse-uniform, coarse-layer-wise, fine-uniform or fine-layer-wise", s.Space)
	}
	if s.Population < 2 || s.Generations < 1 || s.Tokens < 2 || s.Warm < 0 {
		return slm.Search{}, fmt.Errorf("--population %d, --generations %d, --tokens %d, --warm %d: want at least 2, 1, 2 and 0",
			s.Population, s.Generations, s.Tokens, s.Warm)
	}
	search := slm.Search{Teacher: s.Teacher, Space: space, Bin: bin, Strategy: slm.Strategy(s.Strategy), Population: s.Population,
		Generations: s.Generations, Tokens: s.Tokens, Seed: s.Seed, Warm: slm.Warm{Steps: s.Warm}}
	for name := range strings.SplitSeq(s.Objectives, ",") {
		o := slm.Objective(strings.TrimSpace(name))
		if err := o.Validate(); err != nil {
			return slm.Search{}, fmt.Errorf("--objective: %w", err)
		}
		search.Objectives = append(search.Objectives, o)
	}
	if !slices.Contains(slm.Strategies, search.Strategy) {
		return slm.Search{}, fmt.Errorf("--strategy is %q, want one of %v", s.Strategy, slm.Strategies)
	}
	return search.WithDefaults(), nil
}
