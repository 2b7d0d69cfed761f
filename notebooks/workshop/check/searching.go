package check

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/offshoot-ml/offshoot/slm"
)

// Bin judges the ends of a parameter bin that reaches a share, such as 0.05, to either side of its middle.
func Bin(middle, share float64, lower, upper int64) Verdict {
	e := exercise{"2.1 A bin", fmt.Sprintf("%g%% of the middle, below it and above it", 100*share)}
	right, answer := slm.Around(middle, share), slm.Bin{Lower: lower, Upper: upper}
	switch {
	case lower == 0 && upper == 0:
		return e.open()
	case answer == right:
		return e.solved("%s to %s parameters. slm.Around makes the same.", slm.Thousands(lower), slm.Thousands(upper))
	case lower == right.Upper && upper == right.Lower:
		return e.wrong("lower and upper are swapped.")
	case answer == slm.Around(middle, share/2):
		return e.wrong("that bin is %g%% wide as a whole. It is to reach %g%% to either side.", 100*share, 100*share)
	case lower == int64(math.Round(middle)) && upper == right.Upper || upper == int64(math.Round(middle)) && lower == right.Lower:
		return e.wrong("that bin reaches to one side only. The middle is to be in its middle.")
	case upper <= lower:
		return e.wrong("a bin from %s to %s holds nothing.", slm.Thousands(lower), slm.Thousands(upper))
	case lower != right.Lower:
		return e.wrong("lower is %s, %s.", slm.Thousands(lower), off(lower-right.Lower))
	}
	return e.wrong("upper is %s, %s.", slm.Thousands(upper), off(upper-right.Upper))
}

// off says by how much a number is too high or too low.
func off(by int64) string {
	if by > 0 {
		return slm.Thousands(by) + " too high"
	}
	return slm.Thousands(-by) + " too low"
}

// Sizes judges the sizes of a sub-network that is to have a number of parameters inside the bin.
func Sizes(teacher slm.Config, bin slm.Bin, answer slm.Sizes) Verdict {
	e := exercise{"2.2 Into the bin", "change FFN in small steps; the check says by how much the bin is missed"}
	if answer.FFN == 0 {
		return e.open()
	}
	if field := outside(teacher, answer); field != "" {
		return e.wrong("%s", field)
	}
	n := parameters(teacher, answer)
	switch {
	case n < bin.Lower:
		return e.wrong("%s parameters are %s too few for %s.", slm.Thousands(n), slm.Thousands(bin.Lower-n), bin).
			hinting("one more neuron in each layer adds %s parameters.", slm.Thousands(neuron(teacher, answer)))
	case n > bin.Upper:
		return e.wrong("%s parameters are %s too many for %s.", slm.Thousands(n), slm.Thousands(n-bin.Upper), bin).
			hinting("one neuron fewer in each layer takes %s parameters away.", slm.Thousands(neuron(teacher, answer)))
	}
	return e.solved("%s parameters are in %s: %s.", slm.Thousands(n), bin, answer)
}

// parameters counts those of a sub-network with these sizes, which must be the teacher's at most.
func parameters(teacher slm.Config, z slm.Sizes) int64 {
	return slm.Subnet{}.Parameters(z.Config(teacher)).Total()
}

// neuron is how many parameters one more neuron in each layer adds.
func neuron(teacher slm.Config, z slm.Sizes) int64 {
	more := z
	more.FFN++
	return parameters(teacher, more) - parameters(teacher, z)
}

// size is one of the sizes by which workshop exercises breed.
type size struct {
	name  string
	value int
	most  int
}

// sizes lists the sizes; GPT-NeoX has one head for each query group.
func sizes(teacher slm.Config, z slm.Sizes) []size {
	return []size{{"Depth", z.Depth, teacher.Layers}, {"Embd", z.Embd, teacher.Embd}, {"QueryGroups", z.QueryGroups, teacher.QueryGroups},
		{"HeadsPerGroup", z.HeadsPerGroup, teacher.HeadsPerGroup()}, {"HeadSize", z.HeadSize, teacher.HeadSize}, {"FFN", z.FFN, teacher.FFN}}
}

