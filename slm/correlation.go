package slm

import "math"

// RankCorrelation is Spearman's rank correlation of paired values: 1 where they are in the same order, -1 in the opposite
// one, around 0 where one says nothing about the other. Equal values share the mean of their ranks. It is not a number for
// fewer than two pairs, or where all values are equal.
func RankCorrelation(a, b []float64) float64 {
	if len(a) != len(b) {
		return math.NaN()
	}
	x, y := ranks(a), ranks(b)
	mean := float64(len(x)-1) / 2
	var xy, xx, yy float64
	for i := range x {
		dx, dy := x[i]-mean, y[i]-mean
		xy, xx, yy = xy+dx*dy, xx+dx*dx, yy+dy*dy
	}
	return xy / math.Sqrt(xx*yy)
}

// ranks counts how many values are above each, and half of those equal to it.
func ranks(values []float64) []float64 {
	order := ranked(values, len(values))
	out := make([]float64, len(values))
	for first := 0; first < len(order); {
		end := first + 1
		for end < len(order) && values[order[end]] == values[order[first]] {
			end++
		}
		for _, i := range order[first:end] {
			out[i] = float64(first+end-1) / 2
		}
		first = end
	}
	return out
}
