package plots

import (
	"cmp"
	"fmt"
	"math"

	"github.com/offshoot-ml/offshoot/slm"
)

// costs are what a candidate's perplexity can be drawn against.
var costs = map[slm.Objective]costName{
	slm.MinimizeParameters: {"parameters", []unit{{1, ""}, {1e3, "thousands"}, {1e6, "millions"}, {1e9, "billions"}}},
	slm.MinimizeFLOPs:      {"forward FLOPs per token", []unit{{1, ""}, {1e3, "thousands"}, {1e6, "millions"}, {1e9, "billions"}}},
	slm.MinimizeKVCache:    {"KV cache per token", []unit{{1, "bytes"}, {1e3, "kB"}, {1e6, "MB"}}},
	slm.MinimizeLatency:    {"latency of 1,000 tokens", []unit{{1e-3, "ms"}, {1, "s"}}},
}

// costName is a cost and its units, ascending.
type costName struct {
	words string
	units []unit
}

type unit struct {
	size float64
	name string
}

// costAxis names an axis in a unit that its range suits.
type costAxis struct {
	name     string
	unit     float64
	unitName string
	decimals int // that tell neighbouring ticks apart
}

func (c costName) axis(left, right float64) costAxis {
	chosen := c.units[0]
	for _, u := range c.units {
		if right >= u.size {
			chosen = u
		}
	}
	a := costAxis{name: c.words, unit: chosen.size, decimals: max(0, int(math.Ceil(-math.Log10((right-left)/chosen.size/5))))}
	if chosen.name != "" {
		a.name = fmt.Sprintf("%s (%s)", c.words, chosen.name)
	}
	a.unitName = cmp.Or(chosen.name, c.words)
	return a
}
