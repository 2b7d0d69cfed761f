package slm

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// Indices is a set of indices into one dimension of a teacher, kept as sorted, disjoint, inclusive ranges.
// Its text form is "0-2,5". The zero value stands for the whole dimension, whatever its size.
type Indices struct {
	ranges []indexRange
	count  int // of indices in all ranges, so that counting parameters need not sum them up
}

type indexRange struct{ first, last int32 } // a search keeps the ranges of thousands of candidates

// maxIndex is the largest index, far beyond any teacher's, so that a hostile "0-99999999999" cannot ask for memory.
const maxIndex = 1 << 24

// First is the set {0, …, n-1}, the coarse choice. It panics if n is not positive, or more than 16,777,217.
func First(n int) Indices {
	if n <= 0 || n > maxIndex+1 {
		panic(fmt.Sprintf("slm.First(%d): a set of indices has 1 to %d members", n, maxIndex+1))
	}
	return Indices{[]indexRange{{0, int32(n - 1)}}, n}
}

// IndicesOf is the set of the given indices, in any order, duplicates ignored. Without arguments it is the zero value. It
// panics if one is negative, or more than 16,777,216.
func IndicesOf(indices ...int) Indices {
	sorted := slices.Clone(indices)
	slices.Sort(sorted)
	if n := len(sorted); n > 0 && (sorted[0] < 0 || sorted[n-1] > maxIndex) {
		panic(fmt.Sprintf("slm.IndicesOf: indices %d to %d are not within 0-%d", sorted[0], sorted[n-1], maxIndex))
	}
	var s Indices
	for _, i := range slices.Compact(sorted) {
		s.add(i, i)
	}
	return s.tight()
}

// add appends first..last, which must not begin before the end of the last range.
func (s *Indices) add(first, last int) {
	s.count += last - first + 1
	if n := len(s.ranges); n > 0 && s.ranges[n-1].last == int32(first-1) {
		s.ranges[n-1].last = int32(last)
		return
	}
	s.ranges = append(s.ranges, indexRange{int32(first), int32(last)})
}

// tight is s without the room that growing left.
func (s Indices) tight() Indices {
	s.ranges = slices.Clone(s.ranges)
	return s
}

// IsZero reports whether s stands for the whole dimension.
func (s Indices) IsZero() bool { return len(s.ranges) == 0 }

// Len is the number of kept indices of a dimension with the given size.
func (s Indices) Len(size int) int {
	if s.IsZero() {
		return size
	}
	return s.count
}

// All yields the kept indices of a dimension with the given size, ascending.
func (s Indices) All(size int) iter.Seq[int] {
	return func(yield func(int) bool) {
		if s.IsZero() {
			(indexRange{0, int32(size - 1)}).each(yield)
			return
		}
		for _, r := range s.ranges {
			if !r.each(yield) {
				return
			}
		}
	}
}

func (r indexRange) each(yield func(int) bool) bool {
	for i := int(r.first); i <= int(r.last); i++ {
		if !yield(i) {
			return false
		}
	}
	return true
}

// Slice lists the kept indices of a dimension with the given size, ascending.
func (s Indices) Slice(size int) []int {
	return slices.AppendSeq(make([]int, 0, s.Len(size)), s.All(size))
}

// Contains reports whether index i is kept.
func (s Indices) Contains(i int) bool {
	if s.IsZero() {
		return true
	}
	at, _ := slices.BinarySearchFunc(s.ranges, i, func(r indexRange, i int) int { return cmp.Compare(int(r.last), i) })
	return at < len(s.ranges) && int(s.ranges[at].first) <= i
}

// Equal reports whether two sets name the same indices. The zero value equals only itself: see [Subnet.Normalize].
func (s Indices) Equal(t Indices) bool { return slices.Equal(s.ranges, t.ranges) }

// check reports an index outside 0..size-1, naming the field.
func (s Indices) check(field string, size int) error {
	if n := len(s.ranges); n > 0 && int(s.ranges[n-1].last) >= size {
		return fmt.Errorf("%s: index %d is outside the teacher's 0-%d", field, s.ranges[n-1].last, size-1)
	}
	return nil
}

// normalize turns a set that names the whole dimension into the zero value, so that equal sub-networks have equal text.
func (s Indices) normalize(size int) Indices {
	if s.Len(size) == size {
		return Indices{}
	}
	return s
}

// String is the text form: "0-2,5", or "all" for the zero value.
func (s Indices) String() string {
	if s.IsZero() {
		return "all"
	}
	var b strings.Builder
	for i, r := range s.ranges {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(int(r.first)))
		if r.last > r.first {
			b.WriteByte('-')
			b.WriteString(strconv.Itoa(int(r.last)))
		}
	}
	return b.String()
}

// MarshalText implements encoding.TextMarshaler with the text form.
func (s Indices) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler: ascending, disjoint ranges such as "0-2,5", or "all".
func (s *Indices) UnmarshalText(text []byte) error {
	*s = Indices{}
	if string(text) == "all" {
		return nil
	}
	s.ranges = make([]indexRange, 0, 1+bytes.Count(text, []byte(",")))
	next := 0
	for part := range strings.SplitSeq(string(text), ",") {
		first, last, err := parseRange(part)
		if err != nil {
			return err
		}
		if first < next {
			return fmt.Errorf("indices %q: %q does not ascend", text, part)
		}
		s.add(first, last)
		next = last + 1
	}
	return nil
}

func parseRange(part string) (first, last int, err error) {
	low, high, isRange := strings.Cut(part, "-")
	if !isRange {
		high = low
	}
	first, err = strconv.Atoi(low)
	if err == nil {
		last, err = strconv.Atoi(high)
	}
	if err != nil || first < 0 || last < first || last > maxIndex {
		return 0, 0, fmt.Errorf("indices: %q is not a number or an inclusive range such as 0-2", part)
	}
	return first, last, nil
}
