package datasets

import (
	"math/bits"
	"math/rand/v2"
)

// permutation orders the numbers below n without a list of them: a Feistel network permutes the numbers of 2k bits for the
// smallest k that has room for n, and what falls outside n is permuted again until it falls inside (cycle walking), on
// average after fewer than 4 rounds.
type permutation struct {
	n    uint64
	half uint // bits of each of the network's halves
	keys [8]uint64
}

// newPermutation draws an order of the numbers below n, which is positive.
func newPermutation(n, seed, stream uint64) permutation {
	p := permutation{n: n, half: uint(bits.Len64(n-1)+1) / 2}
	draw := rand.New(rand.NewPCG(seed, stream))
	for i := range p.keys {
		p.keys[i] = draw.Uint64()
	}
	return p
}

// at is the number at place i, which is below n.
func (p *permutation) at(i uint64) uint64 {
	for {
		if i = p.network(i); i < p.n {
			return i
		}
	}
}

func (p *permutation) network(i uint64) uint64 {
	mask := uint64(1)<<p.half - 1
	left, right := i>>p.half, i&mask
	for _, key := range p.keys {
		left, right = right, left^(mix(right^key)&mask)
	}
	return left<<p.half | right
}

// mix is the finalizer of SplitMix64: each bit of x changes half of the result's.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
