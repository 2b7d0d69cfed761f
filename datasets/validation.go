package datasets

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
)

// Validation is a fixed sample of the validation half: the first ceil(tokens/seqLen) windows of seqLen+1 ids, row-major,
// so that at least the given number of tokens is predicted. Windows never share a predicted token.
//
// The sample is spread out: it takes one window from each document, in an order and at a place set by a hash of the
// document's path, before it takes a second from any. Documents too short for a window are joined to the next. For one
// seqLen a smaller sample is the beginning of a larger one. Asking for more than the half holds is an error that says how
// much there is.
func (c *Corpus) Validation(tokens, seqLen int) ([]int32, error) {
	if tokens < 1 || seqLen < 1 {
		return nil, fmt.Errorf("corpus %s: a validation sample of %d tokens in windows of %d is empty", c.name, tokens, seqLen)
	}
	windows := (tokens-1)/seqLen + 1
	groups, err := c.validationGroups(seqLen, windows)
	if err != nil {
		return nil, err
	}
	var out []int32
	for round, found := 0, true; found; round++ {
		found = false
		for _, g := range groups {
			if round >= len(g.order) {
				continue
			}
			found = true
			start := g.order[round] * seqLen
			out = append(out, g.tokens[start:start+seqLen+1]...)
			if len(out) == windows*(seqLen+1) {
				return out, nil
			}
		}
	}
	return nil, fmt.Errorf("corpus %s: its validation half has %d windows of %d tokens; %d were asked for",
		c.name, len(out)/(seqLen+1), seqLen, windows)
}

// group is one or more validation documents with tokens enough for a window, and the order to take its windows in.
type group struct {
	tokens []int32
	order  []int
}

// validationGroups tokenizes documents until there are as many groups as windows are wanted, or no more documents.
func (c *Corpus) validationGroups(seqLen, most int) ([]group, error) {
	documents := slices.SortedFunc(slices.Values(c.validation), func(a, b textFile) int {
		return cmp.Compare(pathHash("order", a.Path), pathHash("order", b.Path))
	})
	var groups []group
	var open []int32
	for _, d := range documents {
		if len(groups) == most {
			break
		}
		text, err := c.read(context.Background(), d)
		if err != nil {
			return nil, err
		}
		tokens, err := c.encode(d, text)
		if err != nil {
			return nil, err
		}
		if open = append(open, tokens...); len(open) <= seqLen {
			continue
		}
		place := rand.New(rand.NewPCG(pathHash("place", d.Path), 0))
		groups = append(groups, group{open, place.Perm((len(open) - 1) / seqLen)})
		open = nil
	}
	return groups, nil
}
