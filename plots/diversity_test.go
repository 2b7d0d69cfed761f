package plots

import (
	"reflect"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// Generation 0 has two candidates that keep one of three layers in common, generation 1 two that keep the same, generation 2 only one.
func TestDiversityNumbers(t *testing.T) {
	keeps := func(id, generation int, layers ...int) slm.Candidate {
		c := slm.Candidate{ID: id, Generation: generation, Loss: 3}
		for _, l := range layers {
			c.Subnet.Layers = append(c.Subnet.Layers, slm.LayerSubnet{Layer: l})
		}
		return c
	}
	teacher := tiny
	teacher.Layers = 3
	p := slm.Population{Name: "d", Teacher: teacher, Candidates: []slm.Candidate{keeps(0, 0, 0, 1), keeps(1, 0, 1, 2), keeps(2, 1, 0, 1), keeps(3, 1, 0, 1), keeps(4, 2, 0)}}
	n := diversityNumbers(p)
	want := [][2]float64{{0, 0.6667}, {1, 0}}
	if len(n.lines) != 3 || !reflect.DeepEqual(n.lines[0], diversityLine{"layers", want}) || n.last != 1 {
		t.Errorf("%+v", n)
	}
	if got := n.caption(); got != "1: nothing in common, 0: all the same. Most changed: layers, from 0.67 to 0.00." {
		t.Errorf("caption %q", got)
	}
}

func TestDiversityPictures(t *testing.T) {
	needECharts(t)
	for name, test := range map[string]struct {
		p        slm.Population
		contains []string
	}{
		"search":  {sampleSearch(t, 16, 4), []string{"Diversity 30M", "mean Jaccard distance", "embedding", "FFN neurons", "generation"}},
		"nothing": {slm.Population{}, []string{"No two candidates"}},
		"long":    {manyCandidates(10_000), []string{"No two candidates"}},
	} {
		t.Run(name, func(t *testing.T) { checkPicture(t, Diversity(test.p), 60, test.contains...) })
	}
}
