package slm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
)

// sampler draws the sizes of a space's sub-networks uniformly, conditioned on a parameter bin: exactly the distribution of
// drawing every choice independently and throwing away what falls outside the bin, without the throwing away, which for
// the sum of many layers nearly always fails.
//
// A width (embedding dimension) is drawn by the probability that the rest then lands in the bin. In a uniform space that
// probability is a count. In a layer-wise space the sum of the layers is drawn first, from its distribution, and then
// layer after layer, each conditioned on what is left for the others: the tables of a dynamic program over layers hold
// those distributions, with the sums cut into buckets. The exact sum decides in the end; a bucket reaches a little
// beyond the bin, so about every second draw is thrown away.
type sampler struct {
	space   Space
	teacher Config
	bin     Bin
	widths  []int
	tables  map[int]*widthTable // by width; a layer-wise table takes a millisecond or some, so they are made when needed
	bound   float64             // of the tables' weights
}

// manyWidths is from where on widths are proposed and refused instead of weighed all: each needs its table.
const manyWidths = 64

func newSampler(space Space, teacher Config, bin Bin) *sampler {
	s := &sampler{space: space, teacher: teacher, bin: bin, tables: map[int]*widthTable{}}
	for width := range space.Embd.all {
		s.widths = append(s.widths, width)
	}
	stride := max(1, len(s.widths)/manyWidths)
	for i := 0; i < len(s.widths); i += stride {
		s.bound = max(s.bound, s.weight(i))
	}
	for i := 0; s.bound == 0 && i < len(s.widths); i++ { // a narrow bin may lie between those looked at
		s.bound = s.weight(i)
	}
	if stride > 1 {
		s.bound *= 1.25 // between the widths that were looked at
	}
	return s
}

// empty reports that no width reached the bin.
func (s *sampler) empty() bool { return s.bound == 0 }

func (s *sampler) table(width int) *widthTable {
	t := s.tables[width]
	if t == nil {
		t = newWidthTable(s.space, s.teacher, s.bin, width)
		s.tables[width] = t
	}
	return t
}

// weight is the probability of the i-th width and that the rest then lands in the bin, times the number of widths.
func (s *sampler) weight(i int) float64 {
	return s.table(s.widths[i]).weight * s.space.Embd.probability(i) * float64(len(s.widths))
}

// draw returns sizes whose parameters lie in the bin, and for a layer-wise space as many as it has layers: which layers
// are kept is drawn uniformly. It gives up, with ok false, when many draws in a row missed the bin.
func (s *sampler) draw(r *rand.Rand) (g genome, ok bool) {
	if s.empty() {
		return genome{}, false
	}
	for range 10000 {
		i := r.IntN(len(s.widths))
		weight := s.weight(i)
		s.bound = max(s.bound, weight) // widths between those looked at may be likelier than expected
		if r.Float64()*s.bound >= weight {
			continue
		}
		if layers, inside := s.table(s.widths[i]).draw(r); inside {
			return s.genome(s.widths[i], layers, r), true
		}
	}
	return genome{}, false
}

// genome places the sizes of the kept layers.
func (s *sampler) genome(width int, kept []layerSizes, r *rand.Rand) genome {
	g := s.space.sample(s.teacher, r)
	g.embd = width
	g.kept = s.space.sampleLayers(len(kept), s.teacher.Layers, r)
	if s.space.Scope == Uniform {
		g.setAll(kept[0])
		return g
	}
	next := 0
	for l := range g.kept {
		if g.kept[l] {
			g.sizes[l] = kept[next]
			next++
		}
	}
	return g
}

// widthTable is what the parameters of a space's sub-networks of one width are made of: outer + Σ over kept layers of
// (base + perNeuron·F), with a base for each choice of heads.
type widthTable struct {
	space     Space
	bin       Bin
	outer     int64
	perNeuron int64
	heads     []headChoice
	neurons   []int   // of each choice of FFN, ascending
	weight    float64 // probability, over the other choices, that a sub-network of this width lies in the bin

	// Of layer-wise spaces:
	least, unit int64       // bucket b holds layers of least + b·unit parameters and up to a unit more
	exact       bool        // no layer lies between b·unit and the next
	layer       []float64   // probability of each bucket
	sums        [][]float64 // sums[n][b]: probability that the buckets of n layers add up to b
}

// headChoice is a choice of heads in a layer, and the parameters of such a layer without neurons.
type headChoice struct {
	sizes layerSizes
	base  int64
}

