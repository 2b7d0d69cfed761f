package slm

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// Every strategy in every space: candidates stay in the bin, none comes twice, and a search continues from any of its
// records as if it had never stopped.
func TestStrategiesStayInsideAndResume(t *testing.T) {
	teacher := smol(t)
	for _, strategy := range Strategies {
		for _, space := range []Space{CoarseUniform, CoarseLayerWise, FineUniform, FineLayerWise} {
			s := Search{Space: space, Bin: Around(30e6, 0.1), Population: 8, Generations: 3, Strategy: strategy}.WithDefaults()
			if strategy == NSGA2 {
				s.Objectives = []Objective{MinimizeLoss, MinimizeFLOPs}
			}
			if err := s.Validate(teacher); err != nil {
				t.Fatal(err)
			}
			all := run(t, s, teacher, toyLoss)
			if len(all) != s.Evaluations() {
				t.Fatalf("%s: %d of %d candidates", strategy, len(all), s.Evaluations())
			}
			seen := map[string]bool{}
			for _, c := range all {
				if err := c.Subnet.Validate(teacher); err != nil || !s.Bin.Contains(c.Parameters) || c.Parameters != c.Subnet.Parameters(teacher).Total() {
					t.Fatalf("%s, %s %s: candidate %d has %d parameters (%v)", strategy, space.Granularity, space.Scope, c.ID, c.Parameters, err)
				}
				if seen[c.Subnet.Key()] {
					t.Fatalf("%s, %s %s: candidate %d came before", strategy, space.Granularity, space.Scope, c.ID)
				}
				seen[c.Subnet.Key()] = true
			}
			for _, at := range []int{3, 8, 13} {
				done := slices.Clone(all[:at])
				next, err := s.Next(teacher, done)
				if err != nil || len(next) == 0 {
					t.Fatal(err)
				}
				want := all[at]
				want.Loss = 0
				if !reflect.DeepEqual(next[0], want) {
					t.Fatalf("%s, %s %s: after %d candidates comes %+v, undisturbed %+v", strategy, space.Granularity, space.Scope, at, next[0], want)
				}
			}
		}
	}
}

// Local search climbs from the best of its first generation.
func TestLocalSearchImproves(t *testing.T) {
	teacher := smol(t)
	var first, last float64 // sums over the seeds
	for seed := range uint64(3) {
		s := Search{Space: CoarseLayerWise, Bin: Around(30e6, 0.05), Generations: 8, Strategy: LocalSearch, Seed: seed + 1}.WithDefaults()
		all := run(t, s, teacher, toyLoss)
		first, last = first+Elites(all[:s.Population], 1)[0].Loss, last+Elites(all, 1)[0].Loss
	}
	if last >= first*3/4 {
		t.Errorf("the best candidates of the first generations have losses of %.2f in sum, those at the end %.2f", first, last)
	}
}

func TestStratifiedFillsTheBinEvenly(t *testing.T) {
	teacher := smol(t)
	s := Search{Space: CoarseUniform, Bin: Bin{20e6, 60e6}, Population: 4 * strataOfABin, Generations: 0, Strategy: Stratified}.WithDefaults()
	s.Generations = 0
	counts := make([]int, strataOfABin)
	parts := s.Bin.Split(strataOfABin)
	for _, c := range run(t, s, teacher, toyLoss) {
		counts[slices.IndexFunc(parts, func(b Bin) bool { return b.Contains(c.Parameters) })]++
	}
	for _, n := range counts {
		if n != 4 {
			t.Fatalf("candidates by eighth of the bin: %v", counts)
		}
	}
}

// The first front holds exactly those that no other beats, and each later one those that only the fronts before it beat.
func TestFrontsAreSortedByDomination(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	candidates := make([]Candidate, 60)
	for i := range candidates {
		candidates[i] = Candidate{ID: i, Loss: float64(r.IntN(12)), FLOPs: int64(r.IntN(12))}
	}
	candidates[7].Loss = math.NaN() // the worst there is
	objectives := []Objective{MinimizeLoss, MinimizeFLOPs}
	front := map[int]int{}
	total := 0
	for k, members := range Fronts(candidates, objectives) {
		for _, c := range members {
			front[c.ID] = k
			total++
		}
	}
	if total != len(candidates) {
		t.Fatalf("%d of %d candidates are in a front", total, len(candidates))
	}
	beats := func(a, b Candidate) bool {
		if a.Failed() || b.Failed() {
			return !a.Failed()
		}
		return dominates([]float64{MinimizeLoss.Of(a), float64(a.FLOPs)}, []float64{MinimizeLoss.Of(b), float64(b.FLOPs)})
	}
	for _, c := range candidates {
		deepest := -1
		for _, other := range candidates {
			if beats(other, c) {
				deepest = max(deepest, front[other.ID])
			}
		}
		if front[c.ID] != deepest+1 {
			t.Errorf("candidate %d is in front %d, beaten by one in front %d", c.ID, front[c.ID], deepest)
		}
	}
}