// outside is a sentence about the first size that the teacher does not have.
func outside(teacher slm.Config, z slm.Sizes) string {
	for _, s := range sizes(teacher, z) {
		if s.value < 1 || s.value > s.most {
			return fmt.Sprintf("%s is %d, and the teacher offers 1 to %d.", s.name, s.value, s.most)
		}
	}
	return ""
}

// changed are the names of the sizes in which two differ.
func changed(teacher slm.Config, a, b slm.Sizes) (names []string) {
	others := sizes(teacher, b)
	for i, s := range sizes(teacher, a) {
		if s.value != others[i].value {
			names = append(names, s.name)
		}
	}
	return names
}

// Fitness judges a function that a search makes small: a candidate's loss where its parameters are in the bin, and an infinite one elsewhere.
func Fitness(bin slm.Bin, answer func(c slm.Candidate, bin slm.Bin) float64) Verdict {
	e := exercise{"2.3 Fitness", "ask bin.Contains(c.Parameters) first"}
	middle := (bin.Lower + bin.Upper) / 2
	good, poor := slm.Candidate{Parameters: middle, Loss: 4.5}, slm.Candidate{Parameters: bin.Lower, Loss: 6}
	large, tiny := slm.Candidate{Parameters: bin.Upper + 1, Loss: 4}, slm.Candidate{Parameters: bin.Lower - 1, Loss: 4}
	got, trouble := call(func() (scores [4]float64) {
		for i, c := range []slm.Candidate{good, poor, large, tiny} {
			scores[i] = answer(c, bin)
		}
		return scores
	})
	switch {
	case trouble != "":
		return e.wrong("fitness %s", trouble)
	case got == [4]float64{}:
		return e.open()
	case got == [4]float64{float64(good.Parameters), float64(poor.Parameters), float64(large.Parameters), float64(tiny.Parameters)}:
		return e.wrong("that returns the number of parameters. The search would look for the smallest model, not for the one that predicts best.")
	case got[0] > got[1]:
		return e.wrong("the candidate with the loss %g gets %.4g, the one with the worse loss %g gets %.4g. The search makes fitness small, so the lower loss must get the lower number.",
			good.Loss, got[0], poor.Loss, got[1])
	case math.IsInf(got[0], 1) && math.IsInf(got[1], 1) && !math.IsInf(got[2], 1):
		return e.wrong("the other way round: candidates in the bin get an infinite number, and one outside gets %.4g.", got[2])
	case got[0] == got[1]:
		return e.wrong("losses of %g and %g both get %.4g: the search could not tell them apart.", good.Loss, poor.Loss, got[0])
	case math.IsNaN(got[0]) || math.IsNaN(got[1]):
		return e.wrong("a candidate in the bin gets no number (NaN). Which one should rank first?")
	case math.IsInf(got[2], -1) || math.IsInf(got[3], -1):
		return e.wrong("a candidate outside the bin gets minus infinity, below any loss: it would rank first. math.Inf(1) is plus infinity.")
	case got[2] == math.MaxFloat64 || got[3] == math.MaxFloat64:
		return e.wrong("a candidate outside the bin gets a number that is large, but no infinite one.")
	case !math.IsInf(got[2], 1) && !math.IsInf(got[3], 1):
		return e.wrong("the bin is not asked: a candidate with one parameter too many gets %.4g, as if it were in it.", got[2])
	case !math.IsInf(got[2], 1):
		return e.wrong("a candidate with one parameter too many gets %.4g. The bin has an upper end, too.", got[2])
	case !math.IsInf(got[3], 1):
		return e.wrong("a candidate with one parameter too few gets %.4g. The bin has a lower end, too.", got[3])
	case math.IsInf(got[1], 1):
		return e.wrong("a candidate with exactly %s parameters gets an infinite number, but both ends belong to the bin.", slm.Thousands(poor.Parameters))
	}
	return e.solved("the lowest loss inside the bin ranks first, and nothing outside it ranks at all.")
}

// trials is how often a random function of the learner's is called.
const trials = 200

// repeatable reports that a random function makes the same children from the same random numbers.
func repeatable(child func(r *rand.Rand) slm.Sizes) bool {
	first, second := rand.New(rand.NewPCG(3, 1)), rand.New(rand.NewPCG(3, 1))
	for range trials {
		a, _ := call(func() slm.Sizes { return child(first) })
		b, _ := call(func() slm.Sizes { return child(second) })
		if a != b {
			return false
		}
	}
	return true
}

