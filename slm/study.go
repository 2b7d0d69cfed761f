package slm

import (
	"fmt"
	"strings"
)

// Study is a grid of searches that answers a question by repetition: each bin in each space by each variant, once for each
// seed. It names and describes the searches; who runs them, and where, is not its business: [Study.Found] takes what came out.
type Study struct {
	Name     string    `json:"name"` // begins the name of each search
	Teacher  string    `json:"teacher"`
	Bins     []Bin     `json:"bins"`
	Spaces   []Space   `json:"spaces"`
	Variants []Variant `json:"variants"`
	Seeds    []uint64  `json:"seeds"`
}

// Variant is one way to search. The study fills its teacher, bin, space and seed.
type Variant struct {
	Name   string `json:"name"`
	Search Search `json:"search"`
}

// Cell is a place in the grid: what the searches of several seeds have in common.
type Cell struct {
	Bin     Bin    `json:"bin"`
	Space   string `json:"space"`
	Variant string `json:"variant"`
}

// Trial is one search of a study.
type Trial struct {
	Cell
	Name   string // such as "smollm2-135m-30M-coarse-uniform-evolution-1"
	Search Search
}

// Trials lists the searches. Seeds come last: a study that is stopped has done as many whole grids as it could.
func (s Study) Trials() []Trial {
	var out []Trial
	for _, seed := range s.Seeds {
		for _, bin := range s.Bins {
			for _, space := range s.Spaces {
				for _, variant := range s.Variants {
					out = append(out, s.trial(Cell{bin, space.Name(), variant.Name}, space, variant.Search, seed))
				}
			}
		}
	}
	return out
}

func (s Study) trial(cell Cell, space Space, search Search, seed uint64) Trial {
	search.Teacher, search.Bin, search.Space, search.Seed = s.Teacher, cell.Bin, space, seed
	name := fmt.Sprintf("%s-%s-%s-%d", cell.Bin.Middle(), cell.Space, cell.Variant, seed)
	return Trial{cell, strings.TrimPrefix(s.Name+"-"+name, "-"), search.WithDefaults()}
}

// Middle is a bin's center in short, such as "30M".
func (b Bin) Middle() string { return Count((b.Lower + b.Upper + 1) / 2) }

// Evaluations is how often the whole study judges a candidate.
func (s Study) Evaluations() (n int) {
	for _, t := range s.Trials() {
		n += t.Search.Evaluations()
	}
	return n
}

// Found sorts finished searches into the grid's cells, in the order of the grid. What is missing or unfinished is left out.
func (s Study) Found(populations map[string]Population) Found {
	var found Found
	at := map[Cell]int{}
	for _, t := range s.Trials() {
		p, ok := populations[t.Name]
		if !ok || !p.Done() {
			continue
		}
		i, known := at[t.Cell]
		if !known {
			i, at[t.Cell] = len(found), len(found)
			found = append(found, Repeated{Cell: t.Cell})
		}
		found[i].Searches = append(found[i].Searches, p)
	}
	return found
}
