package plots

import (
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// sampleFamily is 0 and 1 drawn at random, 2 crossed from both, and 3 a mutation of 2, the winner; nothing descends from 4.
func sampleFamily() slm.Population {
	bred := func(id, generation int, loss float64, parents ...int) slm.Candidate {
		return slm.Candidate{ID: id, Generation: generation, Loss: loss, Parents: parents, Origin: origins[len(parents)], Parameters: 4e6}
	}
	return slm.Population{Name: "f", Candidates: []slm.Candidate{bred(0, 0, 5), bred(1, 0, 4), bred(2, 1, 3.5, 0, 1), bred(3, 2, 3, 2), bred(4, 2, 6, 0)}}
}

func TestAncestryNumbers(t *testing.T) {
	n := ancestryNumbers(sampleFamily(), 3)
	if !reflect.DeepEqual(n.counts, []int{2, 1, 1}) || n.family != 4 || n.last != 2 {
		t.Errorf("%v of %d to generation %d", n.counts, n.family, n.last)
	}
	if want := []place{{0.075, 4}, {1, 3.5}, {2, 3}}; !reflect.DeepEqual(n.lineage, want) {
		t.Errorf("lineage %v, want %v", n.lineage, want)
	}
	if len(n.descent) != 3 || n.descent[0] != [2]place{{1, 3.5}, {2, 3}} {
		t.Errorf("descent %v", n.descent)
	}
	for id, want := range map[int]string{
		3:  "#3 comes from 2 random candidates by 1 mutation and 1 crossover. Strong: better parent.",
		0:  "#0 was drawn at random: it descends from no other candidate.",
		77: "Candidate #77 has not been evaluated, or has no finite loss.",
	} {
		if got := AncestryOf(sampleFamily(), id).Caption; got != want {
			t.Errorf("caption of %d: %q, want %q", id, got, want)
		}
	}
}

// A thousand generations of mutations and crossovers stay a small picture, in which the lineage still begins at the first.
func TestLongAncestry(t *testing.T) {
	needECharts(t)
	p := sampleFamily()
	for id := 5; id < 1000; id++ {
		p.Candidates = append(p.Candidates, slm.Candidate{ID: id, Generation: id, Origin: "crossover", Parents: []int{id - 1, id - 2},
			Loss: 6 - 0.003*float64(id), Parameters: 4e6})
	}
	n := ancestryNumbers(p, 999)
	if drawn := len(n.members[0]) + len(n.members[1]) + len(n.members[2]); drawn > 2*mostRelatives || n.family != 1000 || n.line[0].id > 1 {
		t.Errorf("%d drawn of %d, from #%d on", drawn, n.family, n.line[0].id)
	}
	svg, err := ancestryFigure(n).SVG()
	if err != nil {
		t.Fatal(err)
	}
	if text := words(t, svg); !strings.Contains(text, "#999, ") || len(svg) > 120<<10 {
		t.Errorf("%d KB", len(svg)>>10)
	}
}
