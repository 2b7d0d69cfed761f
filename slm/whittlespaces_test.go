package slm

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// whittle's spaces by name draw what whittle draws: testdata/whittle_spaces.py says how that was recorded.
func TestPresetsDrawAsWhittleDoes(t *testing.T) {
	text, err := os.ReadFile("testdata/whittle_spaces.json")
	if err != nil {
		t.Fatal(err)
	}
	var reference struct {
		Sizes []struct {
			Space, Teacher, Size string
			At                   []int
			Share                []float64
		}
	}
	if err := json.Unmarshal(text, &reference); err != nil {
		t.Fatal(err)
	}
	if len(reference.Sizes) != 7*7 {
		t.Fatalf("%d distributions, want 7 sizes of 4 and 3 spaces of 2 teachers", len(reference.Sizes))
	}
	drawn := map[string]map[string][]int{}
	for _, r := range reference.Sizes {
		key := r.Space + " of " + r.Teacher
		if drawn[key] == nil {
			drawn[key] = drawSizes(t, r.Space, r.Teacher, 4000)
		}
		values := drawn[key][r.Size]
		for i, at := range r.At {
			upTo := 0
			for _, v := range values {
				if v <= at {
					upTo++
				}
			}
			// Five standard deviations of a share of 4,000 draws are at most 0.04.
			if share := float64(upTo) / float64(len(values)); math.Abs(share-r.Share[i]) > 0.04 {
				t.Errorf("%s: %.3f of the draws have %s up to %d, %.3f of whittle's", key, share, r.Size, at, r.Share[i])
			}
		}
	}
}

// drawSizes draws from a preset, and lists each size of the first layer, and heads and neurons of the last.
func drawSizes(t *testing.T, preset, name string, draws int) map[string][]int {
	t.Helper()
	teacher, err := Published(name)
	if err != nil {
		t.Fatal(err)
	}
	space, err := SpaceNamed("whittle-" + strings.ReplaceAll(preset, "_", "-"))
	if err != nil {
		t.Fatal(err)
	}
	if space, err = space.For(teacher); err != nil {
		t.Fatal(err)
	}
	out, r := map[string][]int{}, rand.New(rand.NewPCG(3, 4))
	for range draws {
		s := space.subnet(teacher, space.sample(teacher, r))
		kept := s.KeptLayers(teacher)
		if kept[len(kept)-1].Layer != len(kept)-1 {
			t.Fatalf("%s keeps layer %d of %d: want the first ones", preset, kept[len(kept)-1].Layer, len(kept))
		}
		first, last := kept[0].Shape(teacher), kept[len(kept)-1].Shape(teacher)
		for name, v := range map[string]int{"depth": len(kept), "embd": s.Embd.Len(teacher.Embd), "heads": first.Heads, "ffn": first.FFN,
			"head size": first.HeadSize, "last heads": last.Heads, "last ffn": last.FFN} {
			out[name] = append(out[name], v)
		}
	}
	return out
}

// A preset can be searched as any space: inside a bin, by mutation and crossover, without leaving what it draws.
func TestPresetsAreSearched(t *testing.T) {
	teacher, err := Published("pythia-410m")
	if err != nil {
		t.Fatal(err)
	}
	for _, space := range []Space{WhittleSmall, WhittleMedium, WhittleHWGPTBench, WhittleLlamaJoint} {
		s := Search{Space: space, Bin: Bin{80e6, 120e6}, Population: 8, Generations: 3}.WithDefaults()
		if err := s.Validate(teacher); err != nil {
			t.Fatal(err)
		}
		filled, err := space.For(teacher)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range run(t, s, teacher, func(c Candidate) float64 { return math.Abs(float64(c.Parameters) - 100e6) }) {
			if !s.Bin.Contains(c.Parameters) {
				t.Errorf("%s: %d parameters", space.Name(), c.Parameters)
			}
			kept := c.Subnet.KeptLayers(teacher)
			if kept[len(kept)-1].Layer != len(kept)-1 {
				t.Errorf("%s: candidate %d does not keep the first layers", space.Name(), c.ID)
			}
			embd := c.Subnet.Embd.Len(teacher.Embd)
			for _, l := range kept {
				ffn := l.Shape(teacher).FFN
				if ratio := float64(ffn) / float64(embd); len(filled.FFNRatios) > 0 && !slices.Contains(filled.FFNRatios, ratio) {
					t.Errorf("%s: candidate %d has %d neurons beside %d dimensions", space.Name(), c.ID, ffn, embd)
				}
			}
		}
	}
}

func TestLlamaJointNeedsItsHeads(t *testing.T) {
	_, err := WhittleLlamaJoint.For(smol(t)) // 9 heads in 3 groups
	if err == nil || !strings.Contains(err.Error(), "9 heads in 3 query groups") {
		t.Errorf("error %v, want the teacher's heads", err)
	}
}
