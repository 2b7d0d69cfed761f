package datasets

import (
	"fmt"
	"math"
	"testing"
)

func TestPermutation(t *testing.T) {
	for _, n := range []uint64{1, 2, 3, 4, 5, 7, 16, 17, 255, 256, 257, 1000, 4097, 65537} {
		p, seen := newPermutation(n, 3, 4), make([]bool, n)
		for i := range n {
			x := p.at(i)
			if x >= n || seen[x] {
				t.Fatalf("n %d: place %d has %d, which is outside or there already", n, i, x)
			}
			seen[x] = true
		}
	}
}

// TestPermutationOfBillions stays below n, and does not keep neighbours together.
func TestPermutationOfBillions(t *testing.T) {
	const n = 7_654_321_987
	p, seen, sum := newPermutation(n, 1, 0), map[uint64]bool{}, 0.0
	for i := range uint64(10_000) {
		x := p.at(i)
		if x >= n || seen[x] {
			t.Fatalf("place %d has %d", i, x)
		}
		seen[x] = true
		sum += float64(x) / n
	}
	if mean := sum / 10_000; math.Abs(mean-0.5) > 0.02 { // 7 standard deviations
		t.Errorf("the mean of the first places is %g of n", mean)
	}
}

// TestPermutationIsShuffled counts in which tenth of the places each tenth of the numbers comes.
func TestPermutationIsShuffled(t *testing.T) {
	const n, parts = 10_000, 10
	for seed := range uint64(5) {
		p := newPermutation(n, seed, 0)
		var counts [parts][parts]float64
		for i := range uint64(n) {
			counts[i*parts/n][p.at(i)*parts/n]++
		}
		chi := 0.0
		for _, row := range counts {
			for _, c := range row {
				chi += (c - n/parts/parts) * (c - n/parts/parts) / (n / parts / parts)
			}
		}
		if chi > 81+6*12.7 { // 81 degrees of freedom
			t.Errorf("seed %d: chi-squared %g", seed, chi)
		}
	}
}

func TestPermutationFollowsSeedAndStream(t *testing.T) {
	orders := map[string]bool{}
	for seed := range uint64(3) {
		for stream := range uint64(3) {
			p, order := newPermutation(50, seed, stream), ""
			for i := range uint64(50) {
				order += fmt.Sprint(p.at(i), " ")
			}
			orders[order] = true
		}
	}
	if len(orders) != 9 {
		t.Errorf("9 seeds and streams have %d orders", len(orders))
	}
}
