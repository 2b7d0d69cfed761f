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

func ExampleSearch_Sample() {
	teacher, _ := Published("smollm2-135m")
	search := Search{Space: CoarseUniform, Bin: Around(30e6, 0.05)}
	c, err := search.Sample(teacher, 1)
	fmt.Println(err, search.Bin.Contains(c.Parameters))
	// Output: <nil> true
}

func TestSampleStaysInsideTheBin(t *testing.T) {
	teacher := smol(t)
	for _, space := range []Space{CoarseUniform, CoarseLayerWise, FineUniform, FineLayerWise} {
		for _, center := range []float64{15e6, 30e6, 60e6, 120e6} {
			s := Search{Space: space, Bin: Around(center, 0.05)}
			for seed := range uint64(20) {
				c, err := s.Sample(teacher, seed+1)
				if err != nil {
					t.Fatal(err)
				}
				if err := c.Subnet.Validate(teacher); err != nil {
					t.Fatal(err)
				}
				if n := c.Subnet.Parameters(teacher).Total(); n != c.Parameters || !s.Bin.Contains(n) {
					t.Fatalf("%s %s: %d parameters, recorded as %d, outside %s", space.Granularity, space.Scope, n, c.Parameters, s.Bin)
				}
			}
		}
	}
}

func TestUniformSpaceGivesAllLayersOneShape(t *testing.T) {
	teacher := smol(t)
	s := Search{Space: CoarseUniform, Bin: Around(30e6, 0.05)}.WithDefaults()
	for _, c := range run(t, s, teacher, toyLoss) {
		first := c.Subnet.Layers[0]
		for _, l := range c.Subnet.Layers {
			want := first
			want.Layer = l.Layer
			if !reflect.DeepEqual(l, want) {
				t.Fatalf("candidate %d: layers %v and %v differ", c.ID, first, l)
			}
		}
	}
}

// toyLoss has a single best architecture: 256 wide, 16 deep, FFN of 640.
func toyLoss(c Candidate) float64 {
	loss := math.Abs(float64(c.Subnet.Embd.Len(576))-256)/32 + math.Abs(float64(len(c.Subnet.Layers))-16)
	for _, l := range c.Subnet.Layers {
		loss += math.Abs(float64(l.FFN.Len(1536))-640) / 640 / float64(len(c.Subnet.Layers))
	}
	return loss
}

// run plays a whole search, evaluating by loss.
func run(t testing.TB, s Search, teacher Config, loss func(Candidate) float64) []Candidate {
	t.Helper()
	var done []Candidate
	for {
		pending, err := s.Next(teacher, done)
		if err != nil {
			t.Fatal(err)
		}
		if len(pending) == 0 {
			return done
		}
		for _, c := range pending {
			c.Loss = loss(c)
			done = append(done, c)
		}
	}
}

func TestSearchIsDeterministicAndResumes(t *testing.T) {
	teacher := smol(t)
	s := Search{Space: CoarseLayerWise, Bin: Around(30e6, 0.05), Seed: 7}.WithDefaults()
	whole := run(t, s, teacher, toyLoss)
	if len(whole) != s.Evaluations() {
		t.Fatalf("%d candidates, want %d", len(whole), s.Evaluations())
	}
	keys := map[string]bool{}
	for i, c := range whole {
		if c.ID != i {
			t.Fatalf("candidate %d has ID %d", i, c.ID)
		}
		if !s.Bin.Contains(c.Parameters) {
			t.Errorf("candidate %d has %d parameters", i, c.Parameters)
		}
		if keys[c.Subnet.Key()] {
			t.Errorf("candidate %d was proposed before", i)
		}
		keys[c.Subnet.Key()] = true
	}
	for _, at := range []int{1, s.Population - 1, s.Population, s.Population + 3, len(whole) - 1} {
		pending, err := s.Next(teacher, whole[:at])
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range pending {
			c.Loss = toyLoss(c)
			if !reflect.DeepEqual(c, whole[at+i]) {
				t.Fatalf("resumed after %d evaluations, candidate %d differs", at, at+i)
			}
		}
	}
	other := s
	other.Seed = 8
	if reflect.DeepEqual(run(t, other, teacher, toyLoss), whole) {
		t.Error("another seed gives the same search")
	}
}

// A bin with fewer sub-networks than a search would evaluate: it ends with all of them, by every strategy, and stopped or not.
func TestSearchEndsWhereTheSpaceDoes(t *testing.T) {
	teacher := Config{Family: GPTNeoX, Layers: 8, Embd: 256, Heads: 8, QueryGroups: 8, HeadSize: 32, FFN: 1024, Vocab: 4096, Context: 512,
		NormEps: 1e-5, RopeTheta: 10000, RotaryFraction: 0.25, ParallelResidual: true}
	bin := Around(0.7e6, 0.05)
	space, err := CoarseUniform.For(teacher)
	if err != nil {
		t.Fatal(err)
	}
	all := 0
	for range space.inside(teacher, bin) {
		all++
	}
	for _, strategy := range []Strategy{Evolution, RandomSearch, LocalSearch, Stratified} {
		s := Search{Space: CoarseUniform, Bin: bin, Strategy: strategy, Population: 8, Offspring: 6, Generations: 12}.WithDefaults()
		if all <= s.Population || all >= s.Evaluations() {
			t.Fatalf("the bin holds %d, of %d evaluations", all, s.Evaluations())
		}
		whole := run(t, s, teacher, toyLoss)
		keys := map[string]bool{}
		for _, c := range whole {
			keys[c.Subnet.Key()] = true
		}
		if len(whole) != all || len(keys) != all {
			t.Errorf("%s ends after %d candidates, %d different ones; the bin holds %d", strategy, len(whole), len(keys), all)
			continue
		}
		pending, err := s.Next(teacher, whole[:all-1])
		if err != nil || len(pending) != 1 || pending[0].Subnet.Key() != whole[all-1].Subnet.Key() {
			t.Errorf("%s before the last: %d pending, %v", strategy, len(pending), err)
		}
	}
	halving := Search{Space: CoarseUniform, Bin: bin, Strategy: RandomSearch, Population: all / 3, Offspring: all / 3, Generations: 12,
		Halving: Halving{Rungs: 3}}.WithDefaults()
	if all%3 != 0 {
		t.Fatalf("a bin of %d ends within a generation", all)
	}
	var whole, stopped Population
	judged := halved(t, halving, teacher, &whole, -1)
	again := append(halved(t, halving, teacher, &stopped, len(judged)-1), halved(t, halving, teacher, &stopped, -1)...)
	if len(whole.Candidates) != all || !slices.Equal(again, judged) || 13*len(judged) != 3*halving.Evaluations() {
		t.Errorf("with halving %d candidates in %d judgements, stopped before the last %d", len(whole.Candidates), len(judged), len(again))
	}
}

