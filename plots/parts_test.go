package plots

import (
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// SmolLM2 has 28.3M parameters in its tied embedding (49,152 x 576), 26.5M in attention (30 layers of 576 x 64 x 24), 79.6M in the
// FFN (30 x 3 x 576 x 1,536) and 35k in norms (61 x 576): 134,515,008 in all.
func TestPartsNumbers(t *testing.T) {
	teacher, err := slm.Published("smollm2-135m")
	if err != nil {
		t.Fatal(err)
	}
	whole := slm.Candidate{ID: 7, Generation: 2, Loss: 3}
	half := slm.Candidate{ID: 8, Subnet: slm.Subnet{Layers: []slm.LayerSubnet{{Layer: 3}}}, Loss: 4}
	n := partsNumbers(teacher, []slm.Candidate{whole, half})
	if want := (bar{7, 2, 3, [5]int64{28311552, 26542080, 79626240, 35136, 0}}); n.bars[0] != want || want.total() != 134515008 {
		t.Errorf("%+v, want %+v", n.bars[0], want)
	}
	if len(n.drawn) != 4 {
		t.Errorf("parts %v: a tied head has none of its own", n.drawn)
	}
	if got := n.caption(); got != "Largest: embedding, 21-89% of the parameters." {
		t.Errorf("caption %q", got)
	}
	if got := partsNumbers(teacher, nil).caption(); got != "No candidate was given." {
		t.Errorf("caption %q", got)
	}
}

func TestPartsPictures(t *testing.T) {
	needECharts(t)
	p := sampleSearch(t, 16, 4)
	for name, test := range map[string]struct {
		figure   Figure
		contains []string
	}{
		"generations": {Parts(p.Teacher, p.GenerationBests()...), []string{"Parameters by part", "gen 4", "embedding", "attention", "FFN", "norms", "parameters (millions)"}},
		"many":        {Parts(p.Teacher, manyCandidates(10_000).Candidates...), []string{"Drawn: 60 of 10000.", "#0"}},
		"none":        {Parts(p.Teacher), []string{"No candidate"}},
	} {
		t.Run(name, func(t *testing.T) { checkFitted(t, test.figure, 60, test.contains...) })
	}
}
