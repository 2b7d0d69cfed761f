package slm

// Frequency is how often sub-networks keep each unit of their teacher: shares of them, from 0 to 1. A sub-network that drops a layer
// keeps none of its units.
type Frequency struct {
	Subnets     int         `json:"subnets"` // how many there are
	Layers      []float64   `json:"layers"`  // [layers]
	Embd        []float64   `json:"embd"`    // [embedding dimensions]
	QueryGroups [][]float64 `json:"query_groups"`
	Heads       [][]float64 `json:"heads"`     // [layers][heads]
	HeadSize    [][]float64 `json:"head_size"` // [layers][dimensions of a head]
	FFN         [][]float64 `json:"ffn"`       // [layers][neurons]
}

// FrequencyOf counts over candidates of a teacher, such as a population's, or its [Elites]. Their sub-networks must be valid.
func FrequencyOf(teacher Config, candidates []Candidate) Frequency {
	embd, layers := newTally(teacher.Embd), newTally(teacher.Layers)
	byLayer := func(size int) []tally {
		tallies := make([]tally, teacher.Layers)
		for l := range tallies {
			tallies[l] = newTally(size)
		}
		return tallies
	}
	groups, heads, headSize, ffn := byLayer(teacher.QueryGroups), byLayer(teacher.Heads), byLayer(teacher.HeadSize), byLayer(teacher.FFN)
	for _, c := range candidates {
		embd.add(&c.Subnet.Embd)
		for _, l := range c.Subnet.KeptLayers(teacher) {
			layers.addOne(l.Layer)
			h, g := l.headsAndGroups(&teacher)
			heads[l.Layer].add(h)
			groups[l.Layer].add(g)
			headSize[l.Layer].add(&l.HeadSize)
			ffn[l.Layer].add(&l.FFN)
		}
	}
	n := len(candidates)
	shares := func(tallies []tally) (out [][]float64) {
		for _, t := range tallies {
			out = append(out, t.shares(n))
		}
		return out
	}
	return Frequency{Subnets: n, Layers: layers.shares(n), Embd: embd.shares(n),
		QueryGroups: shares(groups), Heads: shares(heads), HeadSize: shares(headSize), FFN: shares(ffn)}
}

// tally counts how often each index is in a set: at each index by how much more often than the one before. Counting a range
// takes two additions, whatever its length.
type tally []int

func newTally(size int) tally { return make(tally, size+1) }

func (t tally) add(s *Indices) {
	if s.IsZero() {
		t[0]++
		return
	}
	for _, r := range s.ranges {
		t[r.first]++
		t[r.last+1]--
	}
}

func (t tally) addOne(i int) {
	t[i]++
	t[i+1]--
}

// shares are the counts as shares of n; nothing where n is 0.
func (t tally) shares(n int) []float64 {
	out := make([]float64, len(t)-1)
	count := 0
	for i := range out {
		count += t[i]
		out[i] = float64(count) / float64(max(1, n))
	}
	return out
}
