package model

import (
	"slices"

	"github.com/offshoot-ml/offshoot/slm"
)

// plan are the sizes of the programs that evaluate a search's candidates. Programs for a padded embedding are a set of their
// own, with attentions and feed-forward networks of their own sizes: wide sub-networks of a bin have small layers.
type plan struct{ widths []plannedWidth } // ascending

// plannedWidth are the programs of a padded embedding.
type plannedWidth struct {
	embd       int
	attentions []attentionSize
	ffns       []int
	heads      []int // embeddings of the output head, the most expensive part of a small model: what is beyond is cut off
}

// attentionSize is the size of an attention's program. Heads and query groups are padded, the size of a head is not.
type attentionSize struct{ heads, groups, headSize, pairs int } // pairs of a head's dimensions turn

func (a attentionSize) holds(b attentionSize) bool {
	return a.headSize == b.headSize && a.pairs == b.pairs && a.heads >= b.heads && a.groups >= b.groups
}

// sizes are the padded ones of a sub-network's layer: those planned, and where none holds it a part of the teacher's.
func (p plan) sizes(c slm.Config, s slm.Subnet, l slm.LayerSubnet) sizes {
	z := rounded(c, s, l)
	at := p.width(s.Size(c, l, slm.EmbdAxis))
	if at < 0 {
		return z
	}
	w := p.widths[at]
	z.embd, z.head = w.embd, holding(w.heads, s.Size(c, l, slm.EmbdAxis))
	if f := holding(w.ffns, s.Size(c, l, slm.FFNAxis)); f > 0 {
		z.ffn = f
	}
	if a := w.attention(sizeOfAttention(c, s, l)); a.heads > 0 {
		z.heads, z.groups = a.heads, a.groups
	}
	return z
}

func sizeOfAttention(c slm.Config, s slm.Subnet, l slm.LayerSubnet) attentionSize {
	return attentionSize{s.Size(c, l, slm.HeadAxis), s.Size(c, l, slm.GroupAxis), s.Size(c, l, slm.HeadSizeAxis), len(frequencies(c, s, l))}
}

// width is the index of the first width that holds an embedding; -1 for none.
func (p plan) width(embd int) int {
	return slices.IndexFunc(p.widths, func(w plannedWidth) bool { return w.embd >= embd })
}

// holding is the smallest of some sizes that holds another; 0 for none.
func holding(sizes []int, n int) (best int) {
	for _, s := range sizes {
		if s >= n && (best == 0 || s < best) {
			best = s
		}
	}
	return best
}

// attention is the size with the least work that holds another; the zero value for none.
func (w plannedWidth) attention(of attentionSize) (best attentionSize) {
	for _, a := range w.attentions {
		if a.holds(of) && (best.heads == 0 || a.heads+a.groups < best.heads+best.groups) {
			best = a
		}
	}
	return best
}

// below is the embedding up to which a narrower width serves.
func (p plan) below(i int) int {
	if i == 0 {
		return 0
	}
	return p.widths[i-1].embd
}
