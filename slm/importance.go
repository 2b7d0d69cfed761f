package slm

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Importance scores the units of a teacher: the higher, the more it would lose without the unit. Scores are compared only
// within one list, so each list may have a scale of its own. A nil list was not measured. Package slm/model measures them.
type Importance struct {
	Method      string      `json:"method"`           // how they were measured
	Layers      []float64   `json:"layers,omitempty"` // [layers]
	Embd        []float64   `json:"embd,omitempty"`   // [embedding dimensions]
	QueryGroups [][]float64 `json:"query_groups,omitempty"`
	Heads       [][]float64 `json:"heads,omitempty"` // [layers][heads]
	FFN         [][]float64 `json:"ffn,omitempty"`   // [layers][neurons]
}

// LayerDrop is the method whose layer scores are nats per token that the teacher loses without the layer.
const LayerDrop = "layer drop"

// Validate reports the first list that does not fit the teacher, and scores that are not numbers.
func (i Importance) Validate(teacher Config) error {
	if err := checkScores("layers", i.Layers, teacher.Layers); err != nil {
		return err
	}
	if err := checkScores("embd", i.Embd, teacher.Embd); err != nil {
		return err
	}
	for _, f := range []struct {
		name   string
		scores [][]float64
		size   int
	}{{"query_groups", i.QueryGroups, teacher.QueryGroups}, {"heads", i.Heads, teacher.Heads}, {"ffn", i.FFN, teacher.FFN}} {
		if f.scores != nil && len(f.scores) != teacher.Layers {
			return fmt.Errorf("importance: %s has scores for %d layers, the teacher has %d", f.name, len(f.scores), teacher.Layers)
		}
		for l, scores := range f.scores {
			if err := checkScores(fmt.Sprintf("%s[%d]", f.name, l), scores, f.size); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkScores(name string, scores []float64, size int) error {
	if scores != nil && len(scores) != size {
		return fmt.Errorf("importance: %s has %d scores, the teacher has %d units", name, len(scores), size)
	}
	for unit, v := range scores {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("importance: the score of %s unit %d is %g", name, unit, v)
		}
	}
	return nil
}

// ranked lists the indices of 0..size-1 from the highest score to the lowest, equal ones ascending; without scores, as they
// are.
func ranked(scores []float64, size int) []int {
	order := make([]int, size)
	for i := range order {
		order[i] = i
	}
	if scores != nil {
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	}
	return order
}

// layerScores is a layer's list, nil when there is none.
func layerScores(scores [][]float64, layer int) []float64 {
	if scores == nil {
		return nil
	}
	return scores[layer]
}