// Zero fields are defaults, so that a search of the initial population alone says so.
func TestGenerations(t *testing.T) {
	teacher := smol(t)
	for _, c := range []struct{ asked, candidates int }{{0, 8 + 4*6}, {InitialOnly, 8}, {1, 8 + 6}} {
		s := Search{Space: CoarseUniform, Bin: Around(30e6, 0.05), Population: 8, Generations: c.asked}.WithDefaults().WithDefaults()
		if err := s.Validate(teacher); err != nil {
			t.Fatal(err)
		}
		done := run(t, s, teacher, toyLoss)
		p := Population{Search: s, Candidates: done}
		if len(done) != c.candidates || s.Evaluations() != c.candidates || s.Effort() != float64(c.candidates) || !p.Done() {
			t.Errorf("generations %d: %d candidates of %d, effort %g, want %d", c.asked, len(done), s.Evaluations(), s.Effort(), c.candidates)
		}
	}
	if err := (Search{Bin: Around(30e6, 0.05), Generations: -2}).WithDefaults().Validate(teacher); err == nil {
		t.Error("-2 generations are accepted")
	}
}

func TestEvolutionBeatsRandomSampling(t *testing.T) {
	teacher := smol(t)
	for _, space := range []Space{CoarseUniform, CoarseLayerWise, FineUniform, FineLayerWise} {
		var evolved, drawn float64 // sums of the best losses over the seeds
		for seed := range uint64(5) {
			s := Search{Space: space, Bin: Around(30e6, 0.05), Seed: seed + 1}.WithDefaults()
			evolved += Population{Candidates: run(t, s, teacher, toyLoss)}.Best().Loss
			s.Population, s.Generations = s.Evaluations(), 0
			drawn += Population{Candidates: run(t, s, teacher, toyLoss)}.Best().Loss
		}
		if evolved >= drawn {
			t.Errorf("%s: evolution's best losses sum to %.2f, those of as many random draws to %.2f", space.Scope, evolved, drawn)
		}
	}
}

func TestUnreachableBinSaysWhatIsReachable(t *testing.T) {
	teacher := smol(t)
	for _, center := range []float64{1e6, 500e6} {
		err := Search{Bin: Around(center, 0.05)}.WithDefaults().Validate(teacher)
		if err == nil || !strings.Contains(err.Error(), "they have") || !strings.Contains(err.Error(), "135M") {
			t.Errorf("bin around %g: error %v, want the reachable counts", center, err)
		}
	}
	frozen := Space{Granularity: Coarse, Scope: Uniform, Depth: Frozen(12), Embd: Dim{Min: 192, Max: 576, Step: 384}}
	if _, err := (Search{Space: frozen, Bin: Bin{30e6, 30e6 + 1}}).Sample(teacher, 1); err == nil {
		t.Error("a bin between the reachable counts gave a sub-network")
	}
	if err := (Search{Bin: Bin{3, 2}}).WithDefaults().Validate(teacher); err == nil {
		t.Error("an empty bin is valid")
	}
}

func TestSpaceRefusesBadDimensions(t *testing.T) {
	teacher := smol(t)
	for _, s := range []Space{
		{Granularity: "finest", Scope: Uniform},
		{Granularity: Coarse, Scope: "sideways"},
		{Granularity: Coarse, Scope: Uniform, Depth: Dim{Min: 0, Max: 30, Step: 1}},
		{Granularity: Coarse, Scope: Uniform, Embd: Dim{Min: 32, Max: 577, Step: 1}},
		{Granularity: Coarse, Scope: Uniform, FFN: Dim{Min: 64, Max: 32, Step: 1}},
		{Granularity: Coarse, Scope: Uniform, HeadSize: Dim{Min: 31, Max: 31, Step: 1}},
	} {
		if _, err := s.For(teacher); err == nil {
			t.Errorf("%+v is accepted", s)
		}
	}
}

func TestGenomeRoundTrip(t *testing.T) {
	teacher := smol(t)
	r := rand.New(rand.NewPCG(3, 4)) // for the layers that a sub-network does not keep
	for space, s := range samples(t, teacher) {
		if back := space.subnet(teacher, space.genome(teacher, s, r)); back.Key() != s.Key() {
			t.Fatalf("%v read back as %v", s, back)
		}
	}
}
