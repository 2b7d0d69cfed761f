package slm

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bin is a range of parameter counts, both ends included: every candidate of a search stays inside it
// (arXiv 2510.07227, section 3.2).
type Bin struct {
	Lower int64 `json:"lower"`
	Upper int64 `json:"upper"`
}

// Around is the bin of center ± tolerance, such as Around(30e6, 0.05) for 28.5M to 31.5M parameters.
func Around(center, tolerance float64) Bin {
	return Bin{Lower: int64(math.Round(center * (1 - tolerance))), Upper: int64(math.Round(center * (1 + tolerance)))}
}

// PaperBins are the three bins of arXiv 2510.07227, section 4: ±5% around the counts of Pythia-410M, 1B and 2.8B.
var PaperBins = []string{"pythia-410m", "pythia-1b", "pythia-2.8b"}

// ParseBin reads "410M", which is ±5%, "410M±2%" (or +-), a range such as "390M-430M", or the name of a published
// architecture, such as "pythia-410m", for ±5% around its count.
func ParseBin(text string) (Bin, error) {
	if published, err := Published(text); err == nil {
		return Around(float64(Subnet{}.Parameters(published).Total()), 0.05), nil
	}
	bin, err := parseBin(strings.ReplaceAll(text, "+-", "±"))
	if err != nil {
		return Bin{}, fmt.Errorf("bin %q: %w", text, err)
	}
	return bin, bin.Validate()
}

func parseBin(text string) (Bin, error) {
	if middle, percent, ok := strings.Cut(text, "±"); ok {
		center, err := ParseCount(middle)
		if err != nil {
			return Bin{}, err
		}
		tolerance, err := strconv.ParseFloat(strings.TrimSuffix(percent, "%"), 64)
		if err != nil || !(tolerance >= 0 && tolerance < 100) || !strings.HasSuffix(percent, "%") {
			return Bin{}, fmt.Errorf("%q is no tolerance, such as 5%%", percent)
		}
		return Around(float64(center), tolerance/100), nil
	}
	low, high, isRange := strings.Cut(text, "-")
	lower, err := ParseCount(low)
	if err != nil {
		return Bin{}, err
	}
	if !isRange {
		return Around(float64(lower), 0.05), nil
	}
	upper, err := ParseCount(high)
	return Bin{lower, upper}, err
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

// ParseCount reads a positive count such as "410M", "1.5B", "2e9" or "134515008"; the units k, M, B and T are thousands,
// millions, billions and trillions, in either case.
func ParseCount(text string) (int64, error) {
	number, scale := text, 1.0
	for i, unit := range "kmbt" {
		if cut, ok := strings.CutSuffix(strings.ToLower(text), string(unit)); ok {
			number, scale = cut, math.Pow(1000, float64(i+1))
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if v = math.Round(v * scale); err != nil || !(v >= 1) || v > 1e18 {
		return 0, fmt.Errorf("%q is not a count, such as 410M or 1.5B", text)
	}
	return int64(v), nil
}

// Thousands writes a count with separators, such as "134,515,008".
func Thousands(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// Count writes a count with three significant digits and a unit: 134515008 is "135M".
func Count(n int64) string {
	switch v := float64(n); {
	case v >= 999.5e9:
		return fmt.Sprintf("%.3gT", v/1e12)
	case v >= 999.5e6:
		return fmt.Sprintf("%.3gB", v/1e9)
	case v >= 999.5e3:
		return fmt.Sprintf("%.3gM", v/1e6)
	case v >= 999.5:
		return fmt.Sprintf("%.3gk", v/1e3)
	}
	return fmt.Sprint(n)
}
