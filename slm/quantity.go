package slm

import (
	"fmt"
	"strings"
	"time"
)

// Amount writes a quantity with three significant digits and a decimal unit: 13714604032 B is "13.7 GB".
func Amount(v float64, unit string) string {
	prefix := ""
	for _, next := range []string{"k", "M", "G", "T", "P", "E", "Z", "Y"} {
		if v < 999.5 {
			break
		}
		v, prefix = v/1000, next
	}
	return strings.TrimSpace(fmt.Sprintf("%.3g %s%s", v, prefix, unit))
}

// Duration writes seconds in the unit that a person would use.
func Duration(seconds float64) string {
	switch {
	case seconds < 120:
		return fmt.Sprintf("%.3g s", seconds)
	case seconds < 2*3600:
		return fmt.Sprintf("%.3g min", seconds/60)
	case seconds < 48*3600:
		return fmt.Sprintf("%.3g h", seconds/3600)
	case seconds < 2*365*24*3600:
		return fmt.Sprintf("%.3g days", seconds/(24*3600))
	}
	return fmt.Sprintf("%.3g years", seconds/time.Duration(365*24*time.Hour).Seconds())
}
