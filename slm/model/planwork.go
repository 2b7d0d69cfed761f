package model

import "github.com/offshoot-ml/offshoot/slm"

// fits says whether a sub-network of the bin may have a layer of these sizes.
func (p *planner) fits(embd int, z slm.Sizes) bool {
	count := func(depth int, z slm.Sizes) int64 {
		z.Depth, z.Embd = depth, embd
		return slm.Subnet{}.Parameters(z.Config(p.config)).Total()
	}
	if p.space.Scope == slm.Uniform {
		return count(z.Depth, z) <= p.search.Bin.Upper
	}
	least := p.smallest()
	return count(1, z)+int64(z.Depth-1)*(count(2, least)-count(1, least)) <= p.search.Bin.Upper
}

// work is how many floating point operations a search takes with a plan.
func (p *planner) work(of plan) float64 {
	sum := 0.0
	for i, w := range of.widths {
		sum += p.widthWork(w, p.demanded(of.below(i), w.embd))
	}
	return p.operations(sum)
}

// operations are those of a search whose drawn candidates take so many multiplications for a token together.
func (p *planner) operations(multiplications float64) float64 {
	return 2 * multiplications / p.count * float64(p.tokens) * float64(p.search.Evaluations())
}

// widthWork are multiplications for a token.
func (p *planner) widthWork(w plannedWidth, d demand) (sum float64) {
	for _, e := range d.embds {
		sum += e.times * p.headWork(holding(w.heads, e.size))
	}
	for _, a := range d.attentions {
		sum += a.times * p.attentionWork(w.embd, w.attention(a.size))
	}
	for _, f := range d.ffns {
		sum += f.times * p.ffnWork(w.embd, holding(w.ffns, f.size))
	}
	return sum
}

func (p *planner) headWork(embd int) float64 { return float64(p.config.Vocab * embd) }

// attentionWork are multiplications for a token.
func (p *planner) attentionWork(embd int, a attentionSize) float64 {
	return float64(a.headSize * (2*embd*(a.heads+a.groups) + 2*p.seqLen*a.heads))
}

// ffnWork are multiplications for a token.
func (p *planner) ffnWork(embd, ffn int) float64 {
	matrices := 0
	for _, w := range ffnWeights(p.config) {
		if !w.IsVector() {
			matrices++
		}
	}
	return float64(matrices * embd * ffn)
}
