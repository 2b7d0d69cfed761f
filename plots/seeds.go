package plots

import (
	"cmp"
	"fmt"
	"slices"
	"sort"

	"github.com/offshoot-ml/offshoot/slm"
)

// Runs of one name repeat each other with other seeds: one line is their mean, in a band from the lowest to the highest.

// repeated are the runs of one name.
type repeated struct {
	name string
	runs []slm.Curve
}

// byName gathers runs in the order of their names' first. A run without a name is one of its own.
func byName(runs []slm.Curve) []repeated {
	var out []repeated
	for i, r := range runs {
		name := cmp.Or(r.Name, fmt.Sprintf("run %d", i+1))
		at := slices.IndexFunc(out, func(g repeated) bool { return g.name == name })
		if at < 0 {
			at, out = len(out), append(out, repeated{name: name})
		}
		out[at].runs = append(out[at].runs, r)
	}
	return out
}

// sample is a loss on a line: of one run, or the mean of several with the lowest and the highest of them.
type sample struct {
	step      int
	x         float64 // what it has cost so far
	loss      float64
	low, high float64
}

// single is a sample of one run.
func single(step int, x, loss float64) sample { return sample{step, x, loss, loss, loss} }

// mean is the line in the middle of several, from where all have begun to where the first ends: at each step where one was
// measured, the others are read on the straight lines that are drawn between their samples.
func mean(lines [][]sample) []sample {
	if len(lines) == 1 {
		return lines[0]
	}
	var steps []int
	first, last := 0, -1
	for i, line := range lines {
		if len(line) == 0 {
			return nil
		}
		for _, s := range line {
			steps = append(steps, s.step)
		}
		if first = max(first, line[0].step); i == 0 {
			last = line[len(line)-1].step
		}
		last = min(last, line[len(line)-1].step)
	}
	slices.Sort(steps)
	var out []sample
	for _, step := range slices.Compact(steps) {
		if first <= step && step <= last {
			out = append(out, meanAt(lines, step))
		}
	}
	return out
}

func meanAt(lines [][]sample, step int) sample {
	var losses []float64
	x := 0.0
	for _, line := range lines {
		s := between(line, step)
		losses = append(losses, s.loss)
		x += s.x / float64(len(lines))
	}
	spread := slm.SpreadOf(losses)
	return sample{step, x, spread.Mean, spread.Min, spread.Max}
}

// between is a point of a line, which must not be empty: of its first or last sample outside of it.
func between(line []sample, step int) sample {
	i := sort.Search(len(line), func(i int) bool { return line[i].step >= step })
	switch {
	case i == len(line):
		return line[i-1]
	case i == 0 || line[i].step == step:
		return line[i]
	}
	a, b := line[i-1], line[i]
	t := float64(step-a.step) / float64(b.step-a.step)
	return single(step, a.x+t*(b.x-a.x), a.loss+t*(b.loss-a.loss))
}
