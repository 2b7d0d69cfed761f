package model

import (
	"math"
	"slices"

	"github.com/offshoot-ml/offshoot/slm"
)

// Planning weighs the arithmetic that padding wastes against compiling another program. A processor compiles one in the time
// of so many floating point operations; an accelerator does a hundred times as many meanwhile.
const (
	widthCompile     = 12e9 // the embedding, and the logits of targets
	headCompile      = 8e9  // the logits of some words
	attentionCompile = 27e9
	ffnCompile       = 15e9
	acceleratorTimes = 100
	warmTimes        = 4 // of a warm search, whose training has programs of its own for every size: forward, backward, update

	compileShare = 0.04 // of a search's operations that compiling may take, where so few programs can do
	planSamples  = 64   // candidates that are drawn
	mostLevels   = 16   // sizes of a dimension that are told apart
)

// planner holds what a search's candidates are like.
type planner struct {
	config slm.Config
	search slm.Search
	space  slm.Space // with all its dimensions
	tokens int       // of an evaluation; a token of training counts as three
	seqLen int
	times  float64 // as dear as on a processor without training is compiling

	demands []demand // of each embedding
	count   float64  // candidates drawn

	covers map[span]plannedWidth
	bests  map[span]plannedWidth // at the current price
}

// span are the embeddings above one and up to another.
type span struct{ above, embd int }

// demand is what candidates need.
type demand struct {
	embds      []tally[int] // by candidates
	attentions []tally[attentionSize]
	ffns       []tally[int]
}

// tally is a size, and how often candidates or their layers have it.
type tally[S comparable] struct {
	size  S
	times float64
}

func counted[S comparable](all []tally[S], size S, times float64) []tally[S] {
	for i := range all {
		if all[i].size == size {
			all[i].times += times
			return all
		}
	}
	return append(all, tally[S]{size, times})
}

func newPlanner(c slm.Config, search slm.Search, tokens, seqLen int) (*planner, error) {
	space, err := search.Space.For(c)
	if err != nil {
		return nil, err
	}
	if len(space.FFNRatios) > 0 { // then FFN does not say how many neurons there are
		space.FFN, space.FFNRatios = slm.Dim{Min: 1, Max: c.FFN, Step: 1}, nil
	}
	p := &planner{config: c, search: search, space: space, tokens: tokens, seqLen: seqLen, times: 1, covers: map[span]plannedWidth{}}
	if !search.Warm.IsZero() {
		p.times = warmTimes
	}
	return p, p.draw()
}

// draw looks at candidates. A space with fewer of them in the bin has all looked at.
func (p *planner) draw() error {
	var candidates []slm.Candidate
	for n := planSamples; ; n /= 2 {
		sample := p.search
		sample.Population, sample.Elites, sample.Strategy, sample.Objectives, sample.Halving = n, 1, slm.Evolution, nil, slm.Halving{}
		var err error
		if candidates, err = sample.Next(p.config, nil); err == nil {
			break
		}
		if n < 2 {
			return err
		}
	}
	ffns := levels(p.space.FFN)
	for _, c := range candidates {
		s, d := c.Subnet, demand{}
		d.embds = counted(d.embds, s.Size(p.config, slm.LayerSubnet{}, slm.EmbdAxis), 1)
		at := slices.IndexFunc(p.demands, func(o demand) bool { return o.embds[0].size == d.embds[0].size })
		if at < 0 {
			at, p.demands = len(p.demands), append(p.demands, demand{})
		} else {
			d = p.demands[at]
			d.embds[0].times++
		}
		for _, l := range s.KeptLayers(p.config) {
			f := sortedIndex(ffns, s.Size(p.config, l, slm.FFNAxis))
			d.attentions = counted(d.attentions, sizeOfAttention(p.config, s, l), 1)
			d.ffns = counted(d.ffns, ffns[min(len(ffns)-1, f)], 1)
		}
		p.demands[at] = d
		p.count++
	}
	return nil
}

// sortedIndex is that of the first value not below n.
func sortedIndex(values []int, n int) int {
	i, _ := slices.BinarySearch(values, n)
	return i
}

// levels are at most mostLevels values of a dimension, the largest among them.
func levels(d slm.Dim) (out []int) {
	stride := (d.Choices() + mostLevels - 1) / mostLevels
	for i := d.Choices() - 1; i >= 0; i -= stride {
		out = append(out, d.At(i))
	}
	slices.Reverse(out)
	return out
}

// plan takes more programs as long as they save more than compiling them costs. Where they are too many, compiling is taken for
// dearer than it is.
func (p *planner) plan() plan {
	for price := 1.0; ; price *= 1.25 {
		best, fewest := p.priced(price)
		if fewest || p.compiling(best) <= compileShare*p.work(best) {
			return best
		}
	}
}

// priced begins with a single width and adds the one that saves the most, as long as there is one. fewest says that no plan has
// fewer programs.
func (p *planner) priced(price float64) (best plan, fewest bool) {
	p.bests = map[span]plannedWidth{}
	choices := levels(p.space.Embd)
	largest := p.largest(func(e int) bool { return p.fits(e, p.smallest()) }, choices)
	best = plan{[]plannedWidth{p.bestWidth(0, largest, price)}}
	total := p.work(best) + price*p.compiling(best)
	for {
		next := plan{}
		for _, e := range choices {
			at := best.width(e)
			if at < 0 || best.widths[at].embd == e {
				continue
			}
			more := plan{slices.Insert(slices.Clone(best.widths), at, plannedWidth{embd: e})}
			for i := at; i <= at+1; i++ {
				more.widths[i] = p.bestWidth(more.below(i), more.widths[i].embd, price)
			}
			if t := p.work(more) + price*p.compiling(more); t < total {
				next, total = more, t
			}
		}
		if next.widths == nil {
			w := best.widths[0]
			return best, len(best.widths) == 1 && len(w.ffns) == 1 && len(w.heads) == 1 && len(w.attentions) == len(p.covering(0, largest).attentions)
		}
		best = next
	}
}