func newWidthTable(space Space, teacher Config, bin Bin, width int) *widthTable {
	count := func(layers, ffn int, z layerSizes) int64 {
		c := Sizes{layers, width, z.groups, z.headsPerGroup, z.headSize, ffn}.Config(teacher)
		return Subnet{}.Parameters(c).Total()
	}
	t := &widthTable{space: space, bin: bin}
	for choice := range space.FFN.all {
		t.neurons = append(t.neurons, space.neurons(teacher, width, choice))
	}
	smallest := layerSizes{space.QueryGroups.At(0), space.HeadsPerGroup.At(0), space.HeadSize.At(0), 1}
	t.perNeuron = count(1, 2, smallest) - count(1, 1, smallest)
	t.outer = 2*count(1, 1, smallest) - count(2, 1, smallest)
	for g := range space.QueryGroups.all {
		for h := range space.HeadsPerGroup.all {
			for d := range space.HeadSize.all {
				z := layerSizes{g, h, d, 0}
				t.heads = append(t.heads, headChoice{z, count(1, 1, z) - t.outer - t.perNeuron})
			}
		}
	}
	if space.Scope == Uniform {
		t.weigh()
	} else {
		t.addUp()
	}
	return t
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && a < 0 {
		q--
	}
	return q
}

func ceilDiv(a, b int64) int64 { return -floorDiv(-a, b) }

// inside counts the choices of FFN with which so many equal layers stay in a range of parameters, and gives the first.
func (t *widthTable) inside(h headChoice, layers, low, high int64) (first, count int) {
	least, most := ceilDiv(low-layers*h.base, layers*t.perNeuron), floorDiv(high-layers*h.base, layers*t.perNeuron)
	first = sort.Search(len(t.neurons), func(i int) bool { return int64(t.neurons[i]) >= least })
	end := sort.Search(len(t.neurons), func(i int) bool { return int64(t.neurons[i]) > most })
	return first, max(0, end-first)
}

// uniform yields each choice of depth and heads with its number of FFN sizes inside the bin.
func (t *widthTable) uniform(yield func(depth int, h headChoice, first, count int) bool) {
	for depth := range t.space.Depth.all {
		for _, h := range t.heads {
			first, count := t.inside(h, int64(depth), t.bin.Lower-t.outer, t.bin.Upper-t.outer)
			if count > 0 && !yield(depth, h, first, count) {
				return
			}
		}
	}
}

func (t *widthTable) weigh() {
	t.uniform(func(_ int, _ headChoice, _, count int) bool {
		t.weight += float64(count)
		return true
	})
	t.weight /= float64(t.space.Depth.Choices()) * float64(len(t.heads)) * float64(len(t.neurons))
}

// Bounds of a layer-wise table. Its work is the buckets, times the different layers, times the depth.
const (
	firstBuckets = 1024
	mostBuckets  = 1 << 14
	trialDraws   = 64
)

// addUp fills the tables of a layer-wise space. Where the distribution is steep, at the ends of what a space reaches,
// nearly all draws land in the buckets that reach beyond the bin; then it cuts finer ones. Buckets as fine as the steps of
// the layers' sizes are exact.
func (t *widthTable) addUp() {
	t.least = math.MaxInt64
	for _, h := range t.heads {
		t.least = min(t.least, h.base+t.perNeuron*int64(t.neurons[0]))
	}
	room := t.bin.Upper - t.outer - int64(t.space.Depth.At(0))*t.least // for layers beyond the least
	if room < 0 {
		return
	}
	step := t.step()
	t.unit = max(step, (t.bin.Upper-t.bin.Lower+1)/int64(t.space.Depth.Last()), room/firstBuckets)
	for {
		t.fill(room, t.unit == step)
		if t.weight == 0 || t.exact || t.accepted() >= trialDraws/16 || room/(t.unit/4+1) > mostBuckets {
			return
		}
		t.unit = max(step, t.unit/4)
	}
}

// step is the greatest number of parameters of which every layer has a multiple more than the least.
func (t *widthTable) step() int64 {
	gcd := func(a, b int64) int64 {
		for b != 0 {
			a, b = b, a%b
		}
		return max(a, -a)
	}
	step := int64(0)
	for _, n := range t.neurons {
		step = gcd(step, t.perNeuron*int64(n-t.neurons[0]))
	}
	for _, h := range t.heads {
		step = gcd(step, h.base+t.perNeuron*int64(t.neurons[0])-t.least)
	}
	return max(1, step)
}

// accepted counts trial draws that lie in the bin.
func (t *widthTable) accepted() int {
	n, r := 0, rand.New(rand.NewPCG(1, 1))
	for range trialDraws {
		if _, inside := t.draw(r); inside {
			n++
		}
	}
	return n
}

