package slm

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestDim(t *testing.T) {
	for _, c := range []struct {
		dim    Dim
		values []int
	}{
		{Dim{Min: 2, Max: 9, Step: 3}, []int{2, 5, 8}},
		{Frozen(7), []int{7}},
		{Choice(1, 2, 8), []int{1, 2, 8}},
	} {
		var all []int
		for n := range c.dim.all {
			all = append(all, n)
		}
		if !slices.Equal(all, c.values) || c.dim.Choices() != len(all) || c.dim.Last() != all[len(all)-1] {
			t.Errorf("%s: %v, want %v", c.dim, all, c.values)
		}
		for n := range 10 {
			if c.dim.contains(n) != slices.Contains(c.values, n) {
				t.Errorf("%s contains %d: %t", c.dim, n, c.dim.contains(n))
			}
		}
		r, at := rand.New(rand.NewPCG(1, 2)), c.values[0]
		for range 50 {
			if at = c.dim.step(at, r); !slices.Contains(c.values, at) {
				t.Fatalf("%s: stepped to %d", c.dim, at)
			}
		}
	}
}

func TestDimProbabilitiesAddUp(t *testing.T) {
	for _, d := range []Dim{Choice(1, 2, 8), {Min: 1, Max: 100, Step: 1, LogUniform: true}, {Min: 64, Max: 576, Step: 32, LogUniform: true}} {
		sum := 0.0
		for i := range d.Choices() {
			sum += d.probability(i)
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Errorf("%s: probabilities add up to %g", d, sum)
		}
	}
}

func TestDimRefusals(t *testing.T) {
	for _, d := range []Dim{Choice(2, 1), Choice(2, 2), {Min: 1, Max: 5}, Choice(0, 1), Choice(1, 100), {Values: []int{1}, Min: 1}, {Values: []int{1}, LogUniform: true}} {
		if d.validate("embd", 64) == nil {
			t.Errorf("%+v was accepted", d)
		}
	}
}

func TestRatioSpaces(t *testing.T) {
	teacher := smol(t)
	for _, ratios := range [][]float64{{2, 1}, {0, 1}, {math.NaN()}} {
		if _, err := (Space{Granularity: Coarse, Scope: Uniform, FFNRatios: ratios}).For(teacher); err == nil {
			t.Errorf("ratios %v were accepted", ratios)
		}
	}
	bounded := WhittleHWGPTBench
	bounded.FFN = Frozen(512)
	if space, err := bounded.For(teacher); err != nil || len(space.FFNRatios) > 0 {
		t.Errorf("FFN cannot be bounded in a preset: %v", err)
	}
	if _, err := (Space{Granularity: Coarse, Scope: Uniform, FFNRatios: []float64{1, 2}, FFN: Frozen(8)}).For(teacher); err == nil {
		t.Error("both ffn and ratios were accepted")
	}
	space, err := Space{Granularity: Fine, Scope: LayerWise, FFNRatios: []float64{1, 2, 3}}.For(teacher)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := space.For(teacher); err != nil || !again.FFN.equal(space.FFN) {
		t.Errorf("filling twice gives %+v (%v)", again, err)
	}
	search := Search{Space: space, Bin: Around(30e6, 0.05), Population: 8, Generations: 2}.WithDefaults()
	for _, c := range run(t, search, teacher, toyLoss) {
		embd := c.Subnet.Embd.Len(teacher.Embd)
		for _, l := range c.Subnet.KeptLayers(teacher) {
			if ffn := l.Shape(teacher).FFN; ffn%embd != 0 || ffn/embd > 3 {
				t.Fatalf("candidate %d: %d neurons beside %d dimensions", c.ID, ffn, embd)
			}
		}
	}
}