// compiling is how many operations could be done while a plan's programs are compiled.
func (p *planner) compiling(of plan) (sum float64) {
	for _, w := range of.widths {
		sum += widthCompile + headCompile*float64(len(w.heads)) + attentionCompile*float64(len(w.attentions)) + ffnCompile*float64(len(w.ffns))
	}
	return sum * p.times
}

// bestWidth is a width for embeddings above one and up to another. It begins with the programs that hold everything there.
func (p *planner) bestWidth(above, embd int, price float64) plannedWidth {
	at := span{above, embd}
	if w, ok := p.bests[at]; ok {
		return w
	}
	w, here := p.covering(above, embd), p.demanded(above, embd)
	price *= p.times
	w.attentions = cheapest(w.attentions, here.attentions, attentionSize.holds,
		func(a attentionSize) float64 { return p.operations(p.attentionWork(embd, a)) }, price*attentionCompile)
	w.ffns = cheapest(w.ffns, here.ffns, holds, func(f int) float64 { return p.operations(p.ffnWork(embd, f)) }, price*ffnCompile)
	w.heads = cheapest(w.heads, here.embds, holds, func(e int) float64 { return p.operations(p.headWork(e)) }, price*headCompile)
	p.bests[at] = w
	return w
}

func holds(a, b int) bool { return a >= b }

// cheapest adds to sizes, which hold all that is wanted, the one that saves the most, as long as one saves more than it costs.
func cheapest[S comparable](sizes []S, all []tally[S], holds func(a, b S) bool, work func(S) float64, cost float64) []S {
	now := make([]float64, len(all)) // the work of each with the sizes so far
	for i, w := range all {
		now[i] = math.Inf(1)
		for _, s := range sizes {
			if holds(s, w.size) {
				now[i] = min(now[i], work(s))
			}
		}
	}
	sizes = slices.Clone(sizes)
	for {
		best, most := -1, cost
		for j, candidate := range all {
			saved, each := 0.0, work(candidate.size)
			for i, w := range all {
				if holds(candidate.size, w.size) {
					saved += w.times * max(0, now[i]-each)
				}
			}
			if saved > most {
				best, most = j, saved
			}
		}
		if best < 0 {
			return sizes
		}
		sizes = append(sizes, all[best].size)
		for i, w := range all {
			if holds(all[best].size, w.size) {
				now[i] = min(now[i], work(all[best].size))
			}
		}
	}
}

// demanded adds up what is needed for embeddings above one and up to another.
func (p *planner) demanded(above, embd int) demand {
	var sum demand
	for _, d := range p.demands {
		if e := d.embds[0].size; e > above && e <= embd {
			sum.embds = append(sum.embds, d.embds...)
			for _, a := range d.attentions {
				sum.attentions = counted(sum.attentions, a.size, a.times)
			}
			for _, f := range d.ffns {
				sum.ffns = counted(sum.ffns, f.size, f.times)
			}
		}
	}
	return sum
}

// covering are the fewest programs that hold every sub-network of the bin with an embedding above one and up to another.
func (p *planner) covering(above, embd int) plannedWidth {
	if w, ok := p.covers[span{above, embd}]; ok {
		return w
	}
	narrowest := embd
	for i := range p.space.Embd.Choices() {
		if e := p.space.Embd.At(i); e > above {
			narrowest = e
			break
		}
	}
	fits := func(change func(z *slm.Sizes, n int), d slm.Dim) int {
		return p.largest(func(n int) bool {
			z := p.smallest()
			change(&z, n)
			return p.fits(narrowest, z)
		}, levels(d))
	}
	ffn := fits(func(z *slm.Sizes, n int) { z.FFN = n }, p.space.FFN)
	groups := fits(func(z *slm.Sizes, n int) { z.QueryGroups = n }, p.space.QueryGroups)
	heads := 0
	for i := range p.space.QueryGroups.Choices() {
		g := p.space.QueryGroups.At(i)
		each := fits(func(z *slm.Sizes, n int) { z.QueryGroups, z.HeadsPerGroup = g, n }, p.space.HeadsPerGroup)
		heads = max(heads, min(g, groups)*each)
	}
	var every []attentionSize // for each size of heads
	for _, d := range p.demands {
		for _, a := range d.attentions {
			if largest := (attentionSize{heads, groups, a.size.headSize, a.size.pairs}); !slices.Contains(every, largest) {
				every = append(every, largest)
			}
		}
	}
	w := plannedWidth{embd: embd, attentions: every, ffns: []int{ffn}, heads: []int{embd}}
	p.covers[span{above, embd}] = w
	return w
}

func (p *planner) smallest() slm.Sizes {
	s := p.space
	return slm.Sizes{Depth: s.Depth.At(0), QueryGroups: s.QueryGroups.At(0), HeadsPerGroup: s.HeadsPerGroup.At(0), HeadSize: s.HeadSize.At(0), FFN: s.FFN.At(0)}
}

// largest is the last of ascending values that fits, or the first.
func (p *planner) largest(fits func(int) bool, values []int) int {
	for _, v := range slices.Backward(values) {
		if fits(v) {
			return v
		}
	}
	return values[0]
}
