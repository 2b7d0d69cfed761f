package slm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Dim bounds one dimension of a space: Min, Min+Step, … up to Max, or a list of values. Min = Max freezes it.
type Dim struct {
	Min  int `json:"min"`
	Max  int `json:"max"`
	Step int `json:"step"`

	Values     []int `json:"values,omitempty"`      // these, ascending, in place of a range
	LogUniform bool  `json:"log_uniform,omitempty"` // drawn so that the logarithm is uniform, not the size
}

// Frozen is a dimension with a single value.
func Frozen(n int) Dim { return Dim{Min: n, Max: n, Step: 1} }

// Choice is a dimension of the given values, ascending.
func Choice(values ...int) Dim { return Dim{Values: values} }

// IsZero reports a dimension that takes its default.
func (d Dim) IsZero() bool {
	return d.Min == 0 && d.Max == 0 && d.Step == 0 && len(d.Values) == 0 && !d.LogUniform
}

func (d Dim) equal(e Dim) bool {
	return d.Min == e.Min && d.Max == e.Max && d.Step == e.Step && d.LogUniform == e.LogUniform && slices.Equal(d.Values, e.Values)
}

// String is such as "64-576 step 32".
func (d Dim) String() string {
	switch {
	case len(d.Values) > 0:
		return fmt.Sprint(d.Values)
	case d.LogUniform:
		return fmt.Sprintf("%d-%d step %d, log-uniform", d.Min, d.Max, d.Step)
	}
	return fmt.Sprintf("%d-%d step %d", d.Min, d.Max, d.Step)
}

// Choices is how many values there are.
func (d Dim) Choices() int {
	if len(d.Values) > 0 {
		return len(d.Values)
	}
	return (d.Max-d.Min)/max(1, d.Step) + 1
}

// At is the i-th value, ascending from 0.
func (d Dim) At(i int) int {
	if len(d.Values) > 0 {
		return d.Values[i]
	}
	return d.Min + d.Step*i
}

// Last is the largest value.
func (d Dim) Last() int { return d.At(d.Choices() - 1) }

// all yields every value, smallest first.
func (d Dim) all(yield func(int) bool) {
	for i := range d.Choices() {
		if !yield(d.At(i)) {
			return
		}
	}
}

// index is the place of the largest value up to n, 0 where there is none.
func (d Dim) index(n int) int {
	return max(0, sort.Search(d.Choices(), func(i int) bool { return d.At(i) > n })-1)
}

func (d Dim) contains(n int) bool { return d.At(d.index(n)) == n }

// probability is that of drawing the i-th value. A log-uniform size stands for all that is rounded to it, as in whittle's
// spaces (syne-tune's lograndint): from half a step below to half a step above, within the bounds.
func (d Dim) probability(i int) float64 {
	if !d.LogUniform {
		return 1 / float64(d.Choices())
	}
	low, high, half := float64(d.Min), float64(d.Last()), float64(d.Step)/2
	if low == high {
		return 1
	}
	n := float64(d.At(i))
	return math.Log(min(n+half, high)/max(n-half, low)) / math.Log(high/low)
}

func (d Dim) sample(r *rand.Rand) int {
	if !d.LogUniform {
		return d.At(r.IntN(d.Choices()))
	}
	at := r.Float64()
	for i := range d.Choices() {
		if at -= d.probability(i); at < 0 {
			return d.At(i)
		}
	}
	return d.Last() // rounding
}

// step moves n by some values, mostly few, and stays inside d.
func (d Dim) step(n int, r *rand.Rand) int {
	i := d.index(n) + heavyTailed(d.Choices()-1, r)*(1-2*r.IntN(2))
	return d.At(max(0, min(i, d.Choices()-1)))
}

func (d Dim) validate(field string, most int) error {
	if len(d.Values) > 0 {
		if !ascending(d.Values) || d.Values[0] < 1 || d.Last() > most || d.LogUniform || d.Min != 0 || d.Max != 0 || d.Step != 0 {
			return fmt.Errorf("space: %s %v: want ascending values from 1 to %d (the teacher's), without a range", field, d.Values, most)
		}
		return nil
	}
	if d.Min < 1 || d.Max < d.Min || d.Max > most || d.Step < 1 {
		return fmt.Errorf("space: %s %d-%d step %d: want 1 <= min <= max <= %d (the teacher's) and step >= 1",
			field, d.Min, d.Max, d.Step, most)
	}
	return nil
}

// ascending reports values that grow, none of them twice.
func ascending(values []int) bool {
	for i := 1; i < len(values); i++ {
		if values[i] <= values[i-1] {
			return false
		}
	}
	return true
}

// quarters runs from a quarter of size to size in about sixteenths, rounded to a multiple where size allows it.
func quarters(size, multiple int) Dim {
	if size%multiple != 0 {
		multiple = 1
	}
	step := max(multiple, size/16/multiple*multiple)
	low := size - (size-max(1, size/4))/step*step
	return Dim{Min: low, Max: size, Step: step}
}

// ParseDim reads a dimension: "12" freezes it, "192-384" or "192-384/32" is a range, in steps, and "128,256,512" are the values
// to choose from. A range keeps what its step reaches: "1-10/4" is 1, 5 and 9.
func ParseDim(text string) (Dim, error) {
	bad := fmt.Errorf("dimension %q: want a value such as 12, a range such as 192-384 or 192-384/32, or values such as 128,256,512", text)
	numbers := func(parts ...string) (out []int) {
		for _, p := range parts {
			n, err := strconv.Atoi(p)
			if err != nil || n < 1 || p[0] == '+' {
				return nil
			}
			out = append(out, n)
		}
		return out
	}
	span, step, stepped := strings.Cut(text, "/")
	low, high, ranged := strings.Cut(span, "-")
	switch {
	case ranged:
		if !stepped {
			step = "1"
		}
		n := numbers(low, high, step)
		if n == nil || n[1] < n[0] {
			return Dim{}, bad
		}
		return Dim{Min: n[0], Max: n[1], Step: n[2]}, nil
	case stepped:
		return Dim{}, bad
	}
	n := numbers(strings.Split(text, ",")...)
	switch {
	case n == nil || !ascending(n):
		return Dim{}, bad
	case len(n) == 1:
		return Frozen(n[0]), nil
	}
	return Choice(n...), nil
}
