package slm

import "fmt"

// Bin is a range of parameter counts, both ends included: every candidate of a search stays inside it
// (arXiv 2510.07227, section 3.2).
type Bin struct {
	Lower int64 `json:"lower"`
	Upper int64 `json:"upper"`
}

// Around is the bin of center ± tolerance, such as Around(30e6, 0.05) for 28.5M to 31.5M parameters.
func Around(center, tolerance float64) Bin {
	return Bin{Lower: int64(center * (1 - tolerance)), Upper: int64(center * (1 + tolerance))}
}

// Contains reports whether a parameter count falls into the bin.
func (b Bin) Contains(parameters int64) bool { return b.Lower <= parameters && parameters <= b.Upper }

// Validate reports a bin that holds no count.
func (b Bin) Validate() error {
	if b.Lower <= 0 || b.Upper < b.Lower {
		return fmt.Errorf("bin %s is empty: want 0 < lower <= upper, such as slm.Around(30e6, 0.05)", b)
	}
	return nil
}

// String is such as "28.5M-31.5M".
func (b Bin) String() string { return Count(b.Lower) + "-" + Count(b.Upper) }

// Count writes a count with three significant digits and a unit: 134515008 is "135M".
func Count(n int64) string {
	switch v := float64(n); {
	case v >= 999.5e6:
		return fmt.Sprintf("%.3gB", v/1e9)
	case v >= 999.5e3:
		return fmt.Sprintf("%.3gM", v/1e6)
	case v >= 999.5:
		return fmt.Sprintf("%.3gk", v/1e3)
	}
	return fmt.Sprint(n)
}
