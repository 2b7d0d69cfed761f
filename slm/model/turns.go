package model

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope
)

// turns are the rotary angles of a graph's blocks, as constants: XLA would compute the cosine and the sine of a position anew for
// every head, layer and sequence, which takes a sixth of the time of attention on a processor. Blocks with the same frequencies have the
// same constants.
type turns map[string][2]*Node

// of is cosine and sine of position·frequency, [1, T, 1, R/2] each, of products rounded to float32 as the graphs of
// other frequencies and other implementations have them.
func (t turns) of(g *Graph, positions int, frequencies []float32) (cos, sin *Node) {
	key := fmt.Sprint(positions, frequencies)
	if pair, ok := t[key]; ok {
		return pair[0], pair[1]
	}
	var tables [2][]float32
	for position := range positions {
		for _, frequency := range frequencies {
			angle := float64(float32(position) * frequency)
			tables[0], tables[1] = append(tables[0], float32(math.Cos(angle))), append(tables[1], float32(math.Sin(angle)))
		}
	}
	var pair [2]*Node
	for i, table := range tables {
		pair[i] = Reshape(Const(g, table), 1, positions, 1, len(frequencies))
	}
	if t != nil {
		t[key] = pair
	}
	return pair[0], pair[1]
}
