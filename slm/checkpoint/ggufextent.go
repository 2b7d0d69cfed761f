package checkpoint

import (
	"cmp"
	"fmt"
	"slices"
)

// checkExtent reports tensors that cannot be decoded, that overlap, as hostile files name the same bytes many times, or that
// lie behind the end of a file of the given size.
func (g *gguf) checkExtent(size int64) error {
	slices.SortStableFunc(g.tensors, func(a, b ggufTensor) int { return cmp.Compare(a.offset, b.offset) })
	end := g.data
	for _, t := range g.tensors {
		if err := t.check(); err != nil {
			return err
		}
		if t.offset < 0 || t.offset > 1<<50 {
			return fmt.Errorf("tensor %q begins at byte %d of the data", t.name, uint64(t.offset))
		}
		if g.data+t.offset < end {
			return fmt.Errorf("tensor %q overlaps the one before it", t.name)
		}
		end = g.data + t.offset + t.bytes()
	}
	if end > size {
		return &truncatedError{have: size, want: end}
	}
	return nil
}

// check reports a type that cannot be decoded, and dimensions that are out of all proportion or cut a block.
func (t ggufTensor) check() error {
	n, ok := elements(t.shape)
	if !ok {
		return fmt.Errorf("tensor %q has shape %v, out of all proportion", t.name, t.shape)
	}
	kind, ok := ggmlTypes[t.kind]
	if !ok {
		return fmt.Errorf("tensor %q is stored as %s, which cannot be read", t.name, typeName(t.kind))
	}
	inner := n
	if len(t.shape) > 0 {
		inner = int64(t.shape[len(t.shape)-1])
	}
	if inner%int64(kind.values) != 0 {
		return fmt.Errorf("tensor %q has rows of %d values, not a whole number of %s blocks", t.name, inner, kind.name)
	}
	return nil
}

// truncatedError is a file that ends before its header says.
type truncatedError struct{ have, want int64 }

func (e *truncatedError) Error() string {
	return fmt.Sprintf("it has %d bytes and should have %d", e.have, e.want)
}
