package ask

import (
	"flag"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// parsed reads a search's command line.
func parsed(t *testing.T, line string) *Search {
	t.Helper()
	s, set := &Search{}, flag.NewFlagSet("search", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	s.Flags(set)
	if err := set.Parse(strings.Fields(line)); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSearchOptions(t *testing.T) {
	plain := slm.Search{Teacher: "smollm2-135m", Space: slm.CoarseUniform, Bin: slm.Around(30e6, 0.05), Strategy: slm.Evolution,
		Objectives: []slm.Objective{slm.MinimizeLoss}}.WithDefaults()
	for line, change := range map[string]func(*slm.Search){
		"--bin 30M":                             func(*slm.Search) {},
		"--bin 30M+-2%":                         func(s *slm.Search) { s.Bin = slm.Around(30e6, 0.02) },
		"--bin pythia-410m":                     func(s *slm.Search) { s.Bin, _ = slm.ParseBin("pythia-410m") },
		"--bin 30M --space whittle-llama-joint": func(s *slm.Search) { s.Space = slm.WhittleLlamaJoint },
		"--bin 30M --generations 0":             func(s *slm.Search) { s.Generations = 0 },
		"--bin 30M --elites 3 --offspring 5":    func(s *slm.Search) { s.Elites, s.Offspring = 3, 5 },
		"--bin 30M --halving 3":                 func(s *slm.Search) { s.Halving = slm.Halving{Rungs: 3, Keep: 0.5} },
		"--bin 30M --reorder activation-norm":   func(s *slm.Search) { s.Reorder = slm.ByActivationNorm },
		"--bin 30M --data wikitext":             func(s *slm.Search) { s.Data, _ = slm.NamedData("wikitext") },
		"--bin 30M --warm 8":                    func(s *slm.Search) { s.Warm = slm.Warm{Steps: 8}.WithDefaults() },
		"--bin 30M --dim depth=12 --dim embd=192-384/32": func(s *slm.Search) {
			s.Space.Depth, s.Space.Embd = slm.Frozen(12), slm.Dim{Min: 192, Max: 384, Step: 32}
		},
		"--bin 30M --strategy nsga2 --objective loss,flops": func(s *slm.Search) {
			s.Strategy, s.Objectives = slm.NSGA2, []slm.Objective{slm.MinimizeLoss, slm.MinimizeFLOPs}
		},
	} {
		want := plain
		change(&want)
		if got, err := parsed(t, line).Options(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v (%v), want %+v", line, got, err, want)
		}
	}
}

func TestSearchMistakes(t *testing.T) {
	for line, want := range map[string]string{
		"--bin 30M":                      "--out is missing",
		"--out f":                        "--bin is missing",
		"--out f --bin much":             `--bin: bin "much"`,
		"--out f --bin 30M --space vast": "--space \"vast\" is unknown; known: coarse-layer-wise, coarse-uniform, fine-layer-wise, fine-uniform, whittle-hw-gpt-bench",
		"--out f --bin 30M --table t.csv --table t.xls": "--table \"t.xls\"",
		"--out f --bin 30M --dim depth":                 "--dim: space",
		"--out f --bin 30M --dim depth=9-3":             "--dim: space: depth: dimension",
		"--out f --bin 30M --halving 1":                 "--halving 1",
		"--out f --bin 30M --generations -1":            "--generations -1",
		"--out f --bin 30M --reorder loud":              "--reorder is \"loud\"",
		"--out f --bin 30M --objective size":            "--objective",
		"--out f --bin 30M --strategy luck":             "--strategy",
		"--out f --bin 30M --population 1 --warm 100":   "--population 1",
	} {
		if err := parsed(t, line).Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}