// Several objectives: the front of the search lies below that of a random search in area.
func TestNSGA2FindsTheTradeOff(t *testing.T) {
	teacher := smol(t)
	area := func(strategy Strategy) (sum float64) {
		for seed := range uint64(3) {
			s := Search{Space: CoarseUniform, Bin: Bin{10e6, 130e6}, Population: 16, Generations: 8, Strategy: strategy, Seed: seed + 1}.WithDefaults()
			if strategy == NSGA2 {
				s.Objectives = []Objective{MinimizeLoss, MinimizeFLOPs}
			}
			sum += hypervolume(run(t, s, teacher, toyLoss))
		}
		return sum
	}
	if evolved, random := area(NSGA2), area(RandomSearch); evolved <= random {
		t.Errorf("the candidates of NSGA-II dominate an area of %.4g, random ones %.4g", evolved, random)
	}
}

// hypervolume is the area that the first front dominates, up to a loss of 30 and 1e9 FLOPs.
func hypervolume(candidates []Candidate) (area float64) {
	front := Fronts(candidates, []Objective{MinimizeLoss, MinimizeFLOPs})[0]
	slices.SortFunc(front, func(a, b Candidate) int { return int(a.FLOPs - b.FLOPs) })
	for i, c := range front {
		right := 1e9
		if i+1 < len(front) {
			right = float64(front[i+1].FLOPs)
		}
		area += max(0, right-float64(c.FLOPs)) * max(0, 30-c.Loss)
	}
	return area
}

func TestStrategiesRefuseWhatTheyCannotFollow(t *testing.T) {
	teacher := smol(t)
	for _, s := range []Search{{Strategy: "annealing"}, {Strategy: NSGA2}, {Objectives: []Objective{"beauty"}},
		{Objectives: []Objective{MinimizeLoss, MinimizeFLOPs}}} {
		s.Bin = Around(30e6, 0.05)
		if err := s.WithDefaults().Validate(teacher); err == nil {
			t.Errorf("%q with %v is accepted", s.Strategy, s.Objectives)
		}
	}
}

// In a coarse space over a reordered teacher every candidate keeps the first of the order, and breeding goes on from it.
func TestSearchOverAnOrderKeepsTheImportant(t *testing.T) {
	teacher := smol(t)
	order, err := scored(teacher, 5).Order(teacher)
	if err != nil {
		t.Fatal(err)
	}
	s := Search{Space: CoarseLayerWise, Bin: Around(30e6, 0.05), Generations: 2, Order: &order}.WithDefaults()
	if err := s.Validate(teacher); err != nil {
		t.Fatal(err)
	}
	for _, c := range run(t, s, teacher, toyLoss) {
		for _, l := range c.Subnet.Layers {
			kept := l.FFN.Slice(teacher.FFN)
			for _, neuron := range order.FFN[l.Layer][:len(kept)] {
				if !slices.Contains(kept, neuron) {
					t.Fatalf("candidate %d keeps %d neurons of layer %d, but not neuron %d", c.ID, len(kept), l.Layer, neuron)
				}
			}
		}
	}
	order.Embd = order.Embd[1:]
	if err := s.Validate(teacher); err == nil {
		t.Error("an order of too few dimensions is accepted")
	}
}

func TestBinsSplit(t *testing.T) {
	whole := Bin{100, 899}
	if got := whole.Split(2); !reflect.DeepEqual(got, []Bin{{100, 499}, {500, 899}}) {
		t.Errorf("two halves: %v", got)
	}
	if got := whole.SplitLog(2); !reflect.DeepEqual(got, []Bin{{100, 299}, {300, 899}}) {
		t.Errorf("two parts of equal ratio: %v", got)
	}
}
