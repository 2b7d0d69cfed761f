package slm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func ExamplePrune() {
	teacher, _ := Published("smollm2-135m")
	z := Sizes{Depth: 10, Embd: 288, QueryGroups: 1, HeadsPerGroup: 2, HeadSize: 64, FFN: 768}
	s, err := Prune(teacher, z, EvenlySpaced)
	fmt.Println(Count(s.Parameters(teacher).Total()), s.Layers[1].Layer, s.Layers[1].Heads, err)
	z.Embd = 600
	_, err = Prune(teacher, z, FirstN)
	fmt.Println(err)
	// Output:
	// 21.9M 3 0,2 <nil>
	// prune: embd is 600, want 1 to the teacher's 576
}

// scored gives every unit of a teacher a random score.
func scored(c Config, seed uint64) Importance {
	r := rand.New(rand.NewPCG(seed, 0))
	list := func(n int) (out []float64) {
		for range n {
			out = append(out, r.NormFloat64())
		}
		return out
	}
	i := Importance{Method: "random", Layers: list(c.Layers), Embd: list(c.Embd)}
	for range c.Layers {
		i.QueryGroups, i.Heads, i.FFN = append(i.QueryGroups, list(c.QueryGroups)), append(i.Heads, list(c.Heads)), append(i.FFN, list(c.FFN))
	}
	return i
}

// Every pruner gives valid sub-networks of the sizes that were asked for, in every family.
func TestPrunersKeepTheSizes(t *testing.T) {
	for _, name := range []string{"smollm2-135m", "pythia-70m", "qwen3-0.6b"} {
		teacher, err := Published(name)
		if err != nil {
			t.Fatal(err)
		}
		z := Sizes{Depth: teacher.Layers / 2, Embd: teacher.Embd / 3, QueryGroups: teacher.QueryGroups - 1, HeadsPerGroup: 1, HeadSize: 32, FFN: 77}
		want := Subnet{}.Parameters(z.Config(teacher)).Total()
		for method, prune := range map[string]Pruner{"first": FirstN, "even": EvenlySpaced, "random": AtRandom(3),
			"importance": ByImportance(scored(teacher, 1)), "unmeasured": ByImportance(Importance{})} {
			s, err := Prune(teacher, z, prune)
			if err != nil {
				t.Fatalf("%s, %s: %v", name, method, err)
			}
			if got := s.Parameters(teacher).Total(); got != want {
				t.Errorf("%s, %s: %d parameters, want %d", name, method, got, want)
			}
		}
	}
}

func TestByImportanceKeepsTheHighest(t *testing.T) {
	teacher := smol(t)
	i := scored(teacher, 2)
	s, err := Prune(teacher, Sizes{3, 50, 2, 2, 64, 100}, ByImportance(i))
	if err != nil {
		t.Fatal(err)
	}
	highest := func(what string, scores []float64, kept []int) {
		t.Helper()
		lowest := math.Inf(1)
		for _, k := range kept {
			lowest = min(lowest, scores[k])
		}
		for k, v := range scores {
			if v > lowest && !slices.Contains(kept, k) {
				t.Errorf("%s %d with score %g is dropped, one with %g is kept", what, k, v, lowest)
			}
		}
	}
	highest("dimension", i.Embd, s.Embd.Slice(576))
	var layers []int
	for _, l := range s.Layers {
		layers = append(layers, l.Layer)
		highest("neuron", i.FFN[l.Layer], l.FFN.Slice(1536))
		highest("group", i.QueryGroups[l.Layer], l.QueryGroups.Slice(3))
	}
	highest("layer", i.Layers, layers)
}

// The coarse sub-network of the reordered teacher is what pruning by importance keeps, and the way back is exact.
func TestOrderPutsTheImportantFirst(t *testing.T) {
	for _, name := range []string{"smollm2-135m", "pythia-70m"} {
		teacher, err := Published(name)
		if err != nil {
			t.Fatal(err)
		}
		i := scored(teacher, 3)
		if teacher.HeadsPerGroup() == 1 {
			i.QueryGroups = nil // heads are groups
		}
		i.Layers = nil
		o, err := i.Order(teacher)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.Validate(teacher); err != nil {
			t.Fatal(err)
		}
		z := Sizes{Depth: 4, Embd: 96, QueryGroups: 2, HeadsPerGroup: 1, HeadSize: teacher.HeadSize, FFN: 60}
		first, important := z.Subnet(teacher), Subnet{}
		if important, err = Prune(teacher, z, ByImportance(i)); err != nil {
			t.Fatal(err)
		}
		mapped := o.Subnet(teacher, first)
		if !reflect.DeepEqual(mapped, important) {
			t.Errorf("%s: the first of the reordered teacher are %v, the important ones %v", name, mapped, important)
		}
		if back := o.Inverse().Subnet(teacher, mapped); !reflect.DeepEqual(back, first) {
			t.Errorf("%s: the way back leads to %v, not %v", name, back, first)
		}
	}
}

func TestBadImportancesAndOrdersAreNamed(t *testing.T) {
	teacher := smol(t)
	short, infinite, fewer := scored(teacher, 1), scored(teacher, 1), scored(teacher, 1)
	short.Embd = short.Embd[:5]
	infinite.FFN[2][7] = math.NaN()
	fewer.Heads = fewer.Heads[:3]
	for want, i := range map[string]Importance{"embd has 5 scores": short, "ffn[2] unit 7": infinite, "heads has scores for 3 layers": fewer} {
		if err := i.Validate(teacher); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	o, err := Importance{}.Order(teacher)
	if err != nil {
		t.Fatal(err)
	}
	o.Heads[1] = slices.Clone(o.Heads[1])
	o.Heads[1][0], o.Heads[1][8] = 8, 0
	if err := o.Validate(teacher); err == nil || !strings.Contains(err.Error(), "head 8 of query group 2 among those of group 0") {
		t.Errorf("heads that left their groups: %v", err)
	}
	o.Embd[0] = 1
	if err := o.Validate(teacher); err == nil || !strings.Contains(err.Error(), "named twice") {
		t.Errorf("a dimension named twice: %v", err)
	}
}