const unrepeatable = "the same r gives other children the next time: something is drawn from elsewhere, such as rand.IntN. Draw from r, or no search can be repeated."

// Mutation judges a function that changes exactly one of a parent's sizes, at random, within what the teacher offers.
func Mutation(teacher slm.Config, answer func(parent slm.Sizes, r *rand.Rand) slm.Sizes) Verdict {
	e := exercise{"2.4 Mutation", "switch r.IntN(4) chooses one of four sizes; min and max keep it within the teacher's"}
	parent := slm.Sizes{Depth: (teacher.Layers + 1) / 2, Embd: teacher.Embd / 2, QueryGroups: (teacher.QueryGroups + 1) / 2,
		HeadsPerGroup: teacher.HeadsPerGroup(), HeadSize: teacher.HeadSize, FFN: teacher.FFN / 2}
	whole := slm.Sizes{Depth: teacher.Layers, Embd: teacher.Embd, QueryGroups: teacher.QueryGroups, HeadsPerGroup: teacher.HeadsPerGroup(),
		HeadSize: teacher.HeadSize, FFN: teacher.FFN}
	least := slm.Sizes{Depth: 1, Embd: 1, QueryGroups: 1, HeadsPerGroup: 1, HeadSize: teacher.HeadSize, FFN: 1}
	var touched []string
	unchanged, grew, shrank := 0, false, false
	r := rand.New(rand.NewPCG(1, 1))
	for range trials {
		for _, p := range []slm.Sizes{parent, whole, least} {
			child, trouble := call(func() slm.Sizes { return answer(p, r) })
			if trouble != "" {
				return e.wrong("mutate %s", trouble)
			}
			if field := outside(teacher, child); field != "" {
				return e.wrong("of the parent %s it makes a child that the teacher does not have: %s", p, field)
			}
			names := changed(teacher, p, child)
			if len(names) > 1 {
				return e.wrong("one child differs from its parent in %v. A mutation changes one size: small steps keep what is good.", names)
			}
			if p == parent {
				touched = append(touched, names...)
				if len(names) == 0 {
					unchanged++
				}
				grew, shrank = grew || parameters(teacher, child) > parameters(teacher, p), shrank || parameters(teacher, child) < parameters(teacher, p)
			}
		}
	}
	slices.Sort(touched)
	touched = slices.Compact(touched)
	switch {
	case len(touched) == 0:
		return e.open().hinting("so far every child equals its parent: change it, and return what was changed; %s", e.hint)
	case slices.Contains(touched, "HeadSize"):
		return e.wrong("it changes HeadSize. The search spaces of this workshop leave heads whole: change Depth, Embd, QueryGroups and FFN.")
	case unchanged > trials/4:
		return e.wrong("%d of %d children equal their parent. Evaluating them again would tell nothing.", unchanged, trials)
	case !grew:
		return e.wrong("children are always smaller than their parent. The search could never go back.")
	case !shrank:
		return e.wrong("children are always larger than their parent. The search could never go back.")
	case !repeatable(func(r *rand.Rand) slm.Sizes { return answer(parent, r) }):
		return e.wrong("%s", unrepeatable)
	case len(touched) < 4:
		return e.wrong("in %d children only %v changed. Let Depth, Embd, QueryGroups and FFN change, each now and then.", trials, touched)
	}
	return e.solved("each child differs from its parent in one size, up or down, and is always a sub-network that the teacher has.")
}

