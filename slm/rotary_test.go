package slm

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func ExampleConfig_RotaryPairs() {
	teacher, _ := Published("pythia-70m") // 16 of 64 dimensions of a head turn: pairs 0 and 8, 1 and 9, …
	half := Subnet{Rotary: Kept, Layers: []LayerSubnet{{Layer: 0, HeadSize: teacher.RotaryPairs(32)}}}
	text, _ := json.Marshal(half)
	fmt.Println(string(text))
	fmt.Println(half.Validate(teacher))
	half.Layers[0].HeadSize = First(28)
	fmt.Println(half.Validate(teacher))
	half.Layers[0].HeadSize = First(12)
	fmt.Println(half.Validate(teacher))
	// Output:
	// {"layers":[{"layer":0,"head_size":"0-3,8-11,16-39"}],"rotary":"kept"}
	// <nil>
	// <nil>
	// layers[0].head_size: dimensions 4 and 12 turn together; with rotary "kept" keep both or none
}

// Every even number of dimensions has a set of whole pairs.
func TestRotaryPairsKeepsPairs(t *testing.T) {
	for _, name := range []string{"pythia-70m", "pythia-1b", "smollm2-135m", "qwen3-0.6b"} {
		teacher, err := Published(name)
		if err != nil {
			t.Fatal(err)
		}
		for n := 2; n <= teacher.HeadSize; n += 2 {
			set := teacher.RotaryPairs(n)
			if set.Len(0) != n || teacher.checkPairs(set) != nil || set.check("head_size", teacher.HeadSize) != nil {
				t.Errorf("%s: %d dimensions as %s (%v)", name, n, set, teacher.checkPairs(set))
			}
		}
	}
}

// A kept dimension turns as in the teacher; recomputed, as in a model with heads of that size.
func TestFrequenciesFollowTheRotary(t *testing.T) {
	teacher := smol(t)
	whole := teacher.Frequencies(64)
	l := LayerSubnet{HeadSize: IndicesOf(1, 33, 5, 37)}
	kept := Subnet{Rotary: Kept}.Frequencies(teacher, l)
	if !slices.Equal(kept, []float64{whole[1], whole[5]}) {
		t.Errorf("kept pairs turn by %v, in the teacher by %v and %v", kept, whole[1], whole[5])
	}
	small := teacher
	small.HeadSize = 4
	if got := (Subnet{}).Frequencies(teacher, l); !slices.Equal(got, small.Frequencies(4)) {
		t.Errorf("recomputed pairs turn by %v, those of a model with heads of 4 by %v", got, small.Frequencies(4))
	}
	if got := (Subnet{}).AttentionScale(teacher, l); got != 0.5 {
		t.Errorf("scale %g of heads of 4", got)
	}
	if got := (Subnet{Rotary: Kept}).AttentionScale(teacher, l); got != 0.125 {
		t.Errorf("scale %g of heads of 4 that keep the teacher's", got)
	}
}

// Linear scaling is a division, and that of Llama 3 has three bands.
func TestRopeScalingStretchesPositions(t *testing.T) {
	plain, err := Published("llama-3.2-1b")
	if err != nil {
		t.Fatal(err)
	}
	scaled := plain.Frequencies(64)
	plain.RopeScaling = RopeScaling{}
	unscaled := plain.Frequencies(64)
	between := 0
	for i := range scaled {
		wavelength := 2 * math.Pi / unscaled[i]
		switch ratio := unscaled[i] / scaled[i]; {
		case wavelength < 8192/4 && ratio != 1, wavelength > 8192 && math.Abs(ratio-32) > 1e-9:
			t.Errorf("pair %d of wavelength %g is divided by %g", i, wavelength, ratio)
		case ratio > 1 && ratio < 31.999:
			between++
		}
	}
	if between == 0 {
		t.Error("no pair lies between the bands")
	}
	plain.RopeScaling = RopeScaling{Kind: LinearScaling, Factor: 4}
	if got := plain.Frequencies(64)[3] * 4; math.Abs(got-unscaled[3]) > 1e-15 {
		t.Errorf("a frequency of %g was divided by 4 to %g", unscaled[3], got/4)
	}
}

func TestConfigValidate(t *testing.T) {
	good := smol(t)
	for name, change := range map[string]func(*Config){
		"family":           func(c *Config) { c.Family = "gpt2" },
		"layers":           func(c *Config) { c.Layers = 1 << 20 },
		"embd is 0":        func(c *Config) { c.Embd = 0 },
		"query groups":     func(c *Config) { c.QueryGroups = 2 },
		"parallel":         func(c *Config) { c.ParallelResidual = true },
		"group for each":   func(c *Config) { c.Family = GPTNeoX },
		"rotary_fraction":  func(c *Config) { c.RotaryFraction = 1.5 },
		"even number":      func(c *Config) { c.RotaryFraction = 0.3 },
		"norm_eps":         func(c *Config) { c.NormEps = math.NaN() },
		"is not supported": func(c *Config) { c.RopeScaling.Kind = "yarn" },
		"factor is 0":      func(c *Config) { c.RopeScaling.Kind = LinearScaling },
		"low below high": func(c *Config) {
			c.RopeScaling = RopeScaling{Kind: Llama3Scaling, Factor: 8, LowFrequencyFactor: 4, HighFrequencyFactor: 1, OriginalContext: 9}
		},
		"32 rotated pairs": func(c *Config) { c.RopeScaling = RopeScaling{Kind: PerPairScaling, Factors: []float64{1}} },
	} {
		c := good
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want %q", err, name)
		}
	}
	for _, name := range PublishedNames() {
		if c, err := Published(name); err != nil || c.Validate() != nil || c.Name != name || !strings.Contains(Repository(name), "/") {
			t.Errorf("%s: %v, %v", name, err, c.Validate())
		}
	}
}

// Where each head has a query group of its own, naming one names the other.
func TestHeadsAndGroupsAreOneThingWithoutSharing(t *testing.T) {
	teacher, err := Published("pythia-70m")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, text := range []string{`{"layers":[{"layer":0,"heads":"0,5"}]}`, `{"layers":[{"layer":0,"query_groups":"0,5"}]}`,
		`{"layers":[{"layer":0,"query_groups":"0,5","heads":"0,5"}]}`} {
		var s Subnet
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(teacher); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		keys = append(keys, s.Normalize(teacher).Key())
	}
	if keys[0] != keys[1] || keys[1] != keys[2] {
		t.Errorf("one sub-network has the keys %v", keys)
	}
}
