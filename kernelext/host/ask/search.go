package ask

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/offshoot-ml/offshoot/slm"
)

// Search is a search as a batch job, whose records are a file.
type Search struct {
	Teacher, Space, Bin, Strategy, Objectives, Reorder, Out  string
	Generations, Population, Elites, Offspring, Tokens, Warm int
	Halving                                                  int
	Seed                                                     uint64
	Dims, Tables                                             list
	Data                                                     Data
	JSON                                                     bool
}

// list is a flag that may be repeated.
type list []string

func (l *list) String() string { return strings.Join(*l, " ") }

// Set implements flag.Value.
func (l *list) Set(text string) error {
	*l = append(*l, text)
	return nil
}

// Flags implements Request.
func (s *Search) Flags(set *flag.FlagSet) {
	set.StringVar(&s.Teacher, "teacher", "smollm2-135m", modelUsage)
	set.StringVar(&s.Space, "space", "coarse-uniform", "the search `SPACE`: "+strings.Join(slm.SpaceNames(), ", "))
	set.Var(&s.Dims, "dim", "bound or freeze a `DIMENSION` of the space: depth=12, embd=192-384/32 (in steps of 32), ffn=512,1024; of depth, embd, query_groups, heads_per_group, head_size, ffn; may be repeated")
	set.StringVar(&s.Bin, "bin", "", "the parameter `BIN`: 30M (±5%), 30M±2% or 30M+-2%, 28M-32M, or a published model's size, such as "+slm.PaperBins[0])
	set.StringVar(&s.Strategy, "strategy", string(slm.Evolution), "evolution, random, stratified, local or nsga2")
	set.StringVar(&s.Objectives, "objective", string(slm.MinimizeLoss), "what to make small, such as loss or, with nsga2, loss,flops: of loss, parameters, flops, kv_cache, latency")
	set.IntVar(&s.Generations, "generations", 4, "generations after the initial population")
	set.IntVar(&s.Population, "population", 16, "candidates of the initial population")
	set.IntVar(&s.Elites, "elites", 0, "best candidates, from which a generation is bred (default: a quarter of the population)")
	set.IntVar(&s.Offspring, "offspring", 0, "new candidates in a generation (default: the population less the elites)")
	set.IntVar(&s.Tokens, "tokens", 1024, "held-out tokens on which a candidate is judged")
	s.Data.Flags(set, "goroot")
	set.IntVar(&s.Warm, "warm", 0, "train each candidate for so many steps before it is judged")
	set.IntVar(&s.Halving, "halving", 0, "judge on little text first, the better half on twice as much, and so on: so many `RUNGS`")
	set.StringVar(&s.Reorder, "reorder", "", "search the teacher with its important units first, by this `MEASURE`: activation-norm, activation-mean, activation-variance or weight-norm")
	set.Uint64Var(&s.Seed, "seed", 1, "the same seed gives the same search")
	set.StringVar(&s.Out, "out", "", "the `FILE` of the records, a line of JSON each; an interrupted search goes on from it")
	set.Var(&s.Tables, "table", "write all candidates into a `FILE` when the search is finished: a .csv, .parquet or .json; may be repeated")
	set.BoolVar(&s.JSON, "json", false, "print the best candidate as JSON")
}

// Check implements Request.
func (s *Search) Check() error {
	if s.Out == "" {
		return errors.New("--out is missing: name the file for the records, such as search.jsonl")
	}
	for _, path := range s.Tables {
		if err := slm.CheckTable(path); err != nil {
			return fmt.Errorf("--%w", err)
		}
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
		return slm.Search{}, fmt.Errorf("--bin: %w", err)
	}
	space, err := s.space()
	if err != nil {
		return slm.Search{}, err
	}
	if s.Population < 2 || s.Generations < 0 || s.Tokens < 2 || min(s.Warm, s.Halving, s.Elites, s.Offspring) < 0 || s.Halving == 1 {
		return slm.Search{}, fmt.Errorf("--population %d, --generations %d, --elites %d, --offspring %d, --tokens %d, --warm %d, --halving %d: "+
			"want at least 2, 0, 1, 1, 2, 0, and 2 (or 0)", s.Population, s.Generations, s.Elites, s.Offspring, s.Tokens, s.Warm, s.Halving)
	}
	search := slm.Search{Teacher: s.Teacher, Space: space, Bin: bin, Strategy: slm.Strategy(s.Strategy), Population: s.Population,
		Generations: s.Generations, Elites: s.Elites, Offspring: s.Offspring, Tokens: s.Tokens, Seed: s.Seed, Warm: slm.Warm{Steps: s.Warm},
		Halving: slm.Halving{Rungs: s.Halving}, Reorder: slm.Reorder(s.Reorder)}
	if err := search.Reorder.Validate(); err != nil {
		return slm.Search{}, fmt.Errorf("--%w", err)
	}
	if search.Objectives, err = s.objectives(); err != nil {
		return slm.Search{}, err
	}
	if search.Data, err = s.Data.Read(); err != nil {
		return slm.Search{}, err
	}
	if !slices.Contains(slm.Strategies, search.Strategy) {
		return slm.Search{}, fmt.Errorf("--strategy is %q, want one of %v", s.Strategy, slm.Strategies)
	}
	search = search.WithDefaults()
	search.Generations = s.Generations // of which none is no default here
	return search, nil
}

// space is the named space with the dimensions that are bounded.
func (s *Search) space() (slm.Space, error) {
	space, err := slm.SpaceNamed(s.Space)
	if err != nil {
		return space, fmt.Errorf("--%w", err)
	}
	for _, dim := range s.Dims {
		if space, err = space.With(dim); err != nil {
			return space, fmt.Errorf("--dim: %w", err)
		}
	}
	return space, nil
}

func (s *Search) objectives() (all []slm.Objective, err error) {
	for name := range strings.SplitSeq(s.Objectives, ",") {
		o := slm.Objective(strings.TrimSpace(name))
		if err := o.Validate(); err != nil {
			return nil, fmt.Errorf("--objective: %w", err)
		}
		all = append(all, o)
	}
	return all, nil
}