// Crossover judges a function that takes each size from one parent or the other, at random.
func Crossover(teacher slm.Config, answer func(a, b slm.Sizes, r *rand.Rand) slm.Sizes) Verdict {
	e := exercise{"2.5 Crossover", "start with child := a; then, for each size, if r.IntN(2) == 0 take b's"}
	a := slm.Sizes{Depth: 2, Embd: 3 * teacher.Embd / 4, QueryGroups: 2, HeadsPerGroup: teacher.HeadsPerGroup(), HeadSize: teacher.HeadSize, FFN: teacher.FFN / 4}
	b := slm.Sizes{Depth: 4, Embd: teacher.Embd / 4, QueryGroups: 4, HeadsPerGroup: teacher.HeadsPerGroup(), HeadSize: teacher.HeadSize, FFN: teacher.FFN / 2}
	r := rand.New(rand.NewPCG(2, 1))
	children := map[slm.Sizes]int{}
	for range trials {
		child, trouble := call(func() slm.Sizes { return answer(a, b, r) })
		if trouble != "" {
			return e.wrong("cross %s", trouble)
		}
		for i, s := range sizes(teacher, child) {
			first, second := sizes(teacher, a)[i].value, sizes(teacher, b)[i].value
			switch {
			case s.value == first || s.value == second:
			case s.value == (first+second)/2:
				return e.wrong("%s is %d, the mean of %d and %d. A crossover takes the size of one parent: means make all children alike.", s.name, s.value, first, second)
			default:
				return e.wrong("%s is %d, which neither parent has: they have %d and %d.", s.name, s.value, first, second)
			}
		}
		children[child]++
	}
	switch {
	case children[a] == trials:
		return e.open()
	case children[b] == trials:
		return e.wrong("the child is always the second parent.")
	case len(children) == 1:
		return e.wrong("two parents always have the same child. Use r, so that a search can try several.")
	case children[a]+children[b] == trials:
		return e.wrong("the child is always one parent as a whole. Choose for each size anew.")
	case !repeatable(func(r *rand.Rand) slm.Sizes { return answer(a, b, r) }):
		return e.wrong("%s", unrepeatable)
	case len(children) < 12:
		return e.wrong("of 16 children that these parents can have, only %d come. Choose for each of Depth, Embd, QueryGroups and FFN anew.", len(children))
	}
	return e.solved("%d different children of the same two parents.", len(children))
}

// Evaluations judges how many candidates a search evaluates in all.
func Evaluations(search slm.Search, answer int) Verdict {
	e := exercise{"2.6 Equal effort", "the initial population, and then Offspring candidates in each generation"}
	search = search.WithDefaults()
	population, generations := float64(search.Population), float64(max(0, search.Generations))
	elites, offspring := float64(search.Elites), float64(search.Offspring)
	right := search.Evaluations()
	return e.count(int64(answer), int64(right), fmt.Sprintf("%d evaluations; a random search is to get as many.", right),
		mistake{generations * offspring, "that lacks the initial population. It is evaluated, too.", ""},
		mistake{population + offspring, "that counts one generation after the initial population.", ""},
		mistake{population * (generations + 1), "each generation adds its Offspring only: the elites are not evaluated again.", ""},
		mistake{population * generations, "each generation adds its Offspring only, and the initial population comes before them.", ""},
		mistake{population + (generations-1)*offspring, "that lacks one generation: the initial population is not one of the Generations, they come after it.", ""},
		mistake{population + elites + generations*offspring, "the elites are among those that were evaluated already: they are not counted again.", ""},
		mistake{population + generations*(elites+offspring), "the elites are among those that were evaluated already: they are not counted again.", ""},
		mistake{population + generations*elites, "the elites are the parents. Their children count, which are Offspring in a generation.", ""},
		mistake{population, "that is the initial population only.", ""})
}

// AllAhead judges how likely it is, from 0 to 1, that of two equally good strategies a given one is ahead with each of some seeds.
func AllAhead(seeds int, answer float64) Verdict {
	e := exercise{"2.7 Could it be luck?", "how likely is it that a coin shows heads each time?"}
	n := float64(seeds)
	right := math.Pow(0.5, n)
	return e.measure(answer, right, 0.01, fmt.Sprintf("once in %.0f times it would be so by chance alone: with more seeds luck could be ruled out further.", 1/right),
		mistake{0.5, "that is for one seed. It is asked of all of them.", ""},
		mistake{0.5 / n, "that divides by how many seeds there are. Each seed halves what the seeds before it left.", ""},
		mistake{1 / n, "that is one divided by how many seeds there are. Each seed is a coin of its own, and halves what those before it left.", ""},
		mistake{2 * right, "that is how likely one of them, whichever, is ahead with each seed. Asked is for a given one.", ""},
		mistake{1 - right, "that is how likely it is ahead not with each of them.", ""},
		mistake{100 * right, "that is in per cent. Asked for is a number from 0 to 1.", ""},
		mistake{1 / right, "that says in how many times once. Asked for is a number from 0 to 1: one divided by it.", ""})
}
