package plots

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// sampleFound are the searches of a study with made-up losses that look like real ones: evolution ends lower than random
// search, and the layer-wise space lower than the uniform one.
func sampleFound() slm.Found {
	var found slm.Found
	r := rand.New(rand.NewPCG(7, 8))
	for _, space := range []string{"coarse-uniform", "coarse-layer-wise", "fine-uniform", "fine-layer-wise"} {
		for _, variant := range []string{"evolution", "random"} {
			cell := slm.Repeated{Cell: slm.Cell{Bin: slm.Around(30e6, 0.05), Space: space, Variant: variant}}
			for seed := range 3 {
				p := slm.Population{Search: slm.Search{Bin: cell.Bin, Seed: uint64(seed + 1)}}
				for i := range 64 {
					loss := 11 + r.ExpFloat64() + 0.3*float64(len(space)%4)
					if variant == "evolution" {
						loss -= 0.01 * float64(i)
					}
					p.Candidates = append(p.Candidates, slm.Candidate{ID: i, Loss: loss})
				}
				cell.Searches = append(cell.Searches, p)
			}
			found = append(found, cell)
		}
	}
	return found
}

func TestProgressNumbers(t *testing.T) {
	found := sampleFound()
	n := progressNumbers(found[:2])
	if n.common != "30M coarse-uniform" || len(n.lines) != 2 || n.lines[1].name != "random" || n.lines[0].seeds != 3 {
		t.Errorf("%q, %+v", n.common, n.lines)
	}
	if got := n.lines[0].spreads; len(got) != 64 || !reflect.DeepEqual(got, found[0].Progress()) {
		t.Errorf("%d spreads", len(got))
	}
	if got := progressNumbers(slm.Found{found[0], found[2]}); got.common != "30M evolution" || got.lines[1].name != "coarse-layer-wise" {
		t.Errorf("%q, %q", got.common, got.lines[1].name)
	}
	if got := progressNumbers(found[:1]); got.common != "30M coarse-uniform evolution" || got.lines[0].name != "evolution" {
		t.Errorf("%q, %q", got.common, got.lines[0].name)
	}
	if !strings.Contains(n.caption(), "Lowest: evolution") || !strings.Contains(n.caption(), "64 evaluations (3 seeds)") {
		t.Errorf("caption %q", n.caption())
	}
}

// A search whose first losses are not numbers begins where they are.
func TestProgressWithoutALoss(t *testing.T) {
	r := slm.Repeated{Cell: slm.Cell{Variant: "evolution"}}
	for _, first := range []float64{math.NaN(), 4} {
		r.Searches = append(r.Searches, slm.Population{Candidates: []slm.Candidate{{Loss: first}, {Loss: 3}}})
	}
	got := progressNumbers([]slm.Repeated{r}).lines[0].points(func(s slm.Spread) float64 { return s.Mean })
	if want := [][2]float64{{2, 3}}; !reflect.DeepEqual(got, want) {
		t.Errorf("points %v, want %v", got, want)
	}
}

func sampleWarm(candidates int, foretell float64) slm.Population {
	p := slm.Population{Name: "warm", Search: slm.Search{Space: slm.CoarseUniform, Warm: slm.Warm{Steps: 20}}}
	r := rand.New(rand.NewPCG(9, uint64(candidates)))
	for i := range candidates {
		before := 11 + 2*r.Float64()
		p.Candidates = append(p.Candidates, slm.Candidate{ID: i, Untrained: before, Loss: 6.5 + foretell*before/10 + 0.2*r.Float64(), Parameters: 30e6})
	}
	return p
}

func TestCorrelationNumbers(t *testing.T) {
	a, b := sampleWarm(24, 1), sampleWarm(20, 0)
	b.Search.Space = slm.FineLayerWise
	a.Candidates[3].Loss = math.NaN()
	c := b
	b.Name, c.Name = "second search", "third search"
	n := correlationNumbers([]slm.Population{a, b, c})
	if len(n[0].points) != 23 || n[0].name != "coarse-uniform" || n[1].name != "second search" || n[2].name != "third search" {
		t.Errorf("%d points, %q, %q, %q", len(n[0].points), n[0].name, n[1].name, n[2].name)
	}
	f, _ := a.Foresight()
	if n[0].foresight != f || f.Rank < 0.2 {
		t.Errorf("%+v, want %+v", n[0].foresight, f)
	}
	if got := correlationCaption(n[:1]); !strings.HasPrefix(got, "Rank correlation 0.") || !strings.HasSuffix(got, "of 23 after.") {
		t.Errorf("caption %q", got)
	}
	several := correlationNumbers([]slm.Population{a, b, c, a, b})
	several[4].foresight.Rank = -0.5
	if got, want := correlationCaption(several), fmt.Sprintf("Rank correlation: -0.50 to %.2f in 5 searches.", f.Rank); got != want {
		t.Errorf("caption %q, want %q", got, want)
	}
	if got := correlationCaption(correlationNumbers([]slm.Population{sampleWarm(2, 1)})); !strings.HasPrefix(got, "Too few") {
		t.Errorf("caption %q", got)
	}
}

func TestSpacesNumbers(t *testing.T) {
	found := sampleFound()
	found[0].Searches[1].Candidates = []slm.Candidate{{Loss: math.NaN()}}
	other := found[0]
	other.Bin = slm.Around(60e6, 0.05)
	n := spacesNumbers(append(found, other), slm.Around(30e6, 0.05))
	if len(n.spaces) != 4 || len(n.variants) != 2 || len(n.losses[0][0]) != 2 || len(n.losses[1][3]) != 3 {
		t.Errorf("%+v", n)
	}
	if got := n.caption(); !strings.Contains(got, "evolution") {
		t.Errorf("caption %q", got)
	}
	if got := spacesNumbers(nil, slm.Bin{}).caption(); got != "No search has been finished yet." {
		t.Errorf("caption %q", got)
	}
}

func TestStaticPicturesOfStudies(t *testing.T) {
	needECharts(t)
	found, bin := sampleFound(), slm.Around(30e6, 0.05)
	four := slm.Found{found[0], found[2], found[4], found[6]}
	a, b := sampleWarm(24, 1), sampleWarm(20, 0)
	b.Search.Space = slm.FineLayerWise
	for _, test := range []struct {
		name     string
		figure   Figure
		contains []string
	}{
		{"progress", Progress(found[:2]...), []string{"Progress 30M coarse-uniform", "evaluations", "nats per token", "random"}},
		{"progress of spaces", Progress(four...), []string{"fine-layer-wise"}},
		{"no progress", Progress(), []string{"No search"}},
		{"correlation", Correlation(a), []string{"perplexity before training (log scale)", "Rank correlation"}},
		{"correlations", Correlation(a, b), []string{"coarse-uniform", "fine-layer-wise"}},
		{"no correlation", Correlation(), []string{"Too few"}},
		{"spaces", Spaces(found, bin), []string{"28.5M-31.5M", "coarse-layer-wise", "evolution", "random", "best loss"}},
		{"no spaces", Spaces(nil, bin), []string{"No search"}},
	} {
		t.Run(test.name, func(t *testing.T) { checkPicture(t, test.figure, 60, test.contains...) })
		if dir := picturesFolder(); dir != "" {
			if err := test.figure.WriteFile(dir + "/" + strings.ReplaceAll(test.name, " ", "-") + ".svg"); err != nil {
				t.Error(err)
			}
		}
	}
}

// picturesFolder is where a person who wants to look at the pictures asked for them.
func picturesFolder() string { return os.Getenv("OFFSHOOT_PICTURES") }
