package slm

import (
	"fmt"
	"math"
	"slices"
)

// Objective is something that a search makes small.
type Objective string

// The objectives.
const (
	MinimizeLoss       Objective = "loss"       // held-out cross-entropy
	MinimizeParameters Objective = "parameters" //
	MinimizeFLOPs      Objective = "flops"      // forward, per token
	MinimizeKVCache    Objective = "kv_cache"   // bytes of a token's keys and values
	MinimizeLatency    Objective = "latency"    // seconds that the evaluation took
)

// Objectives lists them all.
var Objectives = []Objective{MinimizeLoss, MinimizeParameters, MinimizeFLOPs, MinimizeKVCache, MinimizeLatency}

// Validate reports an unknown objective.
func (o Objective) Validate() error {
	if !slices.Contains(Objectives, o) {
		return fmt.Errorf("objective %q is unknown; known: %v", o, Objectives)
	}
	return nil
}

// Of is a candidate's value; a loss that is not a number counts as infinite.
func (o Objective) Of(c Candidate) float64 {
	switch o {
	case MinimizeParameters:
		return float64(c.Parameters)
	case MinimizeFLOPs:
		return float64(c.FLOPs)
	case MinimizeKVCache:
		return float64(c.KVBytes)
	case MinimizeLatency:
		return c.Latency
	}
	return rank(c.Loss)
}

// Fronts sorts candidates into fronts: those that no other beats in every objective, then those that only these beat, and
// so on (non-dominated sorting: Deb et al. 2002, "A fast and elitist multiobjective genetic algorithm: NSGA-II", section
// III.A). A candidate that failed is beaten by all that did not, whatever its other values (constrained domination, section
// VI). Each front is in the order of the candidates.
func Fronts(candidates []Candidate, objectives []Objective) [][]Candidate {
	values := make([][]float64, len(candidates))
	for i, c := range candidates {
		for _, o := range objectives {
			values[i] = append(values[i], o.Of(c))
		}
	}
	beatenBy := make([]int, len(candidates)) // how many that are not in a front yet
	beats := make([][]int, len(candidates))
	for i := range candidates {
		for j := range candidates {
			if beaten, by := candidates[j].Failed(), candidates[i].Failed(); beaten && !by || beaten == by && dominates(values[i], values[j]) {
				beats[i] = append(beats[i], j)
				beatenBy[j]++
			}
		}
	}
	var fronts [][]Candidate
	for left := len(candidates); left > 0; {
		var members []int
		for i, n := range beatenBy {
			if n == 0 {
				members = append(members, i)
				beatenBy[i] = -1
			}
		}
		var front []Candidate
		for _, i := range members {
			front = append(front, candidates[i])
			for _, j := range beats[i] {
				beatenBy[j]--
			}
		}
		fronts, left = append(fronts, front), left-len(members)
	}
	return fronts
}

// dominates reports whether a is nowhere worse than b and somewhere better.
func dominates(a, b []float64) bool {
	better := false
	for k := range a {
		if a[k] > b[k] {
			return false
		}
		better = better || a[k] < b[k]
	}
	return better
}

// crowding is how far each candidate of a front is from its neighbours: the sum over objectives of the distance between the
// next lower and the next higher value, in units of the front's range; infinite at the ends (Deb et al. 2002, section III.B).
func crowding(front []Candidate, objectives []Objective) []float64 {
	distance := make([]float64, len(front))
	for _, o := range objectives {
		by := make([]int, len(front))
		for i := range by {
			by[i] = i
		}
		slices.SortStableFunc(by, func(i, j int) int {
			switch a, b := o.Of(front[i]), o.Of(front[j]); {
			case a < b:
				return -1
			case a > b:
				return 1
			}
			return 0
		})
		last := len(by) - 1
		low, high := o.Of(front[by[0]]), o.Of(front[by[last]])
		distance[by[0]], distance[by[last]] = math.Inf(1), math.Inf(1)
		for k := 1; k < last && high > low; k++ {
			distance[by[k]] += (o.Of(front[by[k+1]]) - o.Of(front[by[k-1]])) / (high - low)
		}
	}
	return distance
}
