package slm

import "fmt"

// A map has a weight for each two tokens, so that a text may be shorter than one whose losses are asked.
const (
	MostAttended = 128 // tokens of a text whose attention is asked
	MostMaps     = 64  // heads of one call
)

// Attention is where the heads of a model look while it reads a text.
type Attention struct {
	Model  string         `json:"model"`
	Steps  int            `json:"steps,omitzero"` // that a run's student was trained for
	Tokens []string       `json:"tokens"`
	Maps   []AttentionMap `json:"maps"` // by layer, then by head
}

// AttentionMap is where one head looks: softmax(q·k/√d) (Vaswani et al. 2017, arXiv 1706.03762, section 3.2.1).
type AttentionMap struct {
	Layer   int         `json:"layer"` // of the teacher
	Head    int         `json:"head"`
	Weights [][]float32 `json:"weights"` // row t has the t+1 weights of token t on the tokens up to itself; they sum to 1
}

// HeadOf is one of a teacher's heads.
type HeadOf struct{ Layer, Head int }

// KeptHeads are the heads of some layers, in order: those with an index in heads that the sub-network keeps, in the layers with an
// index in layers. The zero sets stand for all. No head, and more than [MostMaps], are errors.
func (s Subnet) KeptHeads(teacher Config, layers, heads Indices) (kept []HeadOf, err error) {
	for _, l := range s.KeptLayers(teacher) {
		for head := range l.heads(teacher).All(teacher.Heads) {
			if layers.Contains(l.Layer) && heads.Contains(head) {
				kept = append(kept, HeadOf{l.Layer, head})
			}
		}
	}
	switch n := len(kept); {
	case n == 0:
		return nil, fmt.Errorf("attention: no kept head is among heads %s of layers %s", named(heads), named(layers))
	case n > MostMaps:
		return nil, fmt.Errorf("attention: %d heads, want at most %d: name fewer layers, or fewer heads", n, MostMaps)
	}
	return kept, nil
}

// named is a set's text, also of the one that stands for all.
func named(s Indices) string {
	if s.IsZero() {
		return "(all)"
	}
	return s.String()
}