// fill computes the distribution of a layer's bucket, and of the sums of layers.
func (t *widthTable) fill(room int64, exact bool) {
	t.exact, t.weight = exact, 0
	t.layer = make([]float64, room/t.unit+1)
	all := float64(len(t.heads)) * float64(len(t.neurons))
	for _, h := range t.heads {
		for _, f := range t.neurons {
			b := (h.base + t.perNeuron*int64(f) - t.least) / t.unit
			if b >= int64(len(t.layer)) {
				break
			}
			t.layer[b] += 1 / all
		}
	}
	t.sums = [][]float64{{1}}
	for range t.space.Depth.Last() {
		t.sums = append(t.sums, convolve(t.sums[len(t.sums)-1], t.layer))
	}
	for depth := range t.space.Depth.all {
		low, high := t.window(depth)
		for b := low; b <= high; b++ {
			t.weight += t.sums[depth][b] / float64(t.space.Depth.Choices())
		}
	}
}

// convolve is the distribution of the sum of two, cut to the size of the second, of which few buckets are not empty.
func convolve(sum, layer []float64) []float64 {
	out := make([]float64, len(layer))
	for j, q := range layer {
		if q == 0 {
			continue
		}
		for i, p := range sum[:min(len(sum), len(layer)-j)] {
			out[i+j] += p * q
		}
	}
	return out
}

// window is the range of bucket sums whose layers may add up to a sub-network in the bin; low is above high for none.
func (t *widthTable) window(depth int) (low, high int) {
	n := int64(depth)
	from := ceilDiv(t.bin.Lower-t.outer-n*t.least, t.unit)
	if !t.exact {
		from -= n
	}
	to := floorDiv(t.bin.Upper-t.outer-n*t.least, t.unit)
	return int(max(0, from)), int(min(to, int64(len(t.sums[depth])-1)))
}

// draw returns the sizes of the kept layers, and whether their parameters lie in the bin.
func (t *widthTable) draw(r *rand.Rand) (kept []layerSizes, inside bool) {
	if t.space.Scope == Uniform {
		return t.drawUniform(r), true
	}
	at := r.Float64() * t.weight * float64(t.space.Depth.Choices())
	for depth := range t.space.Depth.all {
		low, high := t.window(depth)
		for b := low; b <= high; b++ {
			if at -= t.sums[depth][b]; at < 0 {
				return t.drawLayers(r, depth, b)
			}
		}
	}
	return nil, false // rounding
}

// drawUniform picks a choice of depth and heads by its number of FFN sizes, and one of these.
func (t *widthTable) drawUniform(r *rand.Rand) (kept []layerSizes) {
	all := 0
	t.uniform(func(_ int, _ headChoice, _, count int) bool { all += count; return true })
	at := r.IntN(all)
	t.uniform(func(depth int, h headChoice, first, count int) bool {
		if at -= count; at >= 0 {
			return true
		}
		z := h.sizes
		z.ffn = t.space.FFN.At(first + at + count)
		kept = make([]layerSizes, depth)
		for i := range kept {
			kept[i] = z
		}
		return false
	})
	return kept
}

// drawLayers draws layers whose buckets add up to sum: each by the probability of its bucket and that the others make up
// the rest.
func (t *widthTable) drawLayers(r *rand.Rand, depth, sum int) ([]layerSizes, bool) {
	kept, parameters := make([]layerSizes, depth), t.outer
	for i := range kept {
		rest := t.sums[depth-1-i]
		at := r.Float64() * t.sums[depth-i][sum]
		bucket := -1
		for b := 0; b <= sum; b++ {
			if sum-b < len(rest) && t.layer[b]*rest[sum-b] > 0 {
				bucket = b // the last one possible, where rounding leaves a remainder
				if at -= t.layer[b] * rest[sum-b]; at < 0 {
					break
				}
			}
		}
		if bucket < 0 {
			return nil, false
		}
		var n int64
		kept[i], n = t.drawLayer(r, bucket)
		parameters += n
		sum -= bucket
	}
	return kept, t.bin.Contains(parameters)
}

// drawLayer draws one of the layers of a bucket, all equally likely, and gives its parameters.
func (t *widthTable) drawLayer(r *rand.Rand, bucket int) (layerSizes, int64) {
	low := t.least + int64(bucket)*t.unit
	all := 0
	for _, h := range t.heads {
		_, count := t.inside(h, 1, low, low+t.unit-1)
		all += count
	}
	at := r.IntN(all)
	for _, h := range t.heads {
		first, count := t.inside(h, 1, low, low+t.unit-1)
		if at < count {
			z := h.sizes
			z.ffn = t.space.FFN.At(first + at)
			return z, h.base + t.perNeuron*int64(t.neurons[first+at])
		}
		at -= count
	}
	panic(fmt.Sprintf("slm: bucket %d holds no layer", bucket)) // its probability said otherwise
}
